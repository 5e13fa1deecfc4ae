/*
 * What is in a regular file: pages in frames, with holes, and at first perhaps bytes that lie in the initramfs and are
 * used in place. Only the kernel context reaches any of it; these calls go there by themselves.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/fs/page_tree.h"
#include "kernel/mm/user/memory_object.h"

struct user_io;

#define CONTENT_MAX INT64_MAX /* bytes */

struct content {
	struct memory_object object; /* first: what mmap(2) maps. It is the node that it holds */
	struct node *node;           /* whose size is the content's */
	struct page_tree pages;
	paddr_t place; /* the file's first `place_size` bytes, where `pages` has no frame for them */
	uint64_t place_size;
};

/* Empty, for a node of size 0. */
void content_init(struct content *content, struct node *node);

/* Pages that so many bytes take. */
static inline uint64_t content_pages(uint64_t bytes)
{
	return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

/* Frames of all contents together. */
extern uint64_t content_frames;

/* For an empty one: tmpfs_use_in_place. */
void content_use_in_place(struct content *content, paddr_t pa, uint64_t size);

/* The node whose content `object` is; NULL: it is no file's. */
struct node *content_node(const struct memory_object *object);

/* Free all frames. */
void content_free(struct content *content);

/*
 * Move bytes between the content at *offset and `io`, and *offset on. Bytes moved, 0 at the end; copy_errno when none
 * could be; a write also -EFBIG, -ENOMEM, -ENOSPC (none were written). Writing beyond the end makes the file longer.
 */
int64_t content_read(struct content *content, struct user_io *io, uint64_t *offset);
int64_t content_write(struct content *content, struct user_io *io, uint64_t *offset);

/* Cut or lengthen. -EFBIG. Pages that somebody has mapped stay his. */
int content_set_size(struct content *content, uint64_t size);
