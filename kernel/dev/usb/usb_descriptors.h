/*
 * What a USB device says about itself (USB 2.0, "Standard USB Descriptor Definitions"; HID 1.11, "Interface
 * Descriptor"). A device may be faulty or hostile: all lengths that it states are checked.
 */
#pragma once

#include "paging/types.h"

enum usb_descriptor {
	USB_DEVICE = 1,
	USB_CONFIGURATION = 2,
	USB_INTERFACE = 4,
	USB_ENDPOINT = 5,
	USB_HUB = 0x29,
	USB_HUB_3 = 0x2a, /* a hub of USB 3 */
};

#define USB_DEVICE_SIZE        18
#define USB_CONFIGURATION_SIZE 9

#define USB_CLASS_HID 3
#define USB_CLASS_HUB 9

/* The device descriptor. Fixed when read. */
struct usb_identity {
	uint16_t vendor, product;
	uint8_t class;
	uint8_t configurations;
};

/* An interrupt endpoint to the host, which the controller asks for a packet at intervals. Fixed when read. */
struct usb_interrupt_in {
	uint8_t number;   /* 1 to 15 */
	uint8_t interval; /* bInterval, whose unit depends on the speed; at least 1 */
	uint16_t packet;  /* most bytes of a packet, 1 to 1024 */
};

enum usb_kind {
	USB_NOTHING,    /* there is no driver for the device */
	USB_KEYBOARD,   /* an interface is a keyboard that knows HID's boot protocol */
	USB_OTHER_KEYS, /* an interface is of HID, but knows no boot protocol, or is no keyboard */
	USB_KIND_HUB,
};

/* What a configuration has for the drivers here: its first boot keyboard, or else its first hub. Fixed when read. */
struct usb_configuration {
	uint8_t value; /* the number by which it is selected */
	uint8_t kind;  /* enum usb_kind */
	uint8_t interface;
	struct usb_interrupt_in in; /* of USB_KEYBOARD and USB_KIND_HUB */
};

/* Read a device descriptor. Returns NULL, or what is wrong with it, as words for the log. */
const char *usb_read_identity(const uint8_t *bytes, size_t size, struct usb_identity *ret);

/*
 * Read a configuration, with its interfaces and endpoints, of which `size` bytes were received. A descriptor of which
 * the end was not received is left out. Returns NULL, or what is wrong with it, as words for the log.
 */
const char *usb_read_configuration(const uint8_t *bytes, size_t size, struct usb_configuration *ret);

/* Read how many ports a hub has, 1 to 255. Returns NULL, or what is wrong with the descriptor, as words for the log. */
const char *usb_read_hub(const uint8_t *bytes, size_t size, unsigned *ret_ports);
