/*
 * Adds a device that was plugged in (eXtensible Host Controller Interface for USB, "USB Device Initialization"), and
 * removes it when it is unplugged. A *context* here is a structure by which driver and controller tell each other about
 * a device or an endpoint.
 */
#include "kernel/dev/usb/usb_device.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define TYPE_IN              0x80
#define GET_DESCRIPTOR       6
#define SET_CONFIGURATION    9
#define CONFIGURATIONS_BYTES 1024 /* what is read of a configuration: boot keyboards' have less than 100 bytes */

#define CONTROL_INDEX 1

#define ENDPOINT_CONTROL      4u
#define ENDPOINT_INTERRUPT_IN 7u
#define RETRIES               (3u << 1) /* in a context: how often the controller tries before it reports an error */

#define RESET_REST_MS 10 /* how long a device may need after a reset, and after it got its address */

/* Log a line about a device, which begins with its name. */
#define device_log(device, format, ...) log_info("USB %s: " format "\n", (device)->name, ##__VA_ARGS__)

/* ---- contexts ---- */

/* Return context number `index` of the page `input`; number 0 says which of the others the controller is to read. */
static uint32_t *input_at(const struct usb_device *device, unsigned index)
{
	return (uint32_t *)((uint8_t *)device->input.bytes + index * device->xhci->context_size);
}

/* Clear the page `input`, and have the controller read the contexts of the bitmap `add`: bit 0 is the slot's. */
static void input_begin(struct usb_device *device, uint32_t add)
{
	memset(device->input.bytes, 0, PAGE_SIZE);
	input_at(device, 0)[1] = add;
}

/*
 * Return the hub that translates for a device of low or full speed: the nearest hub of high speed between it and the
 * controller, with the hub's port in *ret_port; NULL: none does.
 */
static const struct usb_device *translator_of(const struct usb_device *device, uint8_t *ret_port)
{
	const struct usb_device *at = device;

	if (device->speed != USB_LOW && device->speed != USB_FULL)
		return NULL;
	while (at->parent && at->parent->speed != USB_HIGH)
		at = at->parent;
	*ret_port = at->port;
	return at->parent;
}

static void put_slot(struct usb_device *device, unsigned last_index)
{
	uint32_t *slot = input_at(device, 1);
	uint8_t port = 0;
	const struct usb_device *translator = translator_of(device, &port);

	slot[0] = device->route | (uint32_t)device->speed << 20 | last_index << 27;
	slot[1] = (uint32_t)device->root_port << 16;
	if (translator)
		slot[2] = translator->slot | (uint32_t)port << 8;
	if (device->kind == USB_KIND_HUB) {
		slot[0] |= 1u << 26;
		slot[1] |= device->ports << 24;
	}
}

static void put_endpoint(struct usb_device *device, unsigned index, uint32_t type, uint16_t packet, unsigned interval,
			 const struct xhci_ring *ring)
{
	uint32_t *endpoint = input_at(device, 1 + index);
	uint64_t place = xhci_ring_place(ring);

	endpoint[0] = interval << 16;
	endpoint[1] = RETRIES | type << 3 | (uint32_t)packet << 16;
	endpoint[2] = (uint32_t)place;
	endpoint[3] = (uint32_t)(place >> 32);
	endpoint[4] = type == ENDPOINT_CONTROL ? 8 : packet | (uint32_t)packet << 16;
}

/*
 * Return the interval of the interrupt endpoint in the form of contexts: n for 125 us * 2^n, which is at most what the
 * device asks for.
 */
static unsigned interval_of(const struct usb_device *device)
{
	unsigned asked = device->configuration.in.interval, interval = 3;

	if (device->speed >= USB_HIGH)
		return asked > 16 ? 15 : asked - 1;
	while (interval < 10 && 2u << (interval - 3) <= asked)
		interval++;
	return interval;
}

static bool command(struct usb_device *device, enum xhci_trb_type type)
{
	uint8_t code =
		xhci_command(device->xhci, device->input.at.raw, TRB_TYPE(type) | (uint32_t)device->slot << 24, NULL);

	if (code != XHCI_SUCCESS)
		device_log(device, "left alone: the controller's command %d ended with code %u", type, code);
	return code == XHCI_SUCCESS;
}

