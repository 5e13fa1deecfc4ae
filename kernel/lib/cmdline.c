/*
 * Searches the command line. The string is not changed and not kept, and values are not checked: what a word means is
 * up to the caller who asks for it.
 */
#include "kernel/lib/cmdline.h"

#include "kernel/lib/digit.h"
#include "kernel/lib/string.h"

/* A word of the command line, the quotes inside it included. */
struct word {
	const char *start;
	const char *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Find the next word from *at on, and move *at past it. Returns false at the end of the string and at "--". */
static bool next_word(const char **at, struct word *ret)
{
	const char *p = *at;
	bool quoted = false;

	while (is_space(*p))
		p++;
	ret->start = p;
	for (; *p && (quoted || !is_space(*p)); p++)
		if (*p == '"')
			quoted = !quoted;
	ret->end = p;
	*at = p;
	return p > ret->start && !(p - ret->start == 2 && ret->start[0] == '-' && ret->start[1] == '-');
}

/*
 * Return whether the word is `key` or key=…, in quotes or not. If so, *ret_value is what follows "=", or NULL if there
 * is no "=".
 */
static bool word_is(const struct word *w, const char *key, const char **ret_value)
{
	const char *p = w->start + (*w->start == '"'), *end = w->end;
	size_t size = strlen(key);

	if (p > w->start && end > p && end[-1] == '"')
		end--;
	if ((size_t)(end - p) < size || strncmp(p, key, size) != 0)
		return false;
	p += size;
	*ret_value = p < end && *p == '=' ? p + 1 : NULL;
	return p == end || *ret_value;
}

bool cmdline_has(const char *cmdline, const char *key)
{
	const char *value;
	struct word w;

	while (next_word(&cmdline, &w))
		if (word_is(&w, key, &value))
			return true;
	return false;
}

bool cmdline_names(const char *cmdline, const char *key, const char *value)
{
	size_t size = strlen(value);
	const char *p;
	struct word w;

	while (next_word(&cmdline, &w)) {
		if (!word_is(&w, key, &p) || !p)
			continue;
		p += *p == '"';
		if ((size_t)(w.end - p) >= size && strncmp(p, value, size) == 0 &&
		    (p + size == w.end || p[size] == ',' || p[size] == '"'))
			return true;
	}
	return false;
}

/* Copy the value, without its quotes, into the buffer. A value that is too long is cut; the copy ends with NUL. */
static void copy_value(const struct word *value, char *buffer, size_t size)
{
	size_t n = 0;

	if (!size)
		return;
	for (const char *p = value->start; p < value->end && n + 1 < size; p++)
		if (*p != '"')
			buffer[n++] = *p;
	buffer[n] = '\0';
}

bool cmdline_get(const char *cmdline, const char *key, char *buffer, size_t size)
{
	const char *value;
	struct word w, last = { NULL, NULL };

	while (next_word(&cmdline, &w))
		if (word_is(&w, key, &value) && value)
			last = (struct word){ value, w.end };
	if (!last.start)
		return false;
	copy_value(&last, buffer, size);
	return true;
}

bool cmdline_next(const char **at, const char *key, char *buffer, size_t size)
{
	const char *value;
	struct word w;

	while (next_word(at, &w)) {
		if (!word_is(&w, key, &value) || !value)
			continue;
		copy_value(&(struct word){ value, w.end }, buffer, size);
		return true;
	}
	return false;
}

long cmdline_number(const char *cmdline, const char *key, long otherwise)
{
	char text[32]; /* room for any `long` in decimal, which has at most 20 characters */
	const char *p = text;
	long value = 0, sign = 1, base = 10;

	if (!cmdline_get(cmdline, key, text, sizeof(text)) || strlen(text) == sizeof(text) - 1)
		return otherwise;
	if (*p == '-') {
		sign = -1;
		p++;
	}
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		base = 16;
		p += 2;
	}
	if (!*p)
		return otherwise;
	for (; *p; p++) {
		long digit = (long)digit_value(*p);

		if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return otherwise;
	}
	return sign * value;
}

const char *cmdline_init_words(const char *cmdline)
{
	struct word w;

	while (next_word(&cmdline, &w))
		;
	while (is_space(*cmdline))
		cmdline++;
	return cmdline;
}
