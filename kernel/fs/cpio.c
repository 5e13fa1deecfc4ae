/*
 * Reads cpio archives; see cpio.h. The reader is a state machine: between entries, in a header, in a name (and a
 * symbolic link's target), in the content, in the padding up to a multiple of four bytes.
 */
#include "kernel/fs/cpio.h"

#include "kernel/lib/least.h"
#include "kernel/lib/string.h"

#define MAGIC_SIZE 6
#define TRAILER    "TRAILER!!!"

/* The header's 13 fields of 8 hexadecimal digits, in their order. */
enum field { INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, DEVMAJOR, DEVMINOR, RDEVMAJOR, RDEVMINOR, NAMESIZE, CHECK };
#define FIELDS 13

#define ONLY_GZIP(packer) "the archive is compressed with " packer ": only gzip's compression is known here"

/* Formats that this reader refuses: their first bytes, by which it recognises them, and the message for each. */
static const struct {
	const char *magic;
	size_t size;
	const char *what;
} others[] = {
	{ "\x1f\x8b", 2, "the archive is compressed with gzip, inside one that was" },
	{ "\x28\xb5\x2f\xfd", 4, ONLY_GZIP("zstd") },
	{ "\xfd"
	  "7zXZ",
	  5, ONLY_GZIP("xz") },
	{ "BZh", 3, ONLY_GZIP("bzip2") },
	{ "\x02\x21\x4c\x18", 4, ONLY_GZIP("lz4 (its old format)") },
	{ "\x04\x22\x4d\x18", 4, ONLY_GZIP("lz4") },
	{ "\x5d\x00\x00", 3, ONLY_GZIP("lzma") },
	{ "\x89LZO", 4, ONLY_GZIP("lzop") },
	{ "LZIP", 4, ONLY_GZIP("lzip") },
	{ "\x1f\x9d", 2, ONLY_GZIP("compress (.Z)") },
	{ "\x1f\x1e", 2, ONLY_GZIP("pack (.z)") },
	{ "PK\x03\x04", 4, ONLY_GZIP("zip") },
	{ "hsqs", 4, "a squashfs file system; a newc cpio archive is needed" },
	{ "sqsh", 4, "a squashfs file system; a newc cpio archive is needed" },
	{ "070707", 6, "a cpio archive in the old portable format; newc is needed" },
	{ "\xc7\x71", 2, "a cpio archive in the old binary format; newc is needed" },
	{ "\x71\xc7", 2, "a cpio archive in the old binary format; newc is needed" },
};

void cpio_start(struct cpio *cpio)
{
	cpio->bytes = NULL;
	cpio->size = cpio->at = cpio->held = 0;
	cpio->state = CPIO_BETWEEN;
	cpio->damage = NULL;
}

void cpio_feed(struct cpio *cpio, const void *bytes, uint64_t size)
{
	cpio->bytes = bytes;
	cpio->size = size;
}

const char *cpio_magic(const uint8_t *bytes, uint64_t size)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (size >= others[i].size && memcmp(bytes, others[i].magic, others[i].size) == 0)
			return others[i].what;
	return "no newc header: its magic is neither 070701 nor 070702";
}

static void use(struct cpio *cpio, uint64_t size)
{
	cpio->bytes += size;
	cpio->size -= size;
	cpio->at += size;
}

/*
 * Take `size` bytes as one piece: where the caller fed them or, when they came in several parts, a copy in cpio->text.
 * Returns NULL while some of them were not fed yet.
 */
static const uint8_t *take(struct cpio *cpio, size_t size)
{
	const uint8_t *bytes = cpio->bytes;
	size_t part = least(size - cpio->held, cpio->size);

	if (cpio->held || part < size) {
		memcpy(cpio->text + cpio->held, bytes, part);
		bytes = cpio->text;
	}
	cpio->held += part;
	use(cpio, part);
	if (cpio->held < size)
		return NULL;
	cpio->held = 0;
	return bytes;
}

static bool read_fields(const uint8_t *digits, uint32_t ret[FIELDS])
{
	for (int field = 0; field < FIELDS; field++) {
		uint32_t value = 0;

		for (int i = 0; i < 8; i++) {
			uint8_t c = *digits++;
			uint32_t digit;

			if (c >= '0' && c <= '9')
				digit = c - '0';
			else if ((c | 32) >= 'a' && (c | 32) <= 'f')
				digit = (c | 32) - 'a' + 10U;
			else
				return false;
			value = value << 4 | digit;
		}
		ret[field] = value;
	}
	return true;
}

/* Return how many bytes of padding follow `size` bytes, a header and what belongs to it, up to a multiple of four. */
static uint64_t padding(uint64_t size)
{
	return align_up(size, 4) - size;
}

static bool is_link(const struct cpio_entry *entry)
{
	return (entry->mode & S_IFMT) == S_IFLNK;
}

