/*
 * Virtio devices on PCI, by the 1.x interface alone (Virtual I/O Device 1.1, "Virtio Over PCI Bus"). Call in the
 * kernel context; virtio_notify() in interrupt handlers, too.
 */
#pragma once

#include "kernel/dev/pci/dma.h"
#include "kernel/dev/pci/pci.h"
#include "kernel/dev/virtio/virtqueue.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_QUEUES 2 /* how many queues of each device are used */

/* A virtio device that runs. Guard: fixed while it runs. */
struct virtio {
	const struct pci_function *function;
	void *common_bar, *notify_bar; /* the mapped BARs */
	volatile uint8_t *common;      /* the common configuration */
	volatile uint8_t *notify[VIRTIO_QUEUES];
	struct dma_page rings[VIRTIO_QUEUES];
	struct pci_interrupt interrupt;
	bool has_interrupt; /* false: the device must be polled */
};

/*
 * Reset the device, agree on no feature but the 1.x interface, and start its first VIRTIO_QUEUES queues, of which
 * *queues tells; `handler` is called for all its interrupts. Returns false when it is not as it should be, with a line
 * in the log; then it is off, and all that was taken is given back.
 */
bool virtio_start(struct virtio *device, const struct pci_function *function, irq_handler_fn *handler,
		  struct virtqueue queues[VIRTIO_QUEUES]);

/* Tell the device that the queue has new buffers. */
void virtio_notify(const struct virtio *device, unsigned queue);

/* Reset the device, so that it uses no memory any more, and give back all that virtio_start() has taken. */
void virtio_stop(struct virtio *device);
