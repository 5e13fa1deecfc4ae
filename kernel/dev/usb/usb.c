/*
 * The task of USB: starts controllers, finds the devices that are plugged in, and does all for them that needs memory
 * or has to wait, which interrupt handlers cannot do.
 */
#include "kernel/dev/usb/usb.h"

#include "kernel/dev/usb/usb_device.h"
#include "kernel/dev/usb/xhci_registers.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/log.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/mmio.h"

#define CLASS_XHCI 0x0c0330

#define NS_PER_MS   1000000ULL
#define STABLE_MS   100 /* how long a plug must be in before it counts (USB 2.0, "Bus Enumeration") */
#define RESET_MS    10
#define RESET_STEPS 50
#define ADD_TRIES   3
#define RESTARTS    1
/* How long the task waits for news before it takes all devices for found: ports report some time after power-on. */
#define SETTLE_MS 1000

/* All controllers. Guard: the task of usb_run(), by which alone drivers are started and stopped. */
static struct xhci *usb_list;

/* ---- the driver ---- */

static bool claims(const struct pci_function *function)
{
	return function->class == CLASS_XHCI;
}

static void say_found(const struct xhci *xhci)
{
	pci_log(xhci->function, "xHCI: %u ports, %u slots%s; %s", xhci->ports, xhci->slots,
		xhci->low ? ", below 4 GiB only" : "",
		!xhci->has_interrupt    ? "no interrupt by messages: polled by a timer"
		: xhci->interrupt.table ? "interrupts by MSI-X"
					: "interrupts by MSI");
}

static bool start(struct pci_function *function)
{
	struct xhci *xhci = kzalloc(sizeof(*xhci));
	void *base;

	if (!xhci || pci_map_bar(function, 0, &base, &xhci->size) != OK) {
		kfree(xhci);
		return false;
	}
	xhci->function = function;
	xhci->base = base;
	xhci->poll.fire = xhci_poll;
	/* The registers answer only with memory decoding on, which firmware need not have turned on. */
	pci_write(function, PCI_COMMAND, (pci_read(function, PCI_COMMAND) & 0xffff) | PCI_COMMAND_MEMORY);
	if (!xhci_identify(xhci))
		goto unmap;
	if (!xhci_run(xhci)) {
		xhci_halt(xhci);
		goto unmap;
	}
	xhci->number = usb_controllers() + 1;
	xhci->next = usb_list;
	usb_list = xhci;
	say_found(xhci);
	return true;

unmap:
	mmio_unmap(base);
	kfree(xhci);
	return false;
}

/* Take a controller that has been halted out of the list, and free it. */
static void drop(struct xhci *xhci)
{
	struct xhci **link = &usb_list;

	while (*link != xhci)
		link = &(*link)->next;
	*link = xhci->next;
	mmio_unmap((void *)xhci->base);
	kfree(xhci);
}

static void stop(struct pci_function *function)
{
	struct xhci *xhci = usb_list;

	while (xhci && xhci->function != function)
		xhci = xhci->next;
	/* A controller that did not answer any more has been dropped before. */
	if (!xhci)
		return;
	xhci_halt(xhci);
	drop(xhci);
}

const struct pci_driver usb_xhci_driver = { .name = "xhci_hcd", .claims = claims, .start = start, .stop = stop };

/* ---- the controller's own ports ---- */

static volatile uint8_t *port_register(const struct xhci *xhci, unsigned port)
{
	return xhci->operational + XHCI_PORTS + 16 * (port - 1);
}

/*
 * Reset a port, and wait until it is enabled; a port of USB 3 is enabled without a reset. Returns the port's register;
 * 0 when nothing is plugged in, or the port is not enabled in time.
 */
static uint32_t reset_port(const struct xhci *xhci, unsigned port)
{
	volatile uint8_t *at = port_register(xhci, port);
	uint32_t value = mmio_read32(at);

	if (value & XHCI_PORT_ENABLED && XHCI_PORT_SPEED(value) >= USB_SUPER)
		return value;
	mmio_write32(at, (value & XHCI_PORT_KEEP) | XHCI_PORT_RESET);
	for (int i = 0; i < RESET_STEPS && usb_sleep_ms(RESET_MS); i++) {
		value = mmio_read32(at);
		if (value == XHCI_GONE || !(value & XHCI_PORT_CONNECTED))
			return 0;
		if (value & XHCI_PORT_ENABLED && !(value & XHCI_PORT_RESET)) {
			mmio_write32(at, (value & XHCI_PORT_KEEP) | (value & XHCI_PORT_CHANGES));
			return value;
		}
	}
	return 0;
}

