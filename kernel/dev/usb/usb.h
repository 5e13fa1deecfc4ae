/*
 * USB keyboards at xHCI controllers, as the rest of the kernel sees them. A task calls usb_run(), which finds the
 * devices that are plugged in, and waits for others; what is typed is taken in interrupt handlers.
 */
#pragma once

#include "kernel/dev/pci/pci.h"
#include "kernel/sync/wait_queue.h"

/* The LEDs of a keyboard, as HID numbers them. */
#define USB_LED_NUMBER_LOCK 1
#define USB_LED_CAPS_LOCK   2

/* Functions of the layers above that the driver calls. Fixed after boot. */
struct usb_host {
	/*
	 * Let the calling task sleep until `ready` returns true, or until the time deadline_ns of the monotonic clock.
	 * The driver wakes usb_queue whenever `ready` may have become true.
	 */
	void (*wait)(bool (*ready)(void *ctx), void *ctx, uint64_t deadline_ns);
	/* Take scan codes of set 1 that keys give. Called with interrupts off. Returns the LEDs that are to be on. */
	uint8_t (*keys)(const uint8_t *codes, size_t count);
};

/* The driver of xHCI controllers. */
extern const struct pci_driver usb_xhci_driver;

/* The task of usb_run() waits here. */
extern struct wait_queue usb_queue;

/* Set the functions of the layers above. Call before the driver is started. */
void usb_init(const struct usb_host *host);

/*
 * Serve all controllers that the driver has started, until usb_end() is called or none is left. `settled`, which may be
 * NULL, is called once when all devices that were plugged in at the start have been looked at; never after usb_end().
 */
void usb_run(void (*settled)(void));

/* Have usb_run() return soon. Any task may call this. */
void usb_end(void);

/* Return how many controllers run, and how many keyboards there are. */
unsigned usb_controllers(void);
unsigned usb_keyboards(void);
