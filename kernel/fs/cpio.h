/*
 * Reads newc cpio archives (Linux's Documentation/driver-api/early-userspace/buffer-format.rst), several one after
 * another with zeros between them. The bytes come in pieces of any size: cpio_feed() gives the reader a piece, and
 * cpio_next() says what is in it. Every number of a header is checked before it is used.
 */
#pragma once

#include "kernel/fs/linux_file.h"
#include "paging/types.h"

/* A file of an archive. Guard: the caller that reads the archive. */
struct cpio_entry {
	uint64_t offset; /* of the header, from the first byte that was fed */
	const char *name;
	const char *target; /* of a symbolic link, without NUL: `size` bytes; otherwise NULL */
	const char *wrong;  /* why the entry cannot be used, such as "the name does not end with NUL"; or NULL */
	uint32_t size;      /* bytes of content; of a symbolic link: of its target */
	uint32_t ino;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t links;
	uint32_t mtime; /* seconds since 1970 */
	uint32_t dev_major, dev_minor;
	uint32_t rdev_major, rdev_minor;
	uint32_t sum; /* if `summed`: the sum of the content's bytes */
	bool summed;  /* the format is 070702 */
};

/* What cpio_next() has found. */
enum cpio_event {
	CPIO_MORE,    /* nothing: all that was fed is used up */
	CPIO_ENTRY,   /* an entry begins: cpio->entry; name and target are valid until the next call */
	CPIO_CONTENT, /* a piece of the entry's content: cpio->piece, cpio->piece_size */
	CPIO_END,     /* the entry is complete */
	CPIO_TRAILER, /* an archive ends: inode numbers may occur again for other files */
	CPIO_OTHER,   /* between archives, at cpio->at, something else begins: what is left was not used */
	CPIO_DAMAGE,  /* the entry at cpio->entry.offset cannot be read, and so nothing after it: cpio->damage */
};

enum cpio_state { CPIO_BETWEEN, CPIO_HEADER, CPIO_NAME, CPIO_BODY, CPIO_PADDING };

#define CPIO_HEADER_SIZE 110

/* The state of reading, which cpio_start() sets. The caller supplies its 8 KiB. Guard: the caller. */
struct cpio {
	const uint8_t *bytes; /* what was fed and is not used yet */
	uint64_t size;        /* bytes of it */
	uint64_t at;          /* how many bytes were used before, since cpio_start() */
	enum cpio_state state;
	uint64_t left; /* CPIO_BODY, CPIO_PADDING: how many bytes are still to come */
	struct cpio_entry entry;
	uint32_t name_size; /* with its NUL */
	bool trailer;       /* the entry is the one that ends an archive */
	bool silent;        /* the entry's content is passed over without CPIO_CONTENT */
	const uint8_t *piece;
	uint64_t piece_size;
	const char *damage;
	size_t held;                    /* bytes of `text` */
	uint8_t text[2 * PATH_MAX + 8]; /* a header, or a name with its target, that comes in parts */
};

/* Start to read: nothing was fed yet. */
void cpio_start(struct cpio *cpio);

/* Give the reader the next bytes, after CPIO_MORE. They must stay valid until it comes again. */
void cpio_feed(struct cpio *cpio, const void *bytes, uint64_t size);

/* Say what comes next. After CPIO_OTHER and CPIO_DAMAGE it must not be called again. */
enum cpio_event cpio_next(struct cpio *cpio);

/* Say in which part of an entry the archive ends, when nothing more is fed; NULL: in none, as it should. */
const char *cpio_cut(const struct cpio *cpio);

/* Say what begins with these bytes instead of a newc header: a message, which names packers by their magic numbers. */
const char *cpio_magic(const uint8_t *bytes, uint64_t size);
