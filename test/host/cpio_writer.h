/*
 * Makes newc archives for tests.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct cpio_writer {
	uint8_t *bytes;
	size_t size; /* so far */
};

struct cpio_file {
	const char *name;
	uint32_t mode, ino, links, uid, gid, mtime, rdev_major, rdev_minor;
	const void *data;
	size_t size;
};

static inline void cpio_pad(struct cpio_writer *w, size_t to)
{
	while (w->size % to)
		w->bytes[w->size++] = 0;
}

static inline void cpio_write(struct cpio_writer *w, const struct cpio_file *f)
{
	uint32_t name_size = (uint32_t)strlen(f->name) + 1;
	char header[128];

	snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", f->ino, f->mode,
		 f->uid, f->gid, f->links, f->mtime, (uint32_t)f->size, 0, 0, f->rdev_major, f->rdev_minor, name_size,
		 0);
	memcpy(w->bytes + w->size, header, 110);
	w->size += 110;
	memcpy(w->bytes + w->size, f->name, name_size);
	w->size += name_size;
	cpio_pad(w, 4);
	if (f->size)
		memcpy(w->bytes + w->size, f->data, f->size);
	w->size += f->size;
	cpio_pad(w, 4);
}

static inline void cpio_trailer(struct cpio_writer *w)
{
	cpio_write(w, &(struct cpio_file){ .name = "TRAILER!!!", .links = 1 });
}
