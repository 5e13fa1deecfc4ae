/*
 * Passes a few bytes to a reader that is blocked, past the ring; see pipe_hand.h.
 */
#include "kernel/fs/pipe_hand.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/least.h"
#include "kernel/lib/string.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"

_Static_assert(sizeof(struct pipe_hand) == 256 && offsetof(struct pipe_hand, bytes) % 8 == 0, "a block of the heap");

bool pipe_hand_give(struct pipe_hand **hand, struct user_io *io, size_t size, int64_t *ret)
{
	struct pipe_hand *to = *hand;
	enum status status;

	if (!to) {
		to = kzalloc(sizeof(*to));
		if (!to)
			return false;
		*hand = to;
	}
	status = user_io_get_all(io, to->bytes, size);
	if (likely(status == OK)) {
		to->end = (uint32_t)size;
		*ret = (int64_t)size;
	} else {
		wipe(to->bytes, size);
		*ret = copy_errno(status);
	}
	return true;
}

/* Drop the first `size` bytes, and wipe all once the last one is gone. */
static void drop(struct pipe_hand *hand, uint64_t size)
{
	hand->start += (uint32_t)size;
	if (hand->start == hand->end) {
		wipe(hand->bytes, hand->end);
		hand->start = hand->end = 0;
	}
}

int64_t pipe_hand_take(struct pipe_hand *hand, struct user_io *io)
{
	const uint64_t fill = pipe_hand_fill(hand), size = io->left < fill ? io->left : fill;
	enum status status = user_io_put_all(io, hand->bytes + hand->start, size);

	if (status != OK)
		return copy_errno(status);
	drop(hand, size);
	return (int64_t)size;
}

size_t pipe_hand_peek(const struct pipe_hand *hand, void *buffer, size_t size)
{
	const uint64_t most = least(size, pipe_hand_fill(hand));

	if (most)
		memcpy(buffer, hand->bytes + hand->start, most);
	return most;
}

size_t pipe_hand_skip(struct pipe_hand *hand, size_t size)
{
	const uint64_t most = least(size, pipe_hand_fill(hand));

	if (most)
		drop(hand, most);
	return most;
}

void pipe_hand_free(struct pipe_hand *hand)
{
	if (hand)
		wipe(hand->bytes, hand->end);
	kfree(hand);
}
