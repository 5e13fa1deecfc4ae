/*
 * The devices at xHCI controllers, for the files of kernel/dev/usb only. Unless their comments say otherwise, functions
 * are called by the task of usb_run() alone, in the kernel context, with usb_lock not held.
 */
#pragma once

#include "kernel/dev/usb/hid_keys.h"
#include "kernel/dev/usb/usb_descriptors.h"
#include "kernel/dev/usb/xhci.h"

enum usb_speed { USB_FULL = 1, USB_LOW = 2, USB_HIGH = 3, USB_SUPER = 4 };

#define USB_DEPTH     5    /* hubs between a device and the controller, at the most */
#define USB_HUB_PORTS 15   /* ports of a hub that a device's route can name */
#define USB_BUFFER    2048 /* bytes of a device's buffer for control transfers; its reports lie behind that */
#define USB_NAME      24

/* A device. Guard: the task of usb_run(), unless a field says otherwise. */
struct usb_device {
	struct xhci *xhci;
	struct usb_device *next;   /* in the controller's list */
	struct usb_device *parent; /* the hub that the device is plugged into; NULL: the controller itself */
	uint8_t port;              /* the port of the hub or the controller, from 1 on */
	uint8_t root_port;         /* the controller's port that leads to the device */
	uint8_t speed;             /* enum usb_speed */
	uint8_t depth;             /* how many hubs lie between the device and the controller */
	uint32_t route;            /* the ports of those hubs, 4 bits each */
	uint8_t slot;              /* the controller's number for the device; 0: it has none */
	uint8_t kind;              /* enum usb_kind */
	bool gone;                 /* was unplugged, or its hub was */
	char name[USB_NAME];       /* for the log: the ports that lead to the device, as in 2-1.3 */
	struct usb_identity identity;
	struct usb_configuration configuration;
	struct dma_page contexts; /* the device's state, which the controller writes */
	struct dma_page input;    /* what a command asks the controller to change in `contexts` */
	struct dma_page buffer;   /* USB_BUFFER bytes for control transfers, then a report */
	struct xhci_ring control; /* transfers to endpoint 0 */
	struct xhci_ring in;      /* transfers from the interrupt endpoint */
	uint8_t in_index;         /* the index of that endpoint in `contexts`; 0: none is in use */
	uint16_t in_size;         /* how many bytes a transfer from that endpoint asks for */
	bool in_stopped;          /* the endpoint has stopped after an error. Guard: usb_lock */
	uint8_t in_errors;        /* times it was let go on after an error, at most ERRORS_MOST. Guard: usb_lock */
	bool changed;             /* of a hub: a port's state has changed. Guard: usb_lock */
	unsigned ports;           /* of a hub: how many it has */
	struct hid_keys keys;     /* of a keyboard: those that are down. Guard: usb_lock */
	struct timer repeat;      /* of a keyboard: when the key that is down repeats. Guard: usb_lock */
	uint8_t leds;             /* of a keyboard: those that are on; 0xff: not known */
};

/* ---- xhci_command.c ---- */

/* A request to endpoint 0 of a device (USB 2.0, "USB Device Requests"). */
struct usb_request {
	uint8_t type, request;
	uint16_t value, index, size;
};

/*
 * Send a request, whose data is in device->buffer, and wait for its end. Returns how many bytes were transferred, or
 * -1: the device refuses it, does not answer in time, or is gone.
 */
int usb_control(struct usb_device *device, struct usb_request request);

/* Order the next packet from the interrupt endpoint. The caller holds usb_lock. May be called in interrupt handlers. */
void usb_ask(struct usb_device *device);

/*
 * Let an endpoint that has stopped after an error continue behind the transfers in `ring`. `index`: the endpoint's
 * index in the contexts. Returns false when the controller refuses.
 */
bool usb_go_on(struct usb_device *device, unsigned index, struct xhci_ring *ring);

/* ---- usb_device.c ---- */

/*
 * Add a device that was plugged in at a port of the hub `parent` or, if that is NULL, of the controller, and whose port
 * has been reset. Logs what the device is, or what is wrong. Returns false when the caller should remove the device,
 * reset the port and try again.
 */
bool usb_device_add(struct xhci *xhci, struct usb_device *parent, uint8_t port, uint8_t speed);

/* Remove the device at a port, if there is one, and all that is plugged into it. */
void usb_device_remove(struct xhci *xhci, const struct usb_device *parent, uint8_t port);

/* Return the device at a port, or NULL. */
struct usb_device *usb_device_at(const struct xhci *xhci, const struct usb_device *parent, uint8_t port);

/*
 * Tell the controller about the device's interrupt endpoint and, if it is a hub, how many ports it has. Returns false,
 * with a line in the log, when the controller refuses.
 */
bool usb_device_configure(struct usb_device *device);

/* ---- usb_hub.c, usb_keyboard.c ---- */

/* Start a hub or a keyboard whose configuration has been set. Returns false when a request fails. */
bool usb_hub_start(struct usb_device *device);
bool usb_keyboard_start(struct usb_device *device);

/* Add and remove devices at the ports of a hub that has reported a change. */
void usb_hub_look(struct usb_device *device);

/* Set a keyboard's LEDs to usb_leds, which an interrupt handler cannot do, since it takes a request and its answer. */
void usb_keyboard_look(struct usb_device *device);

/*
 * Take the packet of `size` bytes that a keyboard has sent. Called with usb_lock held, in interrupt handlers, too.
 */
void usb_keyboard_take(struct usb_device *device, const uint8_t *bytes, size_t size);

/* Release all keys that are down, before the device is freed. The caller holds usb_lock. */
void usb_keyboard_end(struct usb_device *device);

/* The LEDs that are to be on, of all keyboards: USB_LED_…. Guard: usb_lock. */
extern uint8_t usb_leds;
