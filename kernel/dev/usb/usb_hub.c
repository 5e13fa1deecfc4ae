/*
 * Serves USB hubs: turns on the power of their ports, and adds and removes the devices at them (USB 2.0, "Hub
 * Specification"; for faster hubs USB 3.2).
 */
#include "kernel/dev/usb/usb_device.h"
#include "kernel/lib/log.h"

#define TYPE_IN   0x80
#define TYPE_HUB  0x20
#define TYPE_PORT 0x23

#define GET_STATUS     0
#define CLEAR_FEATURE  1
#define SET_FEATURE    3
#define GET_DESCRIPTOR 6
#define SET_DEPTH      12

#define PORT_RESET 4
#define PORT_POWER 8
#define C_FIRST    16 /* the feature that clears bit 0 of a port's changes; those that clear bits 1 to 4 follow */
#define C_RESET    20

#define STATUS_CONNECTED  0x01u
#define STATUS_ENABLED    0x02u
#define STATUS_LOW_SPEED  0x200u
#define STATUS_HIGH_SPEED 0x400u
#define CHANGE_CONNECTED  (1u << 16)

#define DESCRIPTOR_SIZE 15
#define POWER_MS        100
#define STABLE_MS       100
#define RESET_MS        10
#define RESET_STEPS     50
#define ADD_TRIES       3

static bool port_feature(struct usb_device *hub, uint8_t request, uint16_t feature, uint8_t port)
{
	return usb_control(hub, (struct usb_request){
					.type = TYPE_PORT, .request = request, .value = feature, .index = port }) >= 0;
}

/* Read a port's status, in the lower half, and what has changed, in the upper; 0 when the hub does not answer. */
static uint32_t port_status(struct usb_device *hub, uint8_t port)
{
	const uint8_t *bytes = hub->buffer.bytes;
	struct usb_request request = { .type = TYPE_IN | TYPE_PORT, .request = GET_STATUS, .index = port, .size = 4 };

	if (usb_control(hub, request) != 4)
		return 0;
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

bool usb_hub_start(struct usb_device *device)
{
	bool fast = device->speed >= USB_SUPER;
	const char *wrong;
	uint64_t flags;
	int size = usb_control(device, (struct usb_request){ .type = TYPE_IN | TYPE_HUB,
							     .request = GET_DESCRIPTOR,
							     .value = (uint16_t)((fast ? USB_HUB_3 : USB_HUB) << 8),
							     .size = DESCRIPTOR_SIZE });

	wrong = size < 0 ? "does not say what it is" : usb_read_hub(device->buffer.bytes, (size_t)size, &device->ports);
	if (wrong) {
		log_info("USB %s: %s\n", device->name, wrong);
		return false;
	}
	if (device->ports > USB_HUB_PORTS) {
		log_info("USB %s: a hub with %u ports, of which the first %d are used\n", device->name, device->ports,
			 USB_HUB_PORTS);
		device->ports = USB_HUB_PORTS;
	}
	if (!usb_device_configure(device))
		return false;
	if (fast && usb_control(device, (struct usb_request){
						.type = TYPE_HUB, .request = SET_DEPTH, .value = device->depth }) < 0)
		return false;
	for (unsigned port = 1; port <= device->ports; port++)
		(void)port_feature(device, SET_FEATURE, PORT_POWER, (uint8_t)port);
	(void)usb_sleep_ms(POWER_MS);
	flags = lock_take(&usb_lock);
	device->changed = true;
	lock_release(&usb_lock, flags);
	return true;
}

/* Reset a port, after which its device answers at address 0. Returns the port's status; 0 when that takes too long. */
static uint32_t reset_port(struct usb_device *hub, uint8_t port)
{
	if (!port_feature(hub, SET_FEATURE, PORT_RESET, port))
		return 0;
	for (int i = 0; i < RESET_STEPS && usb_sleep_ms(RESET_MS); i++) {
		uint32_t status = port_status(hub, port);

		if (status & STATUS_ENABLED && status >> 16 & 1u << (C_RESET - C_FIRST)) {
			(void)port_feature(hub, CLEAR_FEATURE, C_RESET, port);
			return status;
		}
	}
	return 0;
}

static uint8_t speed_of(const struct usb_device *hub, uint32_t status)
{
	if (hub->speed >= USB_SUPER)
		return hub->speed;
	return status & STATUS_LOW_SPEED ? USB_LOW : status & STATUS_HIGH_SPEED ? USB_HIGH : USB_FULL;
}

static void look_at_port(struct usb_device *hub, uint8_t port)
{
	uint32_t status = port_status(hub, port);
	struct usb_device *device = usb_device_at(hub->xhci, hub, port);

	for (unsigned bit = 0; bit < 5; bit++)
		if (status >> 16 & 1u << bit)
			(void)port_feature(hub, CLEAR_FEATURE, (uint16_t)(C_FIRST + bit), port);
	if (device && (!(status & STATUS_CONNECTED) || status & CHANGE_CONNECTED)) {
		usb_device_remove(hub->xhci, hub, port);
		device = NULL;
	}
	if (device || !(status & STATUS_CONNECTED) || !usb_sleep_ms(STABLE_MS))
		return;
	for (int i = 0; i < ADD_TRIES && !usb_ending() && !hub->xhci->dead; i++) {
		usb_device_remove(hub->xhci, hub, port);
		status = reset_port(hub, port);
		if (status && usb_device_add(hub->xhci, hub, port, speed_of(hub, status)))
			return;
	}
}

void usb_hub_look(struct usb_device *device)
{
	uint64_t flags;

	for (unsigned port = 1; port <= device->ports && !usb_ending() && !device->xhci->dead; port++)
		look_at_port(device, (uint8_t)port);
	flags = lock_take(&usb_lock);
	if (!device->xhci->dead)
		usb_ask(device);
	lock_release(&usb_lock, flags);
}
