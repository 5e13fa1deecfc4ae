/*
 * Makes, fills and frees messages, whose bytes lie in frames; see message.h.
 */
#include "kernel/ipc/message.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/errno.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define CHUNK_LEAST 64 /* bytes of the smallest chunk; a frame has as many of them as a word has bits */
#define SIZES       7  /* number of sizes of chunks: 64 bytes, 128 bytes, up to a page */
#define RAM_SHARE   4  /* all messages together have a quarter of RAM at most */

_Static_assert(CHUNK_LEAST << (SIZES - 1) == PAGE_SIZE, "the largest chunk is a page");

/* A frame that is cut into chunks of one size. Guard: tasks only, which the kernel does not preempt. */
struct chunk_frame {
	struct link link; /* place in free_chunks[size], or in no list when all chunks are used */
	paddr_t pa;
	uint64_t used; /* a bit for each chunk */
	unsigned size; /* its chunks have CHUNK_LEAST << size bytes */
};

/* Frames that have free chunks, by the size of their chunks. Guard: tasks only, which the kernel does not preempt. */
static struct link free_chunks[SIZES] = {
	{ &free_chunks[0], &free_chunks[0] }, { &free_chunks[1], &free_chunks[1] },
	{ &free_chunks[2], &free_chunks[2] }, { &free_chunks[3], &free_chunks[3] },
	{ &free_chunks[4], &free_chunks[4] }, { &free_chunks[5], &free_chunks[5] },
	{ &free_chunks[6], &free_chunks[6] },
};

static uint64_t all_bytes; /* sum of cost_of() of all messages; guard: tasks only, which the kernel does not preempt */

/* Return the least size of chunks, CHUNK_LEAST << size, that has room for 1 to PAGE_SIZE bytes. */
static unsigned size_for(uint64_t bytes)
{
	unsigned size = 0;

	while ((uint64_t)CHUNK_LEAST << size < bytes)
		size++;
	return size;
}

/* Return the value of `used` that a frame with chunks of this size has when all are in use. */
static uint64_t full(unsigned size)
{
	return ~0ULL >> (64 - (PAGE_SIZE / CHUNK_LEAST >> size));
}

/* Make a frame of chunks. Call between store_enter() and store_leave(). NULL: no memory. */
static struct chunk_frame *frame_create(unsigned size)
{
	struct chunk_frame *frame = kmalloc(sizeof(*frame));

	if (!frame)
		return NULL;
	if (store_alloc(&frame->pa) != OK) {
		kfree(frame);
		return NULL;
	}
	frame->used = 0;
	frame->size = size;
	list_add_first(&free_chunks[size], &frame->link);
	return frame;
}

/*
 * Allocate a chunk of at least `bytes` bytes. Call between store_enter() and store_leave(). Returns whether there was
 * memory.
 */
static bool chunk_take(uint64_t bytes, struct message_chunk *ret)
{
	const unsigned size = size_for(bytes);
	struct chunk_frame *frame;

	if (list_is_empty(&free_chunks[size]))
		frame = frame_create(size);
	else
		frame = list_item(free_chunks[size].next, struct chunk_frame, link);
	if (!frame)
		return false;
	*ret = (struct message_chunk){ frame, (unsigned)__builtin_ctzll(~frame->used) };
	frame->used |= 1ULL << ret->index;
	if (frame->used == full(size))
		list_remove(&frame->link);
	return true;
}

/* Free a chunk; its frame may be NULL, for no chunk. Call between store_enter() and store_leave(). */
static void chunk_give(struct message_chunk chunk)
{
	struct chunk_frame *frame = chunk.frame;

	if (!frame)
		return;
	if (frame->used == full(frame->size))
		list_add_first(&free_chunks[frame->size], &frame->link);
	frame->used &= ~(1ULL << chunk.index);
	if (frame->used)
		return;
	list_remove(&frame->link);
	store_put(frame->pa);
	kfree(frame);
}

/* Return a pointer to a chunk's bytes. Use it between store_enter() and store_leave(). */
static void *chunk_ptr(struct message_chunk chunk)
{
	return (uint8_t *)store_ptr(chunk.frame->pa) + ((uint64_t)chunk.index * CHUNK_LEAST << chunk.frame->size);
}

/* Return how many bytes of memory a message takes; its chunk may have twice as many as it needs. */
static uint64_t cost_of(uint64_t size)
{
	const uint64_t rest = size % PAGE_SIZE;
	const uint64_t chunk = rest ? (uint64_t)CHUNK_LEAST << size_for(rest) : 0;

	return size - rest + chunk + sizeof(struct ipc_message) + size / PAGE_SIZE * sizeof(paddr_t);
}

/* Allocate the message's frames. Call between store_enter() and store_leave(). Returns whether there was memory. */
static bool take_frames(struct ipc_message *message)
{
	const uint64_t pages = message->size / PAGE_SIZE;
	uint64_t i = 0;

	while (i < pages && store_alloc(&message->pages[i]) == OK)
		i++;
	if (i == pages && (message->size % PAGE_SIZE == 0 || chunk_take(message->size % PAGE_SIZE, &message->rest)))
		return true;
	while (i--)
		store_put(message->pages[i]);
	return false;
}

struct ipc_message *message_create(uint64_t size)
{
	const uint64_t pages = size / PAGE_SIZE, most = machine_frames.total / RAM_SHARE * PAGE_SIZE;
	struct ipc_message *message;
	context_token_t token;
	bool done;

	if (size > most || all_bytes + cost_of(size) > most)
		return NULL;
	message = kzalloc(sizeof(*message) + pages * sizeof(message->pages[0]));
	if (!message)
		return NULL;
	list_init(&message->link);
	message->size = size;
	if (size) {
		token = store_enter();
		done = take_frames(message);
		store_leave(token);
		if (!done) {
			kfree(message);
			return NULL;
		}
	}
	all_bytes += cost_of(size);
	return message;
}

void message_free(struct ipc_message *message)
{
	context_token_t token;

	all_bytes -= cost_of(message->size);
	if (message->size) {
		token = store_enter();
		for (uint64_t i = 0; i < message->size / PAGE_SIZE; i++)
			store_put(message->pages[i]);
		chunk_give(message->rest);
		store_leave(token);
	}
	kfree(message);
}

int message_get(struct ipc_message *message, struct user_io *io)
{
	const uint64_t whole = message->size & ~(PAGE_SIZE - 1);
	enum status status = OK;
	context_token_t token;
	size_t moved = 0;

	if (!message->size)
		return 0;
	token = store_enter();
	if (whole) {
		const struct user_frames frames = { .direct = store_ptr(paddr(0)), .frames = message->pages };

		status = user_io_get_frames(io, &frames, whole, &moved);
	}
	if (status == OK && message->size > whole)
		status = user_io_get_bulk(io, chunk_ptr(message->rest), message->size - whole, &moved);
	store_leave(token);
	return copy_errno(status);
}

int message_put(const struct ipc_message *message, struct user_io *io, uint64_t size)
{
	const uint64_t all = message->size & ~(PAGE_SIZE - 1), whole = size < all ? size : all;
	enum status status = OK;
	context_token_t token;
	size_t moved = 0;

	if (!size)
		return 0;
	token = store_enter();
	if (whole) {
		const struct user_frames frames = { .direct = store_ptr(paddr(0)), .frames = message->pages };

		status = user_io_put_frames(io, &frames, whole, &moved);
	}
	if (status == OK && size > whole)
		status = user_io_put_bulk(io, chunk_ptr(message->rest), size - whole, &moved);
	store_leave(token);
	return copy_errno(status);
}
