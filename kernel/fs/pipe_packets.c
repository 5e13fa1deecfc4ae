/*
 * Writes, passes and copies the packets in a pipe's ring; see pipe_packets.h.
 */
#include "kernel/fs/pipe_packets.h"

#include "kernel/fs/errno.h"
#include "kernel/fs/linux_file.h"
#include "kernel/fs/pipe_ring.h"
#include "kernel/mm/heap/heap.h"

static struct pipe_packets *make(uint32_t slots)
{
	struct pipe_packets *packets = kzalloc(sizeof(*packets) + slots * sizeof(packets->slot[0]));

	if (packets)
		packets->slots = slots;
	return packets;
}

/* Make the last `size` bytes of the ring a packet; there is a slot for it. */
static void add(struct pipe_packets *packets, uint64_t fill, uint32_t size)
{
	packets->slot[(packets->first + packets->count) % packets->slots] = (struct pipe_packet){
		.plain = (uint32_t)(fill - size - packets->covered),
		.size = size,
	};
	packets->count++;
	packets->covered = fill;
}

/*
 * Return whether a write of `size` bytes becomes plain bytes, no packet: as on Linux, when the ring ends with plain
 * bytes and the write fits into their page.
 */
static bool joins(const struct pipe_ring *ring, uint64_t size)
{
	const uint64_t used = ring->head % PAGE_SIZE;

	return pipe_ring_fill(ring) > ring->packets->covered && used && used + size <= PAGE_SIZE;
}

int64_t pipe_packets_write(struct pipe_ring *ring, struct user_io *io, uint64_t room)
{
	int64_t total = 0, moved;

	if (!ring->packets)
		ring->packets = make((uint32_t)(ring->size / PAGE_SIZE));
	if (!ring->packets)
		return -ENOMEM;
	do {
		const uint64_t size = io->left < PIPE_BUF ? io->left : PIPE_BUF;
		const bool plain = joins(ring, size);

		if ((!plain && pipe_packets_full(ring->packets)) || room - (uint64_t)total < size) {
			moved = -EAGAIN;
			break;
		}
		moved = pipe_ring_write(ring, io, size, true);
		if (moved > 0 && !plain)
			add(ring->packets, pipe_ring_fill(ring), (uint32_t)size);
		if (moved > 0)
			total += moved;
	} while (moved > 0 && io->left);
	return total ? total : moved;
}

void pipe_packets_pass(struct pipe_packets *packets, uint64_t bytes)
{
	uint64_t left = bytes < packets->covered ? bytes : packets->covered;

	packets->covered -= left;
	while (left) {
		struct pipe_packet *packet = &packets->slot[packets->first];
		const uint32_t plain = packet->plain < left ? packet->plain : (uint32_t)left;
		const uint32_t size = packet->size < left - plain ? packet->size : (uint32_t)(left - plain);

		packet->plain -= plain;
		packet->size -= size;
		left -= plain + size;
		if (!packet->size) {
			packets->first = (packets->first + 1) % packets->slots;
			packets->count--;
		}
	}
}

struct pipe_packets *pipe_packets_copy(const struct pipe_packets *packets, uint32_t slots)
{
	struct pipe_packets *copy = make(slots);

	if (!copy)
		return NULL;
	copy->count = packets->count;
	copy->covered = packets->covered;
	for (uint32_t i = 0; i < packets->count; i++)
		copy->slot[i] = packets->slot[(packets->first + i) % packets->slots];
	return copy;
}
