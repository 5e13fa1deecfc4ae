/*
 * The packets in a pipe's ring (O_DIRECT, pipe(2)): which of its bytes were written as packets, so that a read gets one
 * at the most, and drops what it has no room for. The other bytes of the ring are plain. Each packet needs one of as
 * many slots as the ring has pages, so that a ring takes as many packets as a pipe of Linux, whose packets have a page
 * each. Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "paging/types.h"

struct pipe_ring;
struct user_io;

struct pipe_packet {
	uint32_t plain; /* number of plain bytes between the packet before this one, or the ring's tail, and this one */
	uint32_t size;  /* bytes of the packet that are in the ring still; 0 never */
};

/* The packets in one ring. Guard: tasks only, which the kernel does not preempt. */
struct pipe_packets {
	uint32_t slots, count; /* how many packets there is room for, and how many there are */
	uint32_t first;        /* the oldest packet's slot; newer packets follow in order, slot 0 after the last slot */
	uint64_t covered;      /* number of bytes up to the last packet's end: the sum of all `plain` and `size` */
	struct pipe_packet slot[]; /* `slots` of them */
};

/*
 * Write packets of up to PIPE_BUF bytes each, all bytes that `io` has, or as many packets as there are slots for and
 * `room` bytes have room for. Bytes that fit into the page of the plain bytes before them become plain, too. Call
 * between store_enter() and store_leave(). Returns bytes; or, with none written, -EAGAIN, -ENOMEM, or copy_errno()'s
 * error.
 */
int64_t pipe_packets_write(struct pipe_ring *ring, struct user_io *io, uint64_t room);

/* Forget the first `bytes` bytes of the ring, which are read. */
void pipe_packets_pass(struct pipe_packets *packets, uint64_t bytes);

/* Return a copy with `slots` slots, to be freed with kfree(); NULL: no memory. packets->count must not be larger. */
struct pipe_packets *pipe_packets_copy(const struct pipe_packets *packets, uint32_t slots);

/* Return whether no packet can be added; `packets` may be NULL: no packet has been written yet. */
static inline bool pipe_packets_full(const struct pipe_packets *packets)
{
	return packets && packets->count == packets->slots;
}

/* Return the oldest packet, or NULL when there are only plain bytes. */
static inline const struct pipe_packet *pipe_packets_first(const struct pipe_packets *packets)
{
	return packets->count ? &packets->slot[packets->first] : NULL;
}