static void look_at_port(struct xhci *xhci, unsigned port)
{
	volatile uint8_t *at = port_register(xhci, port);
	uint32_t value = mmio_read32(at);
	struct usb_device *device = usb_device_at(xhci, NULL, (uint8_t)port);

	if (value == XHCI_GONE)
		return;
	mmio_write32(at, (value & XHCI_PORT_KEEP) | (value & XHCI_PORT_CHANGES));
	if (device && (!(value & XHCI_PORT_CONNECTED) || value & XHCI_PORT_PLUGGED)) {
		usb_device_remove(xhci, NULL, (uint8_t)port);
		device = NULL;
	}
	if (device || !(value & XHCI_PORT_CONNECTED) || !usb_sleep_ms(STABLE_MS))
		return;
	for (int i = 0; i < ADD_TRIES && !usb_ending() && !xhci->dead; i++) {
		usb_device_remove(xhci, NULL, (uint8_t)port);
		value = reset_port(xhci, port);
		if (!value)
			continue;
		if (usb_device_add(xhci, NULL, (uint8_t)port, (uint8_t)XHCI_PORT_SPEED(value)))
			return;
	}
}

/* ---- the task ---- */

/* Clear a flag that interrupt handlers set, and return whether it was set. */
static bool take_flag(bool *flag)
{
	uint64_t flags = lock_take(&usb_lock);
	bool was = *flag;

	*flag = false;
	lock_release(&usb_lock, flags);
	return was;
}

/* Let an interrupt endpoint go on that has stopped after an error. */
static void restart_endpoint(struct usb_device *device)
{
	bool goes_on = usb_go_on(device, device->in_index, &device->in);
	uint64_t flags = lock_take(&usb_lock);

	if (goes_on)
		usb_ask(device);
	lock_release(&usb_lock, flags);
}

/*
 * Do the work of the first device that has some. Returns whether there was one: then the list of devices may have
 * changed, and the caller begins anew.
 */
static bool look_at_device(struct xhci *xhci)
{
	for (struct usb_device *device = xhci->devices; device; device = device->next) {
		if (device->kind != USB_KIND_HUB && device->kind != USB_KEYBOARD)
			continue;
		if (take_flag(&device->in_stopped)) {
			restart_endpoint(device);
			return true;
		}
		if (device->kind == USB_KIND_HUB && take_flag(&device->changed)) {
			usb_hub_look(device);
			return true;
		}
		if (device->kind == USB_KEYBOARD)
			usb_keyboard_look(device);
	}
	return false;
}

/*
 * Restart a controller that does not answer, or has stopped with an error. At the second time, or when it is gone, or
 * cannot be started, halt and free it.
 */
static void bury(struct xhci *xhci)
{
	uint32_t length = mmio_read32(xhci->base + XHCI_CAPABILITY_LENGTH);
	/* The registers of a controller that is not there any more read as ones, or as zeros. */
	bool gone = length == XHCI_GONE || !length;

	pci_log(xhci->function, "xHCI: %s",
		gone                        ? "gone"
		: xhci->restarts < RESTARTS ? "does not answer: started anew"
					    : "does not answer: left alone");
	xhci_halt(xhci);
	if (!gone && xhci->restarts++ < RESTARTS && xhci_run(xhci))
		return;
	xhci_halt(xhci);
	drop(xhci);
}

static void look_at(struct xhci *xhci)
{
	if (take_flag(&xhci->ports_changed))
		for (unsigned port = 1; port <= xhci->ports && !usb_ending() && !xhci->dead; port++)
			look_at_port(xhci, port);
	while (!usb_ending() && !xhci->dead && look_at_device(xhci))
		;
	if (xhci->dead && !usb_ending())
		bury(xhci);
}

void usb_run(void (*settled)(void))
{
	while (usb_list && !usb_ending()) {
		struct xhci *next;

		usb_begin_work();
		for (struct xhci *xhci = usb_list; xhci && !usb_ending(); xhci = next) {
			next = xhci->next;
			look_at(xhci);
		}
		usb_host->wait(usb_has_work, NULL,
			       settled ? time_add(clock_monotonic_ns(), SETTLE_MS * NS_PER_MS) : TIME_NEVER);
		if (settled && !usb_has_work(NULL)) {
			settled();
			settled = NULL;
		}
	}
	if (settled && !usb_ending())
		settled();
}

unsigned usb_controllers(void)
{
	unsigned count = 0;

	for (const struct xhci *xhci = usb_list; xhci; xhci = xhci->next)
		count++;
	return count;
}

unsigned usb_keyboards(void)
{
	unsigned count = 0;

	for (const struct xhci *xhci = usb_list; xhci; xhci = xhci->next)
		for (const struct usb_device *device = xhci->devices; device; device = device->next)
			count += device->kind == USB_KEYBOARD;
	return count;
}