/* Read a header. Returns NULL, or what is wrong. */
static const char *read_header(struct cpio *cpio, const uint8_t *header)
{
	bool summed = memcmp(header, "070702", MAGIC_SIZE) == 0;
	struct cpio_entry *entry = &cpio->entry;
	uint32_t f[FIELDS];

	if (!summed && memcmp(header, "070701", MAGIC_SIZE) != 0)
		return cpio_magic(header, CPIO_HEADER_SIZE);
	if (!read_fields(header + MAGIC_SIZE, f))
		return "a header field is no hexadecimal number";
	*entry = (struct cpio_entry){
		.offset = entry->offset,
		.name = "",
		.size = f[FILESIZE],
		.ino = f[INO],
		.mode = f[MODE],
		.uid = f[UID],
		.gid = f[GID],
		.links = f[NLINK],
		.mtime = f[MTIME],
		.dev_major = f[DEVMAJOR],
		.dev_minor = f[DEVMINOR],
		.rdev_major = f[RDEVMAJOR],
		.rdev_minor = f[RDEVMINOR],
		.sum = f[CHECK],
		.summed = summed,
	};
	cpio->name_size = f[NAMESIZE];
	cpio->trailer = cpio->silent = false;
	if (!cpio->name_size || cpio->name_size > PATH_MAX)
		entry->wrong = "the name's size is 0 or above 4096";
	else if (is_link(entry) && entry->size > PATH_MAX)
		entry->wrong = "a symbolic link's target of more than 4096 bytes";
	return NULL;
}

/* Return how many bytes of the entry, after its header, are taken at once: the name, and a symbolic link's target. */
static uint64_t text_size(const struct cpio *cpio)
{
	uint64_t size = cpio->name_size;

	size += padding(CPIO_HEADER_SIZE + size);
	return is_link(&cpio->entry) && !cpio->entry.wrong ? size + cpio->entry.size : size;
}

/*
 * Read an entry's name, and a symbolic link's target, from `text`. Returns CPIO_ENTRY or, at an archive's end,
 * CPIO_TRAILER.
 */
static enum cpio_event read_name(struct cpio *cpio, const uint8_t *text)
{
	struct cpio_entry *entry = &cpio->entry;

	cpio->left = entry->size;
	if (is_link(entry) && !entry->wrong) {
		entry->target = (const char *)text + text_size(cpio) - entry->size;
		cpio->left = 0;
	}
	if (text[cpio->name_size - 1]) {
		entry->wrong = "the name does not end with NUL";
	} else {
		entry->name = (const char *)text;
		cpio->trailer = cpio->silent = strcmp(entry->name, TRAILER) == 0;
	}
	cpio->state = CPIO_BODY;
	return cpio->trailer ? CPIO_TRAILER : CPIO_ENTRY;
}

/* Read an entry's name, which follows the header. Returns CPIO_MORE while a part of it was not fed yet. */
static enum cpio_event take_name(struct cpio *cpio)
{
	const uint8_t *text;

	if (!cpio->name_size || cpio->name_size > PATH_MAX) {
		/* A name of a size that is refused is skipped together with the content. */
		cpio->left = text_size(cpio) + cpio->entry.size;
		cpio->silent = true;
		cpio->state = CPIO_BODY;
		return CPIO_ENTRY;
	}
	text = take(cpio, text_size(cpio));
	return text ? read_name(cpio, text) : CPIO_MORE;
}

static enum cpio_event take_header(struct cpio *cpio)
{
	const uint8_t *header = take(cpio, CPIO_HEADER_SIZE);

	if (!header)
		return CPIO_MORE;
	cpio->damage = read_header(cpio, header);
	cpio->state = CPIO_NAME;
	return cpio->damage ? CPIO_DAMAGE : CPIO_ENTRY;
}

/*
 * Use up the fed bytes that belong to the content. Returns whether they, cpio->piece, are to be reported as
 * CPIO_CONTENT.
 */
static bool take_content(struct cpio *cpio)
{
	cpio->piece = cpio->bytes;
	cpio->piece_size = least(cpio->left, cpio->size);
	cpio->left -= cpio->piece_size;
	use(cpio, cpio->piece_size);
	return cpio->piece_size && !cpio->silent;
}

/* Go from the end of the content to the padding behind it. */
static void end_content(struct cpio *cpio)
{
	cpio->left = padding(cpio->at - cpio->entry.offset);
	cpio->state = CPIO_PADDING;
}

/* Skip zeros in front of a header. Returns false when something else than a header begins. */
static bool find_header(struct cpio *cpio)
{
	while (cpio->size && !*cpio->bytes)
		use(cpio, 1);
	if (!cpio->size)
		return true;
	if (*cpio->bytes != '0')
		return false;
	cpio->entry.offset = cpio->at;
	cpio->state = CPIO_HEADER;
	return true;
}

enum cpio_event cpio_next(struct cpio *cpio)
{
	enum cpio_event event;

	for (;;) {
		switch (cpio->state) {
		case CPIO_PADDING:
			(void)take_content(cpio);
			if (cpio->left)
				return CPIO_MORE;
			cpio->state = CPIO_BETWEEN;
			break;
		case CPIO_BETWEEN:
			if (!find_header(cpio))
				return CPIO_OTHER;
			if (cpio->state == CPIO_BETWEEN)
				return CPIO_MORE;
			break;
		case CPIO_HEADER:
			event = take_header(cpio);
			if (event != CPIO_ENTRY)
				return event;
			break;
		case CPIO_NAME:
			return take_name(cpio);
		case CPIO_BODY:
			if (take_content(cpio))
				return CPIO_CONTENT;
			if (cpio->left)
				return CPIO_MORE;
			end_content(cpio);
			if (!cpio->trailer)
				return CPIO_END;
			break;
		}
	}
}

const char *cpio_cut(const struct cpio *cpio)
{
	switch (cpio->state) {
	case CPIO_HEADER:
		return "the archive ends inside a header";
	case CPIO_NAME:
		return "the archive ends inside a name";
	case CPIO_BODY:
		return "the archive ends inside a file's content";
	default:
		return NULL;
	}
}
