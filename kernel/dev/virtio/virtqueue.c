/*
 * Gives buffers to a device by a split virtqueue, takes them back, and checks what the device writes; see virtqueue.h.
 */
#include "kernel/dev/virtio/virtqueue.h"

#include "kernel/lib/panic.h"

#define DESCRIPTOR_WRITE 2 /* the device writes to the buffer */

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

/* Both rings: flags that are not used, an index, and the entries. */
struct available {
	uint16_t flags;
	uint16_t index;
	uint16_t slots[VIRTQUEUE_MOST];
};

struct used {
	uint16_t flags;
	uint16_t index;
	struct {
		uint32_t slot;
		uint32_t length;
	} entries[VIRTQUEUE_MOST];
};

_Static_assert(sizeof(struct descriptor) * VIRTQUEUE_MOST <= VIRTQUEUE_AVAILABLE, "descriptors before the first ring");
_Static_assert(VIRTQUEUE_AVAILABLE + sizeof(struct available) + 2 <= VIRTQUEUE_USED,
	       "the first ring before the second");
_Static_assert(VIRTQUEUE_USED + sizeof(struct used) + 2 <= VIRTQUEUE_BYTES, "the second ring in the memory");

static volatile struct available *available(const struct virtqueue *queue)
{
	return (volatile struct available *)(queue->bytes + VIRTQUEUE_AVAILABLE);
}

static const volatile struct used *used(const struct virtqueue *queue)
{
	return (const volatile struct used *)(queue->bytes + VIRTQUEUE_USED);
}

void virtqueue_init(struct virtqueue *queue, void *bytes, uint16_t size)
{
	ASSERT(size && size <= VIRTQUEUE_MOST && (size & (size - 1)) == 0);
	*queue = (struct virtqueue){ .bytes = bytes, .size = size };
}

static void give(struct virtqueue *queue, unsigned slot, struct descriptor descriptor)
{
	volatile struct descriptor *place = (volatile struct descriptor *)queue->bytes + slot;

	ASSERT(slot < queue->size && !(queue->lent >> slot & 1));
	place->address = descriptor.address;
	place->length = descriptor.length;
	place->flags = descriptor.flags;
	place->next = 0;
	queue->lent |= 1u << slot;
	queue->lengths[slot] = descriptor.flags & DESCRIPTOR_WRITE ? descriptor.length : 0;
	available(queue)->slots[queue->given % queue->size] = (uint16_t)slot;
	/* The device may read the entry as soon as it sees the index: x86 keeps the order of stores. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	available(queue)->index = ++queue->given;
}

void virtqueue_lend(struct virtqueue *queue, unsigned slot, uint64_t address, uint32_t length)
{
	give(queue, slot, (struct descriptor){ .address = address, .length = length, .flags = DESCRIPTOR_WRITE });
}

void virtqueue_send(struct virtqueue *queue, unsigned slot, uint64_t address, uint32_t length)
{
	give(queue, slot, (struct descriptor){ .address = address, .length = length });
}

bool virtqueue_take(struct virtqueue *queue, unsigned *ret_slot, uint32_t *ret_length)
{
	const volatile struct used *ring = used(queue);
	uint16_t done = (uint16_t)(ring->index - queue->taken), at = queue->taken % queue->size;
	uint32_t slot, length;

	if (!done || queue->broken)
		return false;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot = ring->entries[at].slot;
	length = ring->entries[at].length;
	if (done > (unsigned)__builtin_popcount(queue->lent) || slot >= queue->size || !(queue->lent >> slot & 1) ||
	    (queue->lengths[slot] && length > queue->lengths[slot])) {
		queue->broken = true;
		return false;
	}
	queue->taken++;
	queue->lent &= ~(1u << slot);
	*ret_slot = slot;
	*ret_length = queue->lengths[slot] ? length : 0;
	return true;
}
