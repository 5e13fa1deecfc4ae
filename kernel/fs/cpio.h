/*
 * Reads newc cpio archives in memory (Linux's Documentation/driver-api/early-userspace/buffer-format.rst): entry by
 * entry, several archives one after another, zeros between them. Every header is checked; entries point into the
 * archive, and nothing is copied.
 */
#pragma once

#include "paging/types.h"

/* The state of reading an archive. cpio_start fills it. */
struct cpio {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t at;      /* offset of the next header, or of padding before it */
	uint32_t archive; /* how many trailers (entries that end an archive) have been read */
};

/* One file of an archive. Guard: the caller that reads the archive. */
struct cpio_entry {
	uint64_t offset;  /* offset of the header in the archive */
	const char *name; /* without "/" and "./" in front; "" is the root itself */
	size_t name_size; /* without slashes at the end */
	uint64_t data;    /* offset of the content in the archive */
	uint32_t size;    /* bytes of content; of a symbolic link: of its target */
	uint32_t ino;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t links;
	uint32_t mtime; /* seconds since 1970 */
	uint32_t dev_major, dev_minor;
	uint32_t rdev_major, rdev_minor;
	uint32_t archive; /* how many archives ended before this entry: inode numbers are unique only in one archive */
};

struct cpio_error {
	uint64_t offset;  /* in the archive */
	const char *what; /* the message, such as "the name does not end with NUL" */
};

/* Start reading at the first of `size` bytes, which must stay valid as long as entries are used. */
void cpio_start(struct cpio *cpio, const void *bytes, uint64_t size);

/*
 * Read the next entry. Trailers are skipped, and a name that would leave the root ("..") is an error.
 * Returns ERR_NOT_FOUND at the end (*ret and *ret_error are as before), or ERR_FORMAT (*ret_error says what is wrong
 * and where; the rest of the archive cannot be read).
 */
MUST_CHECK enum status cpio_next(struct cpio *cpio, struct cpio_entry *ret, struct cpio_error *ret_error);
