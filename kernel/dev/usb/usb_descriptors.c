/*
 * Reads USB descriptors; see usb_descriptors.h.
 */
#include "kernel/dev/usb/usb_descriptors.h"

#define INTERFACE_SIZE 9
#define ENDPOINT_SIZE  7
#define HUB_SIZE       7

#define SUBCLASS_BOOT     1
#define PROTOCOL_KEYBOARD 1

#define ENDPOINT_IN        0x80
#define ENDPOINT_TYPE      0x03
#define ENDPOINT_INTERRUPT 0x03
#define PACKET_MASK        0x7ff
#define PACKET_MOST        1024

static uint16_t u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

const char *usb_read_identity(const uint8_t *bytes, size_t size, struct usb_identity *ret)
{
	if (size < USB_DEVICE_SIZE || bytes[0] < USB_DEVICE_SIZE)
		return "a device descriptor that is too short";
	if (bytes[1] != USB_DEVICE)
		return "another descriptor instead of the device's";
	*ret = (struct usb_identity){
		.class = bytes[4], .vendor = u16(bytes + 8), .product = u16(bytes + 10), .configurations = bytes[17]
	};
	return ret->configurations ? NULL : "no configuration";
}

/* Return what an interface is. */
static enum usb_kind kind_of(const uint8_t *interface)
{
	if (interface[5] == USB_CLASS_HUB)
		return USB_KIND_HUB;
	if (interface[5] != USB_CLASS_HID)
		return USB_NOTHING;
	return interface[6] == SUBCLASS_BOOT && interface[7] == PROTOCOL_KEYBOARD ? USB_KEYBOARD : USB_OTHER_KEYS;
}

/*
 * Read an endpoint. Returns false when it is of another kind than an interrupt endpoint to the host, or makes no sense.
 */
static bool read_endpoint(const uint8_t *bytes, struct usb_interrupt_in *ret)
{
	*ret = (struct usb_interrupt_in){ .number = bytes[2] & 0xf,
					  .interval = bytes[6] ? bytes[6] : 1,
					  .packet = u16(bytes + 4) & PACKET_MASK };
	return (bytes[2] & ENDPOINT_IN) && (bytes[3] & ENDPOINT_TYPE) == ENDPOINT_INTERRUPT && ret->number &&
	       ret->packet && ret->packet <= PACKET_MOST;
}

/* Return the rank of a kind: when a configuration has interfaces of several kinds, that of the highest rank is used. */
static unsigned worth(unsigned kind)
{
	return kind == USB_KEYBOARD ? 3 : kind == USB_KIND_HUB ? 2 : kind == USB_OTHER_KEYS ? 1 : 0;
}

const char *usb_read_configuration(const uint8_t *bytes, size_t size, struct usb_configuration *ret)
{
	const uint8_t *interface = NULL;
	size_t total, step;

	if (size < USB_CONFIGURATION_SIZE || bytes[0] < USB_CONFIGURATION_SIZE)
		return "a configuration that is too short";
	if (bytes[1] != USB_CONFIGURATION)
		return "another descriptor instead of a configuration";
	total = u16(bytes + 2) < size ? u16(bytes + 2) : size;
	*ret = (struct usb_configuration){ .value = bytes[5] };
	for (size_t at = bytes[0]; at + 2 <= total; at += step) {
		const uint8_t *d = bytes + at;
		struct usb_interrupt_in in;

		step = d[0];
		if (step < 2)
			return "a descriptor of length 0 or 1";
		if (step > total - at)
			return NULL;
		if (d[1] == USB_INTERFACE) {
			/* Only the first of an interface's settings is used, which has the number 0. */
			interface = step >= INTERFACE_SIZE && d[3] == 0 ? d : NULL;
			if (interface && kind_of(d) == USB_OTHER_KEYS && worth(ret->kind) < worth(USB_OTHER_KEYS))
				ret->kind = USB_OTHER_KEYS;
		} else if (d[1] == USB_ENDPOINT && step >= ENDPOINT_SIZE && interface && read_endpoint(d, &in)) {
			enum usb_kind kind = kind_of(interface);

			if (worth(kind) > worth(ret->kind)) {
				ret->kind = (uint8_t)kind;
				ret->interface = interface[2];
				ret->in = in;
			}
		}
	}
	return NULL;
}

const char *usb_read_hub(const uint8_t *bytes, size_t size, unsigned *ret_ports)
{
	if (size < HUB_SIZE || bytes[0] < HUB_SIZE)
		return "a hub descriptor that is too short";
	if (bytes[1] != USB_HUB && bytes[1] != USB_HUB_3)
		return "another descriptor instead of the hub's";
	if (!bytes[2])
		return "a hub without ports";
	*ret_ports = bytes[2];
	return NULL;
}
