/*
 * Sends a controller commands, and devices requests to their endpoint 0: one at a time. The task waits for the answer
 * to each, for a limited time.
 */
#include "kernel/dev/usb/usb_device.h"
#include "kernel/dev/usb/xhci_registers.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/time.h"
#include "kernel/mm/space/mmio.h"

#define COMMAND_NS (5 * NS_PER_S)
#define CONTROL_NS (2 * NS_PER_S)

#define CONTROL_INDEX 1 /* the index of endpoint 0 in the contexts */

static bool is_answered(void *ctx)
{
	const struct xhci *xhci = ctx;

	return __atomic_load_n(&xhci->answer.done, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&xhci->dead, __ATOMIC_RELAXED) || usb_ending();
}

/* Return is_answered(), or true when nothing is plugged in at the controller's port that leads to the device. */
static bool is_answered_or_gone(void *ctx)
{
	const struct usb_device *device = ctx;
	struct xhci *xhci = device->xhci;

	return is_answered(xhci) ||
	       !(mmio_read32(xhci->operational + XHCI_PORTS + 16 * (device->root_port - 1u)) & XHCI_PORT_CONNECTED);
}

/*
 * Wait until `ready` returns true, as it does when the answer has come, or for limit_ns at the most. *ret is the
 * answer. Returns false when there is none.
 */
static bool wait_answer(struct xhci *xhci, bool (*ready)(void *ctx), void *ctx, uint64_t limit_ns,
			struct xhci_answer *ret)
{
	uint64_t flags;

	usb_host->wait(ready, ctx, time_add(clock_monotonic_ns(), limit_ns));
	flags = lock_take(&usb_lock);
	*ret = xhci->answer;
	xhci->answer = (struct xhci_answer){ 0 };
	lock_release(&usb_lock, flags);
	return ret->done;
}

uint8_t xhci_command(struct xhci *xhci, uint64_t parameter, uint32_t control, uint8_t *ret_slot)
{
	struct xhci_answer answer;
	uint64_t flags = lock_take(&usb_lock);

	xhci->answer = (struct xhci_answer){ 0 };
	xhci->answer.trb = xhci_ring_put(&xhci->commands, parameter, 0, control).raw;
	mmio_write32(xhci->doorbells, 0);
	lock_release(&usb_lock, flags);
	if (!wait_answer(xhci, is_answered, xhci, COMMAND_NS, &answer)) {
		flags = lock_take(&usb_lock);
		xhci->dead = true;
		lock_release(&usb_lock, flags);
		return 0;
	}
	if (ret_slot)
		*ret_slot = answer.slot;
	return answer.code;
}

/* Put the two or three entries of a request into the ring. The caller holds usb_lock. */
static void put_request(struct usb_device *device, struct usb_request r)
{
	struct xhci *xhci = device->xhci;
	struct xhci_ring *ring = &device->control;
	bool in = r.type & 0x80;
	uint64_t setup = r.type | (uint64_t)r.request << 8 | (uint64_t)r.value << 16 | (uint64_t)r.index << 32 |
			 (uint64_t)r.size << 48;

	xhci->answer = (struct xhci_answer){ 0 };
	(void)xhci_ring_put(ring, setup, 8,
			    TRB_TYPE(TRB_SETUP) | TRB_IMMEDIATE |
				    (!r.size ? 0
				     : in    ? TRB_SETUP_IN_DATA
					     : TRB_SETUP_OUT_DATA));
	if (r.size)
		xhci->answer.data = xhci_ring_put(ring, device->buffer.at.raw, r.size,
						  TRB_TYPE(TRB_DATA) | TRB_INTERRUPT | (in ? TRB_IN : 0))
					    .raw;
	/* The status stage goes in the direction opposite to the data; without data it goes to the host. */
	xhci->answer.trb =
		xhci_ring_put(ring, 0, 0, TRB_TYPE(TRB_STATUS) | TRB_INTERRUPT | (r.size && in ? 0 : TRB_IN)).raw;
	mmio_write32(xhci->doorbells + 4 * device->slot, CONTROL_INDEX);
}

int usb_control(struct usb_device *device, struct usb_request request)
{
	struct xhci_answer answer;
	uint64_t flags;

	if (request.size > USB_BUFFER)
		return -1;
	flags = lock_take(&usb_lock);
	put_request(device, request);
	lock_release(&usb_lock, flags);
	if (!wait_answer(device->xhci, is_answered_or_gone, device, CONTROL_NS, &answer))
		return -1;
	if (answer.code != XHCI_SUCCESS && answer.code != XHCI_SHORT_PACKET) {
		/* A device refuses a request by halting the endpoint. */
		(void)usb_go_on(device, CONTROL_INDEX, &device->control);
		return -1;
	}
	return answer.left <= request.size ? request.size - (int)answer.left : -1;
}

bool usb_go_on(struct usb_device *device, unsigned index, struct xhci_ring *ring)
{
	uint32_t where = (uint32_t)device->slot << 24 | index << 16;

	/* An endpoint that has stopped without halting refuses the first command, and needs only the second one. */
	return xhci_command(device->xhci, 0, TRB_TYPE(TRB_RESET_ENDPOINT) | where, NULL) != 0 &&
	       xhci_command(device->xhci, xhci_ring_place(ring), TRB_TYPE(TRB_SET_DEQUEUE) | where, NULL) ==
		       XHCI_SUCCESS;
}

void usb_ask(struct usb_device *device)
{
	(void)xhci_ring_put(&device->in, dma_add(device->buffer.at, USB_BUFFER).raw, device->in_size,
			    TRB_TYPE(TRB_NORMAL) | TRB_INTERRUPT);
	mmio_write32(device->xhci->doorbells + 4 * device->slot, device->in_index);
}
