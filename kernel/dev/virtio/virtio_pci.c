/*
 * Starts and stops a virtio device on PCI; see virtio_pci.h.
 */
#include "kernel/dev/virtio/virtio_pci.h"

#include "kernel/irq/clock.h"
#include "kernel/lib/time.h"
#include "kernel/mm/space/mmio.h"

/* A capability of virtio's: type in byte 3, BAR in byte 4, offset and length in the BAR behind that. */
#define CAPABILITY_VENDOR 0x09
#define CAPABILITIES_MOST 48
#define STRUCTURE_COMMON  1
#define STRUCTURE_NOTIFY  2

/* Offsets of the registers in the structure COMMON, with their widths. */
#define DEVICE_FEATURE_SELECT 0  /* 32 bits */
#define DEVICE_FEATURE        4  /* 32 bits */
#define DRIVER_FEATURE_SELECT 8  /* 32 bits */
#define DRIVER_FEATURE        12 /* 32 bits */
#define STATUS                20 /* 8 bits */
#define QUEUE_SELECT          22 /* 16 bits */
#define QUEUE_SIZE            24 /* 16 bits */
#define QUEUE_VECTOR          26 /* 16 bits */
#define QUEUE_ENABLE          28 /* 16 bits */
#define QUEUE_NOTIFY          30 /* 16 bits */
#define QUEUE_DESCRIPTORS     32 /* 64 bits, followed by 64 bits for each of the two rings */
#define COMMON_SIZE           56

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8

#define FEATURES_VERSION_1 1 /* feature 32, which is bit 0 of the upper half of the features */

#define RESET_WAIT_NS (100 * NS_PER_MS)

/* Where a structure of the device lies, as its capability says. */
struct place {
	uint8_t bar;
	uint32_t offset, length;
	uint32_t multiplier; /* of STRUCTURE_NOTIFY: bytes from one queue's place to the next */
};

static uint16_t read16(const struct virtio *device, unsigned at)
{
	ASSERT_KERNEL_CONTEXT();
	return *(const volatile uint16_t *)(device->common + at);
}

static void write16(const struct virtio *device, unsigned at, uint16_t value)
{
	ASSERT_KERNEL_CONTEXT();
	*(volatile uint16_t *)(device->common + at) = value;
}

static void write_status(const struct virtio *device, uint8_t status)
{
	ASSERT_KERNEL_CONTEXT();
	device->common[STATUS] = status;
}

static void write64(const struct virtio *device, unsigned at, uint64_t value)
{
	mmio_write32(device->common + at, (uint32_t)value);
	mmio_write32(device->common + at + 4, (uint32_t)(value >> 32));
}

/* Find the first structure of a type that lies inside of a memory BAR. Returns false when there is none. */
static bool find(const struct pci_function *f, uint8_t type, uint32_t least, struct place *ret)
{
	uint8_t at = pci_read(f, PCI_CAPABILITIES) & 0xfc;

	if (!(pci_read(f, PCI_COMMAND) >> 16 & PCI_STATUS_CAPABILITIES))
		return false;
	for (unsigned n = 0; n < CAPABILITIES_MOST && at >= 0x40 && at <= PCI_CONFIG_SIZE - 20; n++) {
		uint32_t head = pci_read(f, at);
		struct place place = { .bar = pci_read(f, at + 4) & 0xff,
				       .offset = pci_read(f, at + 8),
				       .length = pci_read(f, at + 12),
				       .multiplier = pci_read(f, at + 16) };

		if ((head & 0xff) == CAPABILITY_VENDOR && head >> 24 == type && place.bar < PCI_BARS) {
			const struct pci_bar *bar = &f->bars[place.bar];

			if ((bar->kind == PCI_BAR_MEMORY || bar->kind == PCI_BAR_MEMORY_64) && place.length >= least &&
			    place.offset % 4 == 0 && (uint64_t)place.offset + place.length <= bar->size) {
				*ret = place;
				return true;
			}
		}
		at = head >> 8 & 0xfc;
	}
	return false;
}

/* Map the structures COMMON and NOTIFY. Returns false, with a line in the log, when the device does not have them. */
static bool map(struct virtio *device, struct place *ret_notify)
{
	const struct pci_function *f = device->function;
	struct place common;
	uint64_t size;

	if (!find(f, STRUCTURE_COMMON, COMMON_SIZE, &common) || !find(f, STRUCTURE_NOTIFY, 2, ret_notify)) {
		pci_log(f, "virtio: no 1.x interface: left alone");
		return false;
	}
	/* pci_map_bar() logs its errors. */
	if (pci_map_bar(f, common.bar, &device->common_bar, &size) != OK ||
	    pci_map_bar(f, ret_notify->bar, &device->notify_bar, &size) != OK)
		return false;
	device->common = (volatile uint8_t *)device->common_bar + common.offset;
	return true;
}

