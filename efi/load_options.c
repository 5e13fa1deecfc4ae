/*
 * Converts LoadOptions to text. Text is read one character at a time, whatever its encoding: each encoding has a
 * function that returns the next code point.
 */
#include "efi/load_options.h"

#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"
#include "kernel/lib/utf8.h"

#define BAD_CHARACTER UINT32_MAX

/* The bytes that have not been read yet. */
struct bytes {
	const uint8_t *at, *end;
};

typedef uint32_t next_fn(struct bytes *b);

static uint32_t unit_at(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

/* Return the next character of UTF-16. At least two bytes must be left. */
static uint32_t next_utf16(struct bytes *b)
{
	uint32_t high = unit_at(b->at), low;

	b->at += 2;
	if (high < 0xd800 || high >= 0xe000)
		return high;
	if (high >= 0xdc00 || b->end - b->at < 2)
		return BAD_CHARACTER;
	low = unit_at(b->at);
	if (low < 0xdc00 || low >= 0xe000)
		return BAD_CHARACTER;
	b->at += 2;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* Return the next character of UTF-8. At least one byte must be left. */
static uint32_t next_utf8(struct bytes *b)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t c = *b->at++;
	int more = c < 0x80 ? 0 : c < 0xc0 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf8 ? 3 : -1;

	if (more < 0 || b->end - b->at < more)
		return BAD_CHARACTER;
	if (more)
		c &= 0x3fu >> more;
	for (int i = 0; i < more; i++) {
		if ((*b->at & 0xc0) != 0x80)
			return BAD_CHARACTER;
		c = c << 6 | (*b->at++ & 0x3f);
	}
	return c < least[more] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? BAD_CHARACTER : c;
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Return false for control characters and for code points that are not characters in Unicode: text contains neither. */
static bool is_text(uint32_t c)
{
	return is_blank(c) || (c >= ' ' && c < 0x7f) || (c >= 0xa0 && c <= 0x10ffff && (c & 0xfffe) != 0xfffe);
}

/*
 * Unwrap a whole EFI_LOAD_OPTION (UEFI 2.10, "EFI_LOAD_OPTION": attributes, the length of the device paths, a
 * description, the paths, the data), which some firmware passes: *b becomes its data. Anything else is left as it is.
 */
static void unwrap_load_option(struct bytes *b)
{
	const uint8_t *at = b->at + 6, *paths_end;
	uint32_t paths;

	/* Undefined attribute bits show that this is no load option: ASCII and UTF-16 text sets such bits. */
	if (b->end - b->at < 6 + 2 + 4 || (unit_at(b->at) & ~0x1f0bu) || unit_at(b->at + 2))
		return;
	paths = unit_at(b->at + 4);
	while (b->end - at >= 2 && unit_at(at))
		at += 2;
	at += 2;
	if (at > b->end || paths < 4 || b->end - at < (ptrdiff_t)paths)
		return;
	paths_end = at + paths;
	/* Skip the device paths' nodes, by their lengths, to the node that ends all of them. */
	while (paths_end - at >= 4 && unit_at(at + 2) >= 4 && paths_end - at >= (ptrdiff_t)unit_at(at + 2))
		at += unit_at(at + 2);
	if (at == paths_end && unit_at(at - 4) == 0xff7f)
		b->at = at;
}

/*
 * Return the function that reads *b's encoding, and skip a byte order mark. Without one, text whose second byte is 0 is
 * UTF-16, since command lines begin with ASCII characters.
 */
static next_fn *encoding_of(struct bytes *b)
{
	if (b->end - b->at >= 2 && unit_at(b->at) == 0xfeff) {
		b->at += 2;
		return next_utf16;
	}
	if (b->end - b->at >= 3 && b->at[0] == 0xef && b->at[1] == 0xbb && b->at[2] == 0xbf) {
		b->at += 3;
		return next_utf8;
	}
	return b->end - b->at >= 2 && !b->at[1] ? next_utf16 : next_utf8;
}

/* The text that has been written so far. */
struct text {
	char *to;
	size_t room, size;
	size_t words; /* size without the blanks at the end */
};

/*
 * Add a character. Blanks at the start are left out, and NULs that fill a buffer become one blank. Returns false when
 * `t` is full.
 */
static bool put(struct text *t, uint32_t c)
{
	if (!c || is_blank(c)) {
		if (t->size && t->size + 1 < t->room && (c || t->to[t->size - 1] != ' '))
			t->to[t->size++] = ' ';
		return true;
	}
	if (t->room - t->size < 5)
		return false;
	t->size += utf8_put(t->to + t->size, c);
	t->words = t->size;
	return true;
}

enum options_kind options_to_text(const void *options, size_t size, char *to, size_t room)
{
	struct bytes b = { options, (const uint8_t *)options + size };
	struct text t = { to, room, 0, 0 };
	size_t until_nul = 0; /* size of the words before the first NUL; 0: no NUL was seen */
	next_fn *next;
	ptrdiff_t least;

	unwrap_load_option(&b);
	next = encoding_of(&b);
	least = next == next_utf16 ? 2 : 1;
	while (b.end - b.at >= least) {
		uint32_t c = next(&b);

		if (!c && !t.words)
			return least == 1 && b.at < b.end ? OPTIONS_BINARY : OPTIONS_EMPTY;
		if (c && !is_text(c)) {
			if (!until_nul)
				return OPTIONS_BINARY;
			t.words = until_nul;
			break;
		}
		if (!c && !until_nul)
			until_nul = t.words;
		if (!put(&t, c))
			return OPTIONS_LONG;
	}
	if (!t.words)
		return OPTIONS_EMPTY;
	to[t.words] = '\0';
	return OPTIONS_TEXT;
}

size_t options_utf8(const uint8_t *from, size_t most, char *to, size_t room)
{
	struct bytes b = { from, from + 2 * most };
	size_t n = 0;

	while (b.end - b.at >= 2 && room - n >= 5) {
		uint32_t c = next_utf16(&b);

		if (!c)
			break;
		n += utf8_put(to + n, c == BAD_CHARACTER ? '?' : c);
	}
	to[n] = '\0';
	return n;
}

size_t options_utf16(const char *from, uint16_t *to, size_t most)
{
	struct utf8 utf8 = { 0 };
	size_t n = 0;

	while (*from && n + 2 < most) {
		uint32_t c;
		enum utf8_result result = utf8_feed(&utf8, (uint8_t)*from, &c);

		from += result != UTF8_BAD_BUT;
		if (result == UTF8_MORE)
			continue;
		if (c >= 0x10000) {
			to[n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
			c = 0xdc00 + (c & 0x3ff);
		}
		to[n++] = (uint16_t)c;
	}
	to[n] = 0;
	return n;
}

static const char *skip_blanks(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

const char *options_after_word(const char *text)
{
	bool quoted = false;

	for (; *text && (quoted || *text != ' '); text++)
		if (*text == '"')
			quoted = !quoted;
	return skip_blanks(text);
}

static char folded(char c)
{
	return c == '\\' ? '/' : c >= 'A' && c <= 'Z' ? (char)(c | ' ') : c;
}

/*
 * Return whether `text` begins with `name` as a word of its own, perhaps followed by a query ("?..."). If so, *ret is
 * the text after that word.
 */
static bool begins_with(const char *text, const char *name, const char **ret)
{
	const char *at = text;

	for (; *name && folded(*at) == folded(*name); at++)
		name++;
	if (*name || at == text || (*at && *at != ' ' && *at != '?'))
		return false;
	while (*at && *at != ' ')
		at++;
	*ret = skip_blanks(at);
	return true;
}

/* Return whether the text is one word, up to a query or the end, that ends with .efi. */
static bool is_efi_file(const char *text)
{
	static const char ending[] = ".efi";
	size_t end = 0, size = sizeof(ending) - 1;

	while (text[end] && text[end] != ' ' && text[end] != '?')
		end++;
	if (end < size || strchr(text + end, ' '))
		return false;
	for (size_t i = 0; i < size; i++)
		if (folded(text[end - size + i]) != ending[i])
			return false;
	return true;
}

const char *options_after_name(const char *text, const char *path)
{
	const char *last = path, *rest;

	for (const char *p = path; *p; p++)
		if (folded(*p) == '/')
			last = p + 1;
	if (begins_with(text, path, &rest) || begins_with(text, last, &rest))
		return rest;
	return is_efi_file(text) ? text + strlen(text) : text;
}

const char *options_after_profile(const char *text, unsigned *ret_profile)
{
	const char *at = text + 1;
	unsigned profile = 0;

	if (*text != '@')
		return text;
	for (; *at >= '0' && *at <= '9' && at - text < 5; at++)
		profile = profile * 10 + (unsigned)(*at - '0');
	if (at == text + 1 || (*at && *at != ' '))
		return text;
	*ret_profile = profile;
	return skip_blanks(at);
}

bool options_are_foreign(const char *text)
{
	static const char *const disks[] = { "/dev/", "UUID=", "PARTUUID=", "LABEL=", "PARTLABEL=" };
	char root[16];

	if (!cmdline_get(text, "root", root, sizeof(root)) || strncmp(root, "/dev/ram", 8) == 0)
		return false;
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++)
		if (strncmp(root, disks[i], strlen(disks[i])) == 0)
			return true;
	return false;
}
