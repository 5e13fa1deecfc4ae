/*
 * Reads cpio archives. Every number in a header is checked against the archive's end before it is used.
 */
#include "kernel/fs/cpio.h"

#include "kernel/fs/linux_file.h"
#include "kernel/lib/string.h"

#define HEADER_SIZE 110
#define MAGIC_SIZE  6
#define TRAILER     "TRAILER!!!"

/* The header's 13 fields of 8 hexadecimal digits, in their order. */
enum field { INO, MODE, UID, GID, NLINK, MTIME, FILESIZE, DEVMAJOR, DEVMINOR, RDEVMAJOR, RDEVMINOR, NAMESIZE, CHECK };
#define FIELDS 13

/* Formats that are not read here, recognised by their first bytes, and the error message for each. */
static const struct {
	const char *magic;
	size_t size;
	const char *what;
} packed[] = {
	{ "\x1f\x8b", 2, "the archive is compressed with gzip" },
	{ "\x28\xb5\x2f\xfd", 4, "the archive is compressed with zstd: only gzip's compression is known here" },
	{ "\xfd"
	  "7zXZ",
	  5, "the archive is compressed with xz: only gzip's compression is known here" },
	{ "BZh", 3, "the archive is compressed with bzip2: only gzip's compression is known here" },
	{ "\x02\x21\x4c\x18", 4, "the archive is compressed with lz4: only gzip's compression is known here" },
	{ "\x5d\x00\x00", 3, "the archive is compressed with lzma: only gzip's compression is known here" },
	{ "070707", 6, "a cpio archive in the old portable format; newc is needed" },
	{ "\xc7\x71", 2, "a cpio archive in the old binary format; newc is needed" },
};

void cpio_start(struct cpio *cpio, const void *bytes, uint64_t size)
{
	*cpio = (struct cpio){ .bytes = bytes, .size = size };
}

static enum status fail(struct cpio_error *ret_error, uint64_t offset, const char *what)
{
	*ret_error = (struct cpio_error){ offset, what };
	return ERR_FORMAT;
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

static const char *name_magic(const uint8_t *bytes, uint64_t size)
{
	for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
		if (size >= packed[i].size && memcmp(bytes, packed[i].magic, packed[i].size) == 0)
			return packed[i].what;
	return "no newc header: its magic is neither 070701 nor 070702";
}

/* Return whether a component of the name is "..". */
static bool leaves_root(const char *name)
{
	while (*name) {
		size_t size = 0;

		while (name[size] && name[size] != '/')
			size++;
		if (size == 2 && name[0] == '.' && name[1] == '.')
			return true;
		name += size;
		while (*name == '/')
			name++;
	}
	return false;
}

/* Cut slashes and "./" from the front of the name, and slashes from its end. */
static void trim_name(struct cpio_entry *entry)
{
	const char *name = entry->name;

	for (;;) {
		if (*name == '/')
			name++;
		else if (name[0] == '.' && (name[1] == '/' || !name[1]))
			name++;
		else
			break;
	}
	entry->name = name;
	entry->name_size = strlen(name);
	while (entry->name_size && name[entry->name_size - 1] == '/')
		entry->name_size--;
}

/*
 * Read a header and the name behind it, and skip the file's content, which follows. cpio->at must be at the header's
 * first byte; afterwards it is behind the content.
 */
static enum status read_entry(struct cpio *cpio, struct cpio_entry *entry, struct cpio_error *ret_error)
{
	uint64_t offset = cpio->at, left = cpio->size - offset;
	const uint8_t *header = cpio->bytes + offset;
	uint32_t f[FIELDS];
	uint64_t name_end;

	if (left < MAGIC_SIZE ||
	    (memcmp(header, "070701", MAGIC_SIZE) != 0 && memcmp(header, "070702", MAGIC_SIZE) != 0))
		return fail(ret_error, offset, name_magic(header, left));
	if (left < HEADER_SIZE)
		return fail(ret_error, offset, "the archive ends inside a header");
	if (!read_fields(header + MAGIC_SIZE, f))
		return fail(ret_error, offset, "a header field is no hexadecimal number");
	if (!f[NAMESIZE] || f[NAMESIZE] > PATH_MAX)
		return fail(ret_error, offset, "the name's size is 0 or above 4096");
	name_end = offset + HEADER_SIZE + f[NAMESIZE];
	if (name_end > cpio->size)
		return fail(ret_error, offset, "the archive ends inside a name");
	if (cpio->bytes[name_end - 1])
		return fail(ret_error, offset, "the name does not end with NUL");
	*entry = (struct cpio_entry){
		.offset = offset,
		.name = (const char *)header + HEADER_SIZE,
		.data = align_up(name_end, 4),
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
		.archive = cpio->archive,
	};
	if (entry->size && (entry->data > cpio->size || entry->size > cpio->size - entry->data))
		return fail(ret_error, offset, "the archive ends inside a file's content");
	cpio->at = align_up(entry->data + entry->size, 4);
	if (cpio->at > cpio->size)
		cpio->at = cpio->size;
	return OK;
}

enum status cpio_next(struct cpio *cpio, struct cpio_entry *ret, struct cpio_error *ret_error)
{
	for (;;) {
		struct cpio_entry entry;
		enum status status;

		while (cpio->at < cpio->size && !cpio->bytes[cpio->at])
			cpio->at++;
		if (cpio->at == cpio->size)
			return ERR_NOT_FOUND;
		status = read_entry(cpio, &entry, ret_error);
		if (status != OK)
			return status;
		if (strcmp(entry.name, TRAILER) == 0) {
			cpio->archive++;
			continue;
		}
		if (leaves_root(entry.name))
			return fail(ret_error, entry.offset, "a name leads out of the root");
		trim_name(&entry);
		*ret = entry;
		return OK;
	}
}
