/*
 * The bytes in a pipe: a ring of frames. Positions count bytes since the ring was made or resized, and only grow; a
 * byte is written at `head` and read at `tail`. A page's frame is allocated when its first byte is written and freed
 * when its last one is read, so a ring without bytes has at most one frame. Only the kernel context (the kernel's own
 * page tables) maps the frames: call the functions of pipe_ring.c between store_enter() and store_leave(), except those
 * that say "in any context". Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/content_memory.h"
#include "kernel/fs/pipe_packets.h"
#include "kernel/mm/user/user_io.h"

#define PIPE_SIZE   65536                   /* Linux's size of a new pipe: bytes */
#define PIPE_FRAMES (PIPE_SIZE / PAGE_SIZE) /* PIPE_SIZE in pages */

/* The bytes of one pipe. Guard: tasks only, which the kernel does not preempt. */
struct pipe_ring {
	uint64_t head;                /* how many bytes have been written */
	uint64_t tail;                /* how many bytes have been read */
	uint64_t size;                /* bytes that there is room for; a power of two, a page at least */
	struct pipe_packets *packets; /* which bytes are packets; NULL: none, and none was ever written */
	paddr_t *frames;              /* `own`, or in the heap: page n's frame, or 0, is at n % (size / PAGE_SIZE) */
	paddr_t own[PIPE_FRAMES];     /* for rings of up to PIPE_SIZE */
};

/* Initialise a ring, which must be all zeros, for `size` bytes, PIPE_SIZE at the most. Call in any context. */
void pipe_ring_init(struct pipe_ring *ring, uint64_t size);

/* Free all frames and the list of packets, and the array `frames` if it is in the heap. */
void pipe_ring_free(struct pipe_ring *ring);

/* Return how many bytes of memory the frames take. Call in any context. */
uint64_t pipe_ring_memory(const struct pipe_ring *ring);

/*
 * Give the ring room for `size` bytes, a power of two, a page at least. Its bytes are copied to new frames. Returns 0;
 * or, with the ring as before, -EBUSY (the ring has more bytes, or more packets than `size` has pages) or
 * -ENOMEM.
 */
int pipe_ring_resize(struct pipe_ring *ring, uint64_t size);

/*
 * Advance the tail over bytes that have been read, and free the frames of pages that are read to their end, unless the
 * head has come round and uses the frame again.
 */
void pipe_ring_advance(struct pipe_ring *ring, size_t bytes);

/*
 * Allocate the frames that bytes [head, head + size) lack. Returns how many of these bytes, from `head` on, have frames
 * now.
 */
uint64_t pipe_ring_take(struct pipe_ring *ring, uint64_t size);

/* Free the frames that were allocated for bytes up to `end` and not written to. */
void pipe_ring_drop_unused(struct pipe_ring *ring, uint64_t end);

/*
 * Write `size` bytes of the user's, for which the ring must have room, or as many as frames can be allocated for. With
 * `whole` all are written, or none. Returns how many; or, with none written, -ENOMEM or copy_errno()'s error.
 */
int64_t pipe_ring_write(struct pipe_ring *ring, struct user_io *io, uint64_t size, bool whole);

#define PIPE_SMALL 256 /* most bytes that are copied through a buffer on the stack */

/*
 * Write (put), or read without advancing the tail (copy), all of `size` bytes, PIPE_SMALL at the most, which lie in one
 * page of the ring; or nothing: returns `size`, copy_errno()'s error, or -ENOMEM. Call in the context of the current
 * task's process.
 */
int64_t pipe_ring_put_small(struct pipe_ring *ring, struct user_io *io, size_t size);
int64_t pipe_ring_copy_small(const struct pipe_ring *ring, struct user_io *io, size_t size);

/* Copy the oldest `size` bytes, which the ring must have, to `buffer`; they stay in the ring. */
void pipe_ring_peek(const struct pipe_ring *ring, void *buffer, size_t size);

static inline uint64_t pipe_ring_fill(const struct pipe_ring *ring)
{
	return ring->head - ring->tail;
}

static inline paddr_t *pipe_ring_frame(const struct pipe_ring *ring, uint64_t position)
{
	return &ring->frames[(position & (ring->size - 1)) / PAGE_SIZE];
}

/* Return how many bytes, at most `most`, follow from `position` on before the ring starts again at its first frame. */
static inline size_t pipe_ring_row(const struct pipe_ring *ring, uint64_t position, uint64_t most)
{
	uint64_t row = ring->size - (position & (ring->size - 1));

	return row < most ? row : most;
}

/* Return the ring's frames for a copy that starts at `position` and has at most pipe_ring_row() bytes. */
static inline struct user_frames pipe_ring_frames(const struct pipe_ring *ring, uint64_t position)
{
	return (struct user_frames){ store_ptr(paddr(0)), ring->frames, position & (ring->size - 1) };
}
