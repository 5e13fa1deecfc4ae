/*
 * The queue of what a socket has to read: a ring of frames with the bytes, and a list of segments that say where
 * messages begin and what came with them. Small pieces are copied through a buffer on the stack, as pipes copy theirs.
 */
#include "kernel/mm/heap/heap.h"
#include "kernel/net/unix_internal.h"

#define SEGMENT_COST 512  /* bytes that a segment counts as, so that messages without bytes fill the queue, too */
#define CROWDED      8192 /* what SO_SNDBUF is lowered to when all queues together use more than ALL_SOFT */
#define ALL_SOFT     (64ULL << 20)

/*
 * What all queues use: their bytes, and SEGMENT_COST for each segment. Guard: tasks only, which the kernel does not
 * preempt.
 */
static uint64_t all_used;

void unix_queue_init(struct unix_queue *queue)
{
	*queue = (struct unix_queue){ 0 };
	pipe_ring_init(&queue->ring, PIPE_SIZE);
	list_init(&queue->segments);
	list_init(&queue->passing);
}

void unix_queue_drop_files(struct unix_segment *segment)
{
	if (!segment->passed)
		return;
	list_remove(&segment->in_passing);
	passed_land(segment->passed);
	passed_drop(segment->passed);
	segment->passed = NULL;
}

static void end_segment(struct unix_queue *queue, struct unix_segment *segment)
{
	list_remove(&segment->link);
	queue->count--;
	all_used -= SEGMENT_COST;
	unix_queue_drop_files(segment);
	unix_name_put(segment->name);
	kfree(segment);
}

void unix_queue_free(struct unix_queue *queue)
{
	context_token_t token = store_enter();

	all_used -= unix_queue_bytes(queue);
	pipe_ring_free(&queue->ring);
	store_leave(token);
	for (struct unix_segment *first; (first = unix_queue_first(queue));)
		end_segment(queue, first);
	unix_queue_init(queue);
}

uint64_t unix_queue_room(const struct unix_queue *queue, uint64_t limit)
{
	uint64_t used = unix_queue_bytes(queue) + queue->count * SEGMENT_COST;

	if (all_used > ALL_SOFT && limit > CROWDED)
		limit = CROWDED;
	return used < limit ? limit - used : 0;
}

/* ---- writing ---- */

/* Make the ring large enough for `size` more bytes. */
static int make_room(struct unix_queue *queue, uint64_t size)
{
	const uint64_t tail = queue->ring.tail;
	uint64_t wanted = queue->ring.size;
	context_token_t token;
	int error;

	while (wanted - unix_queue_bytes(queue) < size)
		wanted *= 2;
	if (likely(wanted == queue->ring.size))
		return 0;
	token = store_enter();
	error = pipe_ring_resize(&queue->ring, wanted);
	store_leave(token);
	if (error)
		return error;
	/* The new ring counts positions from its oldest byte on. */
	LIST_EACH(&queue->segments, struct unix_segment, link, segment) {
		segment->start -= tail;
		segment->end -= tail;
	}
	return 0;
}

static int64_t put_bytes(struct pipe_ring *ring, struct user_io *io, uint64_t size, bool whole)
{
	context_token_t token;
	int64_t written;

	if (!size)
		return 0;
	if (size <= PIPE_SMALL && ring->head % PAGE_SIZE + size <= PAGE_SIZE)
		return pipe_ring_put_small(ring, io, size);
	token = store_enter();
	written = pipe_ring_write(ring, io, size, whole);
	store_leave(token);
	return written;
}

/* Return the last segment, if a stream's next bytes with `note` can be a part of it; or NULL. */
static struct unix_segment *segment_to_extend(const struct unix_queue *queue, const struct unix_note *note)
{
	struct unix_segment *last;

	if (list_is_empty(&queue->segments) || note->passed)
		return NULL;
	last = list_item(queue->segments.prev, struct unix_segment, link);
	if (last->end != queue->ring.head || last->passed || !unix_is_same_sender(&last->sender, &note->sender))
		return NULL;
	return last;
}

/* Append bytes to the queue as a segment of their own. */
static int64_t put_segment(struct unix_queue *queue, struct user_io *io, uint64_t size, bool is_message,
			   const struct unix_note *note)
{
	struct unix_segment *segment = kmalloc(sizeof(*segment));
	int64_t written = segment ? 0 : -ENOMEM;

	if (!written && note->passed)
		written = passed_fly(note->passed);
	if (written) {
		kfree(segment);
		return written;
	}
	*segment = (struct unix_segment){ .start = queue->ring.head, .sender = note->sender };
	written = put_bytes(&queue->ring, io, size, is_message);
	if (written < 0) {
		if (note->passed)
			passed_land(note->passed);
		kfree(segment);
		return written;
	}
	segment->end = queue->ring.head;
	segment->passed = note->passed;
	segment->name = note->name;
	list_add_last(&queue->segments, &segment->link);
	if (segment->passed)
		list_add_last(&queue->passing, &segment->in_passing);
	queue->count++;
	all_used += SEGMENT_COST;
	return written;
}

int64_t unix_queue_put(struct unix_queue *queue, struct user_io *io, uint64_t size, bool is_message,
		       const struct unix_note *note)
{
	struct unix_segment *last = note && !is_message ? segment_to_extend(queue, note) : NULL;
	int64_t written = make_room(queue, size);

	if (written)
		return written;
	if (note && !last)
		written = put_segment(queue, io, size, is_message, note);
	else
		written = put_bytes(&queue->ring, io, size, is_message);
	if (written < 0)
		return written;
	if (last)
		last->end = queue->ring.head;
	all_used += (uint64_t)written;
	return written;
}

/* ---- reading ---- */

int64_t unix_queue_copy(const struct unix_queue *queue, struct user_io *io, uint64_t size)
{
	const struct pipe_ring *ring = &queue->ring;
	enum status status = OK;
	context_token_t token;
	uint64_t done = 0;

	if (!size)
		return 0;
	if (size <= PIPE_SMALL && ring->tail % PAGE_SIZE + size <= PAGE_SIZE)
		return pipe_ring_copy_small(ring, io, size);
	token = store_enter();
	while (done < size && status == OK) {
		struct user_frames from = pipe_ring_frames(ring, ring->tail + done);
		size_t moved;

		status = user_io_put_frames(io, &from, pipe_ring_row(ring, ring->tail + done, size - done), &moved);
		done += moved;
	}
	store_leave(token);
	return done ? (int64_t)done : copy_errno(status);
}

/*
 * Remove bytes at the ring's tail. A frame is freed only when a page's end is reached, so only then the kernel context
 * is entered.
 */
static void advance(struct unix_queue *queue, uint64_t bytes)
{
	context_token_t token;

	all_used -= bytes;
	if (queue->ring.tail % PAGE_SIZE + bytes < PAGE_SIZE) {
		queue->ring.tail += bytes;
		return;
	}
	token = store_enter();
	pipe_ring_advance(&queue->ring, bytes);
	store_leave(token);
}

void unix_queue_pop(struct unix_queue *queue)
{
	struct unix_segment *first = unix_queue_first(queue);
	uint64_t bytes = first->end - first->start;

	end_segment(queue, first);
	advance(queue, bytes);
}

void unix_queue_skip(struct unix_queue *queue, uint64_t bytes)
{
	const uint64_t at = queue->ring.tail + bytes;
	struct unix_segment *first;

	while ((first = unix_queue_first(queue)) && first->end <= at)
		end_segment(queue, first);
	if (first && first->start < at)
		unix_queue_drop_files(first);
	advance(queue, bytes);
}