bool usb_device_configure(struct usb_device *device)
{
	uint16_t packet = device->configuration.in.packet;
	unsigned index = device->configuration.in.number * 2u + 1;
	uint64_t flags;

	input_begin(device, 1u | 1u << index);
	put_slot(device, index);
	put_endpoint(device, index, ENDPOINT_INTERRUPT_IN, packet, interval_of(device), &device->in);
	if (!command(device, TRB_CONFIGURE_ENDPOINT))
		return false;
	flags = lock_take(&usb_lock);
	device->in_size = packet < PAGE_SIZE - USB_BUFFER ? packet : PAGE_SIZE - USB_BUFFER;
	device->in_index = (uint8_t)index;
	lock_release(&usb_lock, flags);
	return true;
}

/* ---- a new device ---- */

static uint16_t first_packet(const struct usb_device *device)
{
	return device->speed >= USB_SUPER ? 512 : device->speed == USB_HIGH ? 64 : 8;
}

static bool take_memory(struct usb_device *device)
{
	bool low = device->xhci->low;
	struct dma_page control, in;

	if (dma_page_alloc(low, &device->contexts) != OK || dma_page_alloc(low, &device->input) != OK ||
	    dma_page_alloc(low, &device->buffer) != OK || dma_page_alloc(low, &control) != OK)
		return false;
	xhci_ring_init(&device->control, control);
	if (dma_page_alloc(low, &in) != OK)
		return false;
	xhci_ring_init(&device->in, in);
	return true;
}

/* Free a device that the controller does not know any more. */
static void free_device(struct usb_device *device)
{
	dma_page_free(&device->contexts);
	dma_page_free(&device->input);
	dma_page_free(&device->buffer);
	dma_page_free(&device->control.page);
	dma_page_free(&device->in.page);
	kfree(device);
}

/* Have the controller give the device an address. */
static bool address(struct usb_device *device)
{
	struct xhci *xhci = device->xhci;
	uint8_t slot = 0, code = xhci_command(xhci, 0, TRB_TYPE(TRB_ENABLE_SLOT), &slot);
	uint64_t flags;

	if (code != XHCI_SUCCESS || !slot || slot > xhci->slots || xhci->by_slot[slot]) {
		device_log(device, "left alone: no slot for it, code %u, slot %u", code, slot);
		return false;
	}
	device->slot = slot;
	((uint64_t *)xhci->table.bytes)[slot] = device->contexts.at.raw;
	flags = lock_take(&usb_lock);
	xhci->by_slot[slot] = device;
	lock_release(&usb_lock, flags);
	input_begin(device, 3);
	put_slot(device, CONTROL_INDEX);
	put_endpoint(device, CONTROL_INDEX, ENDPOINT_CONTROL, first_packet(device), 0, &device->control);
	return command(device, TRB_ADDRESS_DEVICE) && usb_sleep_ms(RESET_REST_MS);
}

static int get_descriptor(struct usb_device *device, enum usb_descriptor which, uint16_t size)
{
	return usb_control(device, (struct usb_request){ .type = TYPE_IN,
							 .request = GET_DESCRIPTOR,
							 .value = (uint16_t)(which << 8),
							 .size = size });
}

/* Tell the controller how long packets to endpoint 0 may be, which the first 8 bytes of the device's descriptor say. */
static bool set_packet(struct usb_device *device)
{
	const uint8_t *bytes = device->buffer.bytes;
	uint8_t packet;

	if (get_descriptor(device, USB_DEVICE, 8) != 8)
		return false;
	packet = bytes[7];
	if (device->speed != USB_FULL || packet == first_packet(device))
		return true;
	if (packet != 16 && packet != 32 && packet != 64) {
		device_log(device, "left alone: packets of %u bytes", packet);
		return false;
	}
	input_begin(device, 2);
	put_endpoint(device, CONTROL_INDEX, ENDPOINT_CONTROL, packet, 0, &device->control);
	return command(device, TRB_EVALUATE_CONTEXT);
}

/* Read the device's descriptors. Returns false, with a line in the log, when it sends none, or one that is wrong. */
static bool identify(struct usb_device *device)
{
	const char *wrong = NULL;
	int size = set_packet(device) ? get_descriptor(device, USB_DEVICE, USB_DEVICE_SIZE) : -1;

	if (size >= 0)
		wrong = usb_read_identity(device->buffer.bytes, (size_t)size, &device->identity);
	if (size >= 0 && !wrong) {
		size = get_descriptor(device, USB_CONFIGURATION, CONFIGURATIONS_BYTES);
		if (size >= 0)
			wrong = usb_read_configuration(device->buffer.bytes, (size_t)size, &device->configuration);
	}
	if (size < 0 || wrong)
		device_log(device, "left alone: %s", wrong ? wrong : "does not say what it is");
	return size >= 0 && !wrong;
}

