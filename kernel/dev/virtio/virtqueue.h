/*
 * A split virtqueue (Virtual I/O Device 1.1, "Split Virtqueues"): the rings by which a driver gives buffers to a
 * device and takes them back. Each buffer is one descriptor, whose number the caller chooses. All that the device
 * writes is checked: it may change at any time. Data only, without locks and registers, so that host tests can run it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define VIRTQUEUE_MOST  16   /* the most descriptors that a queue has */
#define VIRTQUEUE_BYTES 4096 /* memory of the rings, in one frame */

/* Where the parts of the rings begin in that memory. */
#define VIRTQUEUE_AVAILABLE 1024
#define VIRTQUEUE_USED      2048

/* A queue. Guard of all fields: the driver's. */
struct virtqueue {
	volatile uint8_t *bytes; /* the memory, which the device reads and writes. Fixed when made */
	uint16_t size;           /* descriptors: a power of two. Fixed when made */
	uint16_t given, taken;   /* how many buffers were given and taken back: the rings' indexes, which wrap */
	uint32_t lent;           /* a bit for each descriptor that the device has */
	uint32_t lengths[VIRTQUEUE_MOST]; /* bytes that the device may write to the buffer; 0: it only reads it */
	bool broken; /* the device has written nonsense, so that no buffer is taken back any more */
};

/* Make an empty queue of `size` descriptors, a power of two up to VIRTQUEUE_MOST, in zeroed memory. */
void virtqueue_init(struct virtqueue *queue, void *bytes, uint16_t size);

/*
 * Give a buffer of `length` bytes at `address` to the device, which has not got descriptor `slot`: for it to write to,
 * or to read from. The caller then notifies the device.
 */
void virtqueue_lend(struct virtqueue *queue, unsigned slot, uint64_t address, uint32_t length);
void virtqueue_send(struct virtqueue *queue, unsigned slot, uint64_t address, uint32_t length);

/*
 * Take back the next buffer that the device is done with: its descriptor, and how many bytes the device has written,
 * which are no more than were lent. Returns false, with both unchanged, when there is none, or the queue is broken.
 */
bool virtqueue_take(struct virtqueue *queue, unsigned *ret_slot, uint32_t *ret_length);
