/*
 * The ring of frames of a pipe; see pipe_ring.h.
 */
#include "kernel/fs/pipe_ring.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/least.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/string.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"

void pipe_ring_init(struct pipe_ring *ring, uint64_t size)
{
	ring->size = size;
	ring->frames = ring->own;
}

/* Free the frames of all pages from the tail's page to the head's: no other page has a frame. */
static void put_pages(struct pipe_ring *ring)
{
	for (uint64_t page = align_down(ring->tail, PAGE_SIZE); page <= ring->head; page += PAGE_SIZE) {
		paddr_t *frame = pipe_ring_frame(ring, page);

		if (frame->raw)
			store_put(*frame);
		*frame = paddr(0);
	}
}

void pipe_ring_free(struct pipe_ring *ring)
{
	put_pages(ring);
	kfree(ring->packets);
	if (ring->frames != ring->own)
		kfree(ring->frames);
}

uint64_t pipe_ring_memory(const struct pipe_ring *ring)
{
	const uint64_t first = align_down(ring->tail, PAGE_SIZE);
	uint64_t bytes = 0;

	/* In a full ring the head's page may have the same frame as the tail's page: count the frame once. */
	for (uint64_t page = first; page <= ring->head && page < first + ring->size; page += PAGE_SIZE)
		bytes += pipe_ring_frame(ring, page)->raw ? PAGE_SIZE : 0;
	return bytes;
}

/* Copy the ring's bytes into `frames`, from the start of the first one on. */
static void copy_out(const struct pipe_ring *ring, const paddr_t *frames)
{
	for (uint64_t at = ring->tail, done = 0, piece; at < ring->head; at += piece, done += piece) {
		const uint64_t from = at % PAGE_SIZE, to = done % PAGE_SIZE;

		piece = PAGE_SIZE - (from > to ? from : to);
		if (piece > ring->head - at)
			piece = ring->head - at;
		memcpy((uint8_t *)store_ptr(frames[done / PAGE_SIZE]) + to,
		       (const uint8_t *)store_ptr(*pipe_ring_frame(ring, at)) + from, piece);
	}
}