/* Start the device as a keyboard or a hub, if it is one, and log what it is. Returns false when that fails. */
static bool start(struct usb_device *device)
{
	static const char *const names[] = { "no driver", "keyboard", "no keyboard with a boot protocol, so no driver",
					     "hub" };

	device->kind = device->configuration.kind;
	if (device->kind == USB_KEYBOARD || device->kind == USB_KIND_HUB) {
		if (usb_control(device, (struct usb_request){ .request = SET_CONFIGURATION,
							      .value = device->configuration.value }) < 0 ||
		    !(device->kind == USB_KEYBOARD ? usb_keyboard_start(device) : usb_hub_start(device))) {
			device_log(device, "left alone: a %s that cannot be set up", names[device->kind]);
			device->kind = USB_NOTHING;
			return false;
		}
	}
	device_log(device, "%04x:%04x, %s", device->identity.vendor, device->identity.product, names[device->kind]);
	return true;
}

/* Write the name: the controller's number, and the ports that lead to the device. */
static void put_name(struct usb_device *device, uint8_t port)
{
	if (device->parent)
		format_s(device->name, sizeof(device->name), "%s.%u", device->parent->name, port);
	else
		format_s(device->name, sizeof(device->name), "%u-%u", device->xhci->number, port);
}

/*
 * Have the controller forget the device. Returns false when the controller does not answer: then it may still write to
 * the device's memory, which must not be freed.
 */
static bool forget(struct usb_device *device)
{
	struct xhci *xhci = device->xhci;
	uint64_t flags;

	if (device->slot && xhci_command(xhci, 0, TRB_TYPE(TRB_DISABLE_SLOT) | (uint32_t)device->slot << 24, NULL) == 0)
		return false;
	flags = lock_take(&usb_lock);
	if (device->slot) {
		xhci->by_slot[device->slot] = NULL;
		((uint64_t *)xhci->table.bytes)[device->slot] = 0;
	}
	usb_keyboard_end(device);
	lock_release(&usb_lock, flags);
	return true;
}

bool usb_device_add(struct xhci *xhci, struct usb_device *parent, uint8_t port, uint8_t speed)
{
	struct usb_device *device = kzalloc(sizeof(*device));

	if (!device) {
		log_err("USB: no memory for a device\n");
		return true;
	}
	device->xhci = xhci;
	device->parent = parent;
	device->port = port;
	device->root_port = parent ? parent->root_port : port;
	device->depth = parent ? parent->depth + 1 : 0;
	device->route = parent ? parent->route | (uint32_t)port << 4 * parent->depth : 0;
	device->speed = speed;
	device->next = xhci->devices;
	xhci->devices = device;
	put_name(device, port);
	if (!take_memory(device)) {
		device_log(device, "left alone: no memory");
		return true;
	}
	if (device->depth > USB_DEPTH) {
		device_log(device, "left alone: behind more than %d hubs", USB_DEPTH);
		return true;
	}
	return usb_sleep_ms(RESET_REST_MS) && address(device) && identify(device) && start(device);
}

struct usb_device *usb_device_at(const struct xhci *xhci, const struct usb_device *parent, uint8_t port)
{
	for (struct usb_device *device = xhci->devices; device; device = device->next)
		if (device->parent == parent && device->port == port)
			return device;
	return NULL;
}

void usb_device_remove(struct xhci *xhci, const struct usb_device *parent, uint8_t port)
{
	struct usb_device *device = usb_device_at(xhci, parent, port);

	if (!device)
		return;
	if (device->slot && !usb_ending())
		device_log(device, "unplugged");
	device->gone = true;
	/*
	 * A device is in the list before the hub that it is plugged into, so that one pass marks only the devices of
	 * hubs that were marked before: repeat that until a pass marks none.
	 */
	for (bool more = true; more;) {
		more = false;
		for (struct usb_device *d = xhci->devices; d; d = d->next) {
			if (!d->gone && d->parent && d->parent->gone) {
				d->gone = true;
				more = true;
			}
		}
	}
	for (struct usb_device **link = &xhci->devices; *link;) {
		struct usb_device *d = *link;

		if (!d->gone) {
			link = &d->next;
			continue;
		}
		/* A dead controller is halted soon, which frees all its devices. */
		if (!forget(d))
			return;
		*link = d->next;
		free_device(d);
	}
}

void usb_devices_forget(struct xhci *xhci)
{
	while (xhci->devices) {
		struct usb_device *device = xhci->devices;
		uint64_t flags = lock_take(&usb_lock);

		usb_keyboard_end(device);
		lock_release(&usb_lock, flags);
		xhci->devices = device->next;
		free_device(device);
	}
}
