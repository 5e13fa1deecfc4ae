/*
 * The content of a regular file: pages in frames, with holes, and at first perhaps bytes that lie in the initramfs and
 * are used in place. Only the kernel context reaches the frames; these calls go there by themselves. Guard: the kernel,
 * one CPU, not preempted.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/fs/page_tree.h"
#include "kernel/mm/user/memory_object.h"

struct user_io;

#define CONTENT_MAX INT64_MAX /* most bytes of a content */

/* Guard: the kernel, one CPU, not preempted. */
struct content {
	struct memory_object object; /* must be the first member. What mmap(2) maps; to hold it is to hold the node */
	struct node *node;           /* whose content it is; node->size is the content's size, in bytes */
	struct page_tree pages;
	paddr_t place; /* where the first `place_size` bytes lie that `pages` has no frame for */
	uint64_t place_size;
};

/* Initialise an empty content, for a node of size 0. */
void content_init(struct content *content, struct node *node);

/* Return how many pages so many bytes take. */
static inline uint64_t content_pages(uint64_t bytes)
{
	return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

/* number of frames of all contents together */
extern uint64_t content_frames;

/* Give an empty content the bytes at `pa`: see tmpfs_use_in_place. */
void content_use_in_place(struct content *content, paddr_t pa, uint64_t size);

/* Return the node whose content `object` is; NULL: it is no file's. */
struct node *content_node(const struct memory_object *object);

/* Free all frames. */
void content_free(struct content *content);

/*
 * Move bytes between the content at *offset and `io`, and *offset on. Bytes moved, 0 at the end; copy_errno when none
 * could be; a write also -EFBIG, -ENOMEM, -ENOSPC (none were written). Writing beyond the end makes the file longer.
 */
int64_t content_read(struct content *content, struct user_io *io, uint64_t *offset);
int64_t content_write(struct content *content, struct user_io *io, uint64_t *offset);

/* Make the content shorter or longer. -EFBIG. Pages beyond the end leave all mappings. */
int content_set_size(struct content *content, uint64_t size);
