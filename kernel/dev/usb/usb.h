/*
 * USB keyboards behind xHCI controllers, as the rest of the kernel sees them. A task calls usb_run(), which finds what
 * is plugged in, and waits for what comes and goes; keys are taken in interrupts.
 */
#pragma once

#include "kernel/dev/pci/pci.h"
#include "kernel/sync/wait_queue.h"

/* The LEDs of a keyboard, as HID numbers them. */
#define USB_LED_NUMBER_LOCK 1
#define USB_LED_CAPS_LOCK   2

/* What the layers above give. Fixed after boot. */
struct usb_host {
	/*
	 * Sleep, as a task, until `ready` returns true or the time is deadline_ns; whoever may have made it true wakes
	 * usb_queue.
	 */
	void (*wait)(bool (*ready)(void *ctx), void *ctx, uint64_t deadline_ns);
	/* Take scan codes of set 1 that keys give. Called with interrupts off. Returns the LEDs that are to be on. */
	uint8_t (*keys)(const uint8_t *codes, size_t count);
};

/* The driver of xHCI controllers. */
extern const struct pci_driver usb_xhci_driver;

/* The task of usb_run() waits here. */
extern struct wait_queue usb_queue;

/* Set what the layers above give. Call before the driver is started. */
void usb_init(const struct usb_host *host);

/*
 * Serve all controllers that the driver has started, until usb_end() is called or none is left. `settled` is called
 * once, when all devices that were plugged in have been looked at.
 */
void usb_run(void (*settled)(void));

/* Have usb_run() return soon. Any task may call this. */
void usb_end(void);

/* Return how many controllers run, and how many keyboards there are. */
unsigned usb_controllers(void);
unsigned usb_keyboards(void);
