/*
 * The content (the bytes) of a regular file: pages in frames, with holes, and perhaps bytes that stay in the initramfs
 * archive, where they are used in place. Only the kernel context (the kernel's own page tables) maps the frames; the
 * functions here load it for the time of the call. Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/fs/page_tree.h"
#include "kernel/mm/user/memory_object.h"

struct user_io;

#define CONTENT_MAX INT64_MAX /* most bytes of a content */

/*
 * The content of one regular file. Guard: tasks only, which the kernel does not preempt. Open sections (work without
 * the kernel lock, kernel/sync/open_section.h) may read the content once they have entered node->gate; so the holder of
 * the kernel lock closes that gate while it changes `pages`, `place_size`, or a page that the tree has not got yet. The
 * bytes of pages, and the node's size, may change at any time: as on Linux a read may see a part of a write.
 */
struct content {
	/* What mmap(2) maps: a reference to it is a reference to the node. Must be the first member. */
	struct memory_object object;
	struct node *node;      /* the file; node->size is the content's size, in bytes */
	struct page_tree pages; /* the pages that have frames */
	paddr_t place;          /* address of the file's bytes in the archive, for pages without a frame */
	uint64_t place_size;    /* how many bytes from the file's start are at `place`; 0: none */
	unsigned seals;         /* F_SEAL_… */
};

/* Initialise an empty content, for a node of size 0. */
void content_init(struct content *content, struct node *node);

/* Return how many pages `bytes` bytes take. */
static inline uint64_t content_pages(uint64_t bytes)
{
	return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

/* The number of frames of all contents together. */
extern uint64_t content_frames;

/* Let an empty content have the `size` bytes at `pa` without copying them; see tmpfs_use_in_place() (tmpfs.h). */
void content_use_in_place(struct content *content, paddr_t pa, uint64_t size);

/* Return the file whose content `object` is; NULL when `object` is NULL or not a file's content. */
struct node *content_node(const struct memory_object *object);

#define CONTENT_STEP 1024 /* most pages that are freed, or looked at to fill them, before other tasks may run */

/*
 * Free all frames. Of a large content only some are freed now; the current task frees the others on its way back to
 * user mode (kernel/sync/late_work.h).
 */
void content_free(struct content *content);

/*
 * Copy bytes between the content at *offset and user memory, `io`, and advance *offset. Returns the bytes copied, 0 at
 * the file's end; when none could be copied copy_errno()'s error, -EINVAL (the bytes asked for would end beyond
 * CONTENT_MAX), and for a write also -ENOMEM, -ENOSPC.
 * Writing beyond the end makes the file longer.
 */
int64_t content_read(struct content *content, struct user_io *io, uint64_t *offset);
int64_t content_write(struct content *content, struct user_io *io, uint64_t *offset);

/*
 * Do lseek(2)'s SEEK_DATA and SEEK_HOLE: content_next_data() returns the first offset, from `offset` on, that is not in
 * a hole, content_next_hole() the first that is in one; the file's end counts as a hole. -ENXIO: `offset` is at or
 * beyond the end, or only a hole follows.
 */
int64_t content_next_data(const struct content *content, int64_t offset);
int64_t content_next_hole(const struct content *content, int64_t offset);

/*
 * Get the physical page that holds page `index` and nothing else, and make it if there is none, with the page's bytes.
 * Call in the kernel context. Returns ERR_NO_MEMORY, or ERR_RANGE when the file system has reached its limit.
 */
MUST_CHECK enum status content_own_page(struct content *content, uint64_t index, paddr_t *ret);

/* Return the error number of a status of content_own_page(). */
static inline int content_errno(enum status status)
{
	return status == OK ? 0 : status == ERR_NO_MEMORY ? -ENOMEM : -ENOSPC;
}

/*
 * Go through up to CONTENT_STEP of the pages [*next, end), give those that have no memory of their own a frame, and
 * advance *next. The content keeps its size. Returns 0, also when pages are left; -ENOMEM, -ENOSPC, with *next the page
 * that got no frame.
 */
int content_fill_some(struct content *content, uint64_t *next, uint64_t end);

/*
 * Zero the `size` bytes from `offset` on, which must lie in one page; a hole stays a hole. Returns 0, -ENOMEM, -ENOSPC.
 */
int content_zero(struct content *content, uint64_t offset, uint64_t size);

/* Make the content shorter or longer. Pages beyond the new end are unmapped from all processes. Returns 0 or -EFBIG. */
int content_set_size(struct content *content, uint64_t size);

/*
 * Make the content shorter in several steps. content_cut_begin() sets the size; each content_cut_piece() unmaps or
 * frees some pages behind the new end, and returns whether there are more. Other tasks may run between the calls, but
 * must not write to the content or set its size. After the last step the caller calls object_cut_end(), and then
 * content_set_size(), which zeroes the last page behind the new end and sets the times.
 */
void content_cut_begin(struct content *content, uint64_t size, struct object_cut *cut);
bool content_cut_piece(struct content *content, struct object_cut *cut);

/*
 * Check the file's seals (fcntl(2), F_ADD_SEALS). Return 0; or -EPERM when they forbid a write to [offset, offset +
 * size), or forbid that the content gets the size `size`.
 */
int content_seals_permit_write(const struct content *content, uint64_t offset, uint64_t size);
int content_seals_permit_size(const struct content *content, uint64_t size);

/*
 * Do fcntl(2)'s F_ADD_SEALS on a file. Returns 0, -EPERM (not open for writing, or F_SEAL_SEAL is set), -EINVAL (an
 * unknown seal, or a file without content), -EBUSY (F_SEAL_WRITE, and there are shared mappings that could be written).
 */
int content_seals_add(struct file *file, unsigned seals);

/* Return the content of a regular file; NULL when its file system keeps none, or the node is something else. */
struct content *node_content(struct node *node);
