/*
 * A virtqueue whose device writes what the input says, at any time: whatever that is, each buffer comes back once, only
 * after it was given, and with no more bytes than it has; and after the first lie none comes back.
 */
#include <string.h>

#include "kernel/dev/virtio/virtqueue.h"
#include "test/fuzz/fuzz.h"

#define LENGTH 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(4096) uint8_t bytes[VIRTQUEUE_BYTES];
	struct virtqueue queue;
	uint32_t mine = 0; /* a bit for each descriptor that the device has */
	bool broken = false;

	if (!size)
		return 0;
	memset(bytes, 0, sizeof(bytes));
	virtqueue_init(&queue, bytes, (uint16_t)(1 << (data[0] % 5)));
	for (size_t i = 1; i + 4 <= size; i += 4) {
		const unsigned slot = data[i + 1] % queue.size;
		unsigned back;
		uint32_t length;

		if (data[i] & 1 && !(mine >> slot & 1)) {
			if (data[i] & 2)
				virtqueue_lend(&queue, slot, 0x1000, LENGTH);
			else
				virtqueue_send(&queue, slot, 0x1000, LENGTH);
			mine |= 1u << slot;
		}
		/* The device writes to its ring, mostly near the index and the entries. */
		bytes[VIRTQUEUE_USED + data[i + 2] % 140] = data[i + 3];
		if (data[i] & 4)
			bytes[VIRTQUEUE_USED + 2] = (uint8_t)(queue.taken + 1);
		while (virtqueue_take(&queue, &back, &length)) {
			FUZZ_EXPECT(!broken && back < queue.size && mine >> back & 1 && length <= LENGTH);
			mine &= ~(1u << back);
		}
		broken = broken || queue.broken;
		FUZZ_EXPECT(queue.broken == broken && queue.lent == mine);
	}
	return 0;
}
