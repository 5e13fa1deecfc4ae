/*
 * Reads newc cpio archives in memory (Linux's Documentation/driver-api/early-userspace/buffer-format.rst): entry by
 * entry, several archives one after another, zeros between them. Believes nothing; copies nothing.
 */
#pragma once

#include "paging/types.h"

/* Half-read archive. cpio_start fills it. */
struct cpio {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t at;      /* where the next header, or padding before it, starts */
	uint32_t archive; /* trailers seen */
};

struct cpio_entry {
	uint64_t offset;  /* of its header in the archive */
	const char *name; /* without "/" and "./" in front; "" is the root itself */
	size_t name_size; /* without slashes at the end */
	uint64_t data;    /* offset of the content */
	uint32_t size;    /* bytes of content; of a symbolic link: of its target */
	uint32_t ino;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t links;
	uint32_t mtime; /* seconds since 1970 */
	uint32_t dev_major, dev_minor;
	uint32_t rdev_major, rdev_minor;
	uint32_t archive; /* counts trailers: numbers of inodes are one archive's own */
};

struct cpio_error {
	uint64_t offset;  /* in the archive */
	const char *what; /* "the magic is none of newc's" */
};

/* Start at the first of `size` bytes. They must stay. */
void cpio_start(struct cpio *cpio, const void *bytes, uint64_t size);

/*
 * The next entry. Trailers are skipped, and a name that would leave the root ("..") is an error.
 * Returns ERR_NOT_FOUND (the end; *ret and *ret_error as before), ERR_FORMAT (*ret_error says what and where; the
 * archive cannot be read on).
 */
MUST_CHECK enum status cpio_next(struct cpio *cpio, struct cpio_entry *ret, struct cpio_error *ret_error);
