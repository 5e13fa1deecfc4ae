/*
 * Takes the events that an xHCI controller writes: in its interrupt handler, or by a timer when it has no interrupt.
 * Passes answers to the task that waits for them, and keyboards' reports to usb_keyboard.c.
 */
#include "kernel/dev/usb/usb_device.h"
#include "kernel/dev/usb/xhci_registers.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"
#include "kernel/mm/space/mmio.h"

#define POLL_NS (8 * 1000 * 1000ULL)

/* The most events that one call takes: as many as the ring has. The controller interrupts again for the rest. */
#define EVENTS_MOST XHCI_RING

#define ERRORS_MOST 16 /* after so many errors a device is left alone until it is plugged in again */

/* Store the event in xhci->answer, and wake the task, if it is the one that the task waits for. */
static void take_answer(struct xhci *xhci, const struct xhci_event *event)
{
	struct xhci_answer *answer = &xhci->answer;

	if (!answer->trb || (event->trb != answer->trb && event->trb != answer->data))
		return;
	if (event->trb == answer->data) {
		answer->left = event->left;
		/* A data stage without an error is followed by the status stage, which has an event of its own. */
		if (event->code == XHCI_SUCCESS || event->code == XHCI_SHORT_PACKET)
			return;
	}
	answer->code = event->code;
	answer->slot = event->slot;
	answer->trb = answer->data = 0;
	answer->done = true;
	usb_wake();
}

/* Take what an interrupt endpoint has sent. */
static void take_packet(struct usb_device *device, const struct xhci_event *event)
{
	const uint8_t *bytes = (const uint8_t *)device->buffer.bytes + USB_BUFFER;
	bool sound = event->code == XHCI_SUCCESS || event->code == XHCI_SHORT_PACKET;

	if (!sound || event->left > device->in_size) {
		/* The endpoint has halted: the task resets it, but not after ERRORS_MOST errors. */
		if (device->in_errors < ERRORS_MOST) {
			device->in_errors++;
			device->in_stopped = true;
			usb_wake();
		}
		return;
	}
	if (device->kind == USB_KEYBOARD) {
		usb_keyboard_take(device, bytes, device->in_size - event->left);
	} else {
		device->changed = true;
		usb_wake();
		/* The task asks the hub for its next packet when it has looked at the hub's ports. */
		return;
	}
	usb_ask(device);
}

static void take_transfer(struct xhci *xhci, const struct xhci_event *event)
{
	struct usb_device *device = event->slot <= xhci->slots ? xhci->by_slot[event->slot] : NULL;

	if (!device)
		return;
	if (event->endpoint == 1)
		take_answer(xhci, event);
	else if (event->endpoint == device->in_index && device->in_index && !device->in_stopped)
		take_packet(device, event);
}

static void take_event(struct xhci *xhci, const struct xhci_event *event)
{
	switch (event->type) {
	case TRB_TRANSFER_EVENT:
		take_transfer(xhci, event);
		break;
	case TRB_COMMAND_EVENT:
		take_answer(xhci, event);
		break;
	case TRB_PORT_EVENT:
		xhci->ports_changed = true;
		usb_wake();
		break;
	default:
		break;
	}
}

/* Take the events in the ring, and tell the controller which one was the last taken. */
static void take_events(struct xhci *xhci)
{
	struct xhci_event event;
	uint64_t place;

	for (unsigned i = 0; i < EVENTS_MOST && xhci_events_take(&xhci->events, &event); i++)
		take_event(xhci, &event);
	place = xhci_events_place(&xhci->events).raw | XHCI_DEQUEUE_BUSY;
	mmio_write32(xhci->runtime + XHCI_DEQUEUE, (uint32_t)place);
	mmio_write32(xhci->runtime + XHCI_DEQUEUE + 4, (uint32_t)(place >> 32));
}

void xhci_serve(void *ctx)
{
	struct xhci *xhci = ctx;
	context_token_t token = kernel_context_enter();
	uint64_t flags = lock_take(&usb_lock);
	uint32_t status;

	if (!xhci->dead) {
		status = mmio_read32(xhci->operational + XHCI_STATUS);
		/*
		 * This driver never turns the interrupter off: if it is off, somebody else has reset the controller, or
		 * the controller is gone.
		 */
		if (status == XHCI_GONE || status & (XHCI_STATUS_HOST | XHCI_STATUS_INTERNAL) ||
		    !(mmio_read32(xhci->runtime + XHCI_INTERRUPTER) & XHCI_INTERRUPTER_ON)) {
			xhci->dead = true;
			usb_wake();
		} else {
			/* Clear the marks of new events before taking the events, or an interrupt could be lost. */
			mmio_write32(xhci->operational + XHCI_STATUS, XHCI_STATUS_EVENT);
			mmio_write32(xhci->runtime + XHCI_INTERRUPTER, XHCI_INTERRUPTER_ON | XHCI_INTERRUPTER_PENDING);
			take_events(xhci);
		}
	}
	lock_release(&usb_lock, flags);
	kernel_context_leave(token);
}

void xhci_poll(struct timer *timer)
{
	struct xhci *xhci = (struct xhci *)((char *)timer - offsetof(struct xhci, poll));

	xhci_serve(xhci);
	if (!xhci->dead)
		timer_start(timer, time_add(clock_monotonic_ns(), POLL_NS));
}