int pipe_ring_resize(struct pipe_ring *ring, uint64_t size)
{
	const uint64_t fill = pipe_ring_fill(ring), pages = (fill + PAGE_SIZE - 1) / PAGE_SIZE;
	const uint32_t slots = (uint32_t)(size / PAGE_SIZE);
	struct pipe_packets *packets = NULL;
	paddr_t *frames;

	if (fill > size || (ring->packets && ring->packets->count > slots))
		return -EBUSY;
	frames = kzalloc(slots * sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	if (ring->packets) {
		packets = pipe_packets_copy(ring->packets, slots);
		if (!packets)
			goto no_memory;
	}
	if (pages && frame_alloc_many(frame_cache_here(), pages, frames) != OK)
		goto no_memory;
	copy_out(ring, frames);
	pipe_ring_free(ring);
	*ring = (struct pipe_ring){ .head = fill, .size = size, .packets = packets, .frames = frames };
	if (size > PIPE_SIZE)
		return 0;
	memcpy(ring->own, frames, size / PAGE_SIZE * sizeof(*frames));
	ring->frames = ring->own;
	kfree(frames);
	return 0;

no_memory:
	kfree(packets);
	kfree(frames);
	return -ENOMEM;
}

void pipe_ring_advance(struct pipe_ring *ring, size_t bytes)
{
	uint64_t end = ring->tail + bytes;

	for (uint64_t page = align_down(ring->tail, PAGE_SIZE); page + PAGE_SIZE <= end; page += PAGE_SIZE) {
		paddr_t *frame = pipe_ring_frame(ring, page);

		if (ring->head > page + ring->size)
			continue;
		store_put(*frame);
		*frame = paddr(0);
	}
	ring->tail = end;
	if (unlikely(ring->packets))
		pipe_packets_pass(ring->packets, bytes);
}

uint64_t pipe_ring_take(struct pipe_ring *ring, uint64_t size)
{
	uint64_t end = ring->head + size;

	for (uint64_t page = align_down(ring->head, PAGE_SIZE); page < end; page += PAGE_SIZE) {
		paddr_t *frame = pipe_ring_frame(ring, page);

		if (!frame->raw && frame_alloc_4k(frame_cache_here(), frame) != OK)
			return page > ring->head ? page - ring->head : 0;
	}
	return size;
}

void pipe_ring_drop_unused(struct pipe_ring *ring, uint64_t end)
{
	const uint64_t first = align_down(ring->tail, PAGE_SIZE);

	/*
	 * The tail's page keeps its frame, which may have bytes to read. The page that is ring->size bytes further on
	 * has the same frame: stop before that page.
	 */
	for (uint64_t page = align_up(ring->head, PAGE_SIZE); page < end && page < first + ring->size;
	     page += PAGE_SIZE) {
		paddr_t *frame = pipe_ring_frame(ring, page);

		if (page == first || !frame->raw)
			continue;
		store_put(*frame);
		*frame = paddr(0);
	}
}

int64_t pipe_ring_write(struct pipe_ring *ring, struct user_io *io, uint64_t size, bool whole)
{
	const uint64_t end = ring->head + size;
	uint64_t room = pipe_ring_take(ring, size), done = 0;
	enum status status = OK;

	if (room < size && whole)
		room = 0;
	while (done < room && status == OK) {
		struct user_frames to = pipe_ring_frames(ring, ring->head + done);
		size_t moved;

		status = user_io_get_frames(io, &to, pipe_ring_row(ring, ring->head + done, room - done), &moved);
		done += moved;
	}
	if (status != OK && whole)
		done = 0;
	ring->head += done;
	if (done < size)
		pipe_ring_drop_unused(ring, end);
	if (done)
		return (int64_t)done;
	return room ? copy_errno(status) : -ENOMEM;
}

int64_t pipe_ring_put_small(struct pipe_ring *ring, struct user_io *io, size_t size)
{
	_Alignas(8) uint8_t bytes[PIPE_SMALL];
	enum status status = user_io_get_all(io, bytes, size);
	context_token_t token;
	bool there;

	if (unlikely(status != OK)) {
		wipe(bytes, size);
		return copy_errno(status);
	}
	token = store_enter();
	there = pipe_ring_frame(ring, ring->head)->raw || pipe_ring_take(ring, size) == size;
	if (likely(there)) {
		memcpy((uint8_t *)store_ptr(*pipe_ring_frame(ring, ring->head)) + ring->head % PAGE_SIZE, bytes, size);
		ring->head += size;
	}
	store_leave(token);
	wipe(bytes, size);
	return there ? (int64_t)size : -ENOMEM;
}

int64_t pipe_ring_copy_small(const struct pipe_ring *ring, struct user_io *io, size_t size)
{
	_Alignas(8) uint8_t bytes[PIPE_SMALL];
	context_token_t token = store_enter();
	enum status status;

	memcpy(bytes, (uint8_t *)store_ptr(*pipe_ring_frame(ring, ring->tail)) + ring->tail % PAGE_SIZE, size);
	store_leave(token);
	status = user_io_put_all(io, bytes, size);
	wipe(bytes, size);
	return status == OK ? (int64_t)size : copy_errno(status);
}

void pipe_ring_peek(const struct pipe_ring *ring, void *buffer, size_t size)
{
	for (size_t done = 0, piece; done < size; done += piece) {
		const uint64_t at = ring->tail + done;

		piece = least(PAGE_SIZE - at % PAGE_SIZE, size - done);
		memcpy((uint8_t *)buffer + done, (uint8_t *)store_ptr(*pipe_ring_frame(ring, at)) + at % PAGE_SIZE,
		       piece);
	}
}
