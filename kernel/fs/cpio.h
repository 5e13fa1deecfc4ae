/*
 * Reads newc cpio archives (Linux's Documentation/driver-api/early-userspace/buffer-format.rst), several one after
 * another with zeros between them. The bytes come in pieces of any size: cpio_feed() gives the reader a piece, and
 * cpio_next() says what is in it. Every number of a header is checked before it is used.
 */
#pragma once

#include "kernel/fs/linux_file.h"
#include "paging/types.h"

/* An entry of an archive, which is a file. Guard: the caller that reads the archive. */
struct cpio_entry {
	uint64_t offset; /* where the header is, counted from the first byte that was fed */
	const char *name;
	const char *target; /* a symbolic link's target, `size` bytes without a NUL; NULL for other files */
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
	bool summed;  /* the entry's format is 070702, which has a sum */
};

/* What cpio_next() has found. */
enum cpio_event {
	CPIO_MORE,    /* nothing more: all bytes that were fed are used up */
	CPIO_ENTRY,   /* an entry begins: cpio->entry; name and target are valid until the next call */
	CPIO_CONTENT, /* a piece of the entry's content: cpio->piece, cpio->piece_size */
	CPIO_END,     /* the entry is complete */
	CPIO_TRAILER, /* an archive ends: inode numbers may occur again for other files */
	/* the bytes at cpio->at, where an entry may begin, are no entry; they and all behind them are not used */
	CPIO_OTHER,
	CPIO_DAMAGE, /* the entry at cpio->entry.offset cannot be read, nor anything behind it; cpio->damage says why */
};

enum cpio_state { CPIO_BETWEEN, CPIO_HEADER, CPIO_NAME, CPIO_BODY, CPIO_PADDING };

#define CPIO_HEADER_SIZE 110

/* The state of a reader, which cpio_start() sets. The caller supplies the memory for it, 8 KiB. Guard: the caller. */
struct cpio {
	const uint8_t *bytes; /* the bytes that were fed and are not used yet */
	uint64_t size;        /* how many bytes those are */
	uint64_t at;          /* how many bytes were used since cpio_start() */
	enum cpio_state state;
	uint64_t left; /* CPIO_BODY, CPIO_PADDING: how many bytes are still to come */
	struct cpio_entry entry;
	uint32_t name_size; /* bytes of the name, with its NUL */
	bool trailer;       /* the entry is the one that ends an archive */
	bool silent;        /* the entry's content is passed over without CPIO_CONTENT */
	const uint8_t *piece;
	uint64_t piece_size;
	const char *damage;
	size_t held;                    /* how many bytes `text` holds */
	uint8_t text[2 * PATH_MAX + 8]; /* a header, or a name with its target, that comes in parts */
};

/* Set the reader to the start of its input, with no bytes fed yet. */
void cpio_start(struct cpio *cpio);

/* Give the reader the next bytes, after CPIO_MORE. They must stay valid until cpio_next() returns CPIO_MORE again. */
void cpio_feed(struct cpio *cpio, const void *bytes, uint64_t size);

/* Return what comes next in the fed bytes. Must not be called again after it has returned CPIO_OTHER or CPIO_DAMAGE. */
enum cpio_event cpio_next(struct cpio *cpio);

/*
 * Return a message that says in which part of an entry the archive is cut off, when no more bytes follow; NULL: it is
 * complete.
 */
const char *cpio_cut(const struct cpio *cpio);

/*
 * Return a message that says what, instead of a newc header, begins with these bytes; it knows packers by their magic
 * numbers.
 */
const char *cpio_magic(const uint8_t *bytes, uint64_t size);