static bool reset(const struct virtio *device)
{
	uint64_t start = clock_monotonic_ns();

	write_status(device, 0);
	while (device->common[STATUS] != 0) {
		if (clock_monotonic_ns() - start > RESET_WAIT_NS)
			return false;
		cpu_pause();
	}
	return true;
}

/* Agree on one feature, the 1.x interface. Returns false when the device does not have it, or insists on others. */
static bool agree(const struct virtio *device)
{
	write_status(device, STATUS_ACKNOWLEDGE);
	write_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	mmio_write32(device->common + DEVICE_FEATURE_SELECT, 1);
	if (!(mmio_read32(device->common + DEVICE_FEATURE) & FEATURES_VERSION_1))
		return false;
	mmio_write32(device->common + DRIVER_FEATURE_SELECT, 0);
	mmio_write32(device->common + DRIVER_FEATURE, 0);
	mmio_write32(device->common + DRIVER_FEATURE_SELECT, 1);
	mmio_write32(device->common + DRIVER_FEATURE, FEATURES_VERSION_1);
	write_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	return device->common[STATUS] & STATUS_FEATURES_OK;
}

/* Set a queue up. Returns false when there is no memory, or the device has no such queue. */
static bool start_queue(struct virtio *device, unsigned index, const struct place *notify, struct virtqueue *queue)
{
	struct dma_page *page = &device->rings[index];
	uint64_t at;
	uint16_t size;

	write16(device, QUEUE_SELECT, (uint16_t)index);
	size = read16(device, QUEUE_SIZE);
	if (!size || size & (size - 1) || dma_page_alloc(false, page) != OK)
		return false;
	virtqueue_init(queue, page->bytes, size < VIRTQUEUE_MOST ? size : VIRTQUEUE_MOST);
	at = (uint64_t)read16(device, QUEUE_NOTIFY) * notify->multiplier;
	if (at + 2 > notify->length)
		return false;
	device->notify[index] = (volatile uint8_t *)device->notify_bar + notify->offset + at;
	write16(device, QUEUE_SIZE, queue->size);
	if (device->has_interrupt) {
		write16(device, QUEUE_VECTOR, 0);
		if (read16(device, QUEUE_VECTOR) != 0)
			return false;
	}
	write64(device, QUEUE_DESCRIPTORS, page->at.raw);
	write64(device, QUEUE_DESCRIPTORS + 8, dma_add(page->at, VIRTQUEUE_AVAILABLE).raw);
	write64(device, QUEUE_DESCRIPTORS + 16, dma_add(page->at, VIRTQUEUE_USED).raw);
	write16(device, QUEUE_ENABLE, 1);
	return true;
}

bool virtio_start(struct virtio *device, const struct pci_function *function, irq_handler_fn *handler,
		  struct virtqueue queues[VIRTIO_QUEUES])
{
	struct place notify;

	*device = (struct virtio){ .function = function };
	if (!map(device, &notify))
		goto fail;
	pci_enable(function);
	if (!reset(device) || !agree(device)) {
		pci_log(function, "virtio: cannot be reset, or wants other features, status %#x: left alone",
			device->common[STATUS]);
		goto fail;
	}
	device->has_interrupt = pci_interrupt_start(function, handler, NULL, &device->interrupt) == OK;
	for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
		if (!start_queue(device, i, &notify, &queues[i])) {
			pci_log(function, "virtio: queue %u is not as it should be, or no memory: left alone", i);
			goto fail;
		}
	write_status(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
	return true;

fail:
	virtio_stop(device);
	return false;
}

void virtio_notify(const struct virtio *device, unsigned queue)
{
	ASSERT_KERNEL_CONTEXT();
	*(volatile uint16_t *)device->notify[queue] = (uint16_t)queue;
}

void virtio_stop(struct virtio *device)
{
	if (device->common)
		(void)reset(device);
	if (device->has_interrupt)
		pci_interrupt_stop(device->function, &device->interrupt);
	/* Even if the reset has failed, the device writes to no memory without bus mastering. */
	pci_disable(device->function);
	for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
		dma_page_free(&device->rings[i]);
	if (device->notify_bar)
		mmio_unmap(device->notify_bar);
	if (device->common_bar)
		mmio_unmap(device->common_bar);
	*device = (struct virtio){ 0 };
}
