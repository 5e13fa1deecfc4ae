/*
 * Takes an xHCI controller over from the firmware, resets it, and lets it run; and stops it (eXtensible Host Controller
 * Interface for USB, "Host Controller Initialization" and "USB Legacy Support Capability").
 */
#include "kernel/dev/usb/xhci.h"
#include "kernel/dev/usb/xhci_registers.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/mmio.h"

#define EXTENDED_MOST    64 /* more capabilities than any controller has: a longer list runs in a circle */
#define EXTENDED_LEGACY  1
#define LEGACY_FIRMWARE  (1u << 16)
#define LEGACY_KERNEL    (1u << 24)
#define LEGACY_SMI       0x0000e011u /* in the capability's second register: bits that enable SMIs to the firmware */
#define LEGACY_SMI_CLEAR 0xe0000000u /* in the second register: bits that are cleared by writing ones */

#define OWNER_WAIT_MS 1000
#define RESET_WAIT_MS 1000
#define HALT_WAIT_MS  100
#define STEP_MS       2
#define NS_PER_MS     1000000ULL
#define POWER_WAIT_MS 20

#define MODERATION 4000 /* least time between two interrupts, in units of 250 ns: one millisecond */

/* The offset in the page `table` of the entry that describes the ring of events: behind up to 256 addresses. */
#define SEGMENT_OFFSET 3072

#define SCRATCH_MOST (PAGE_SIZE / 8)

static uint32_t read_op(const struct xhci *xhci, uint32_t offset)
{
	return mmio_read32(xhci->operational + offset);
}

static void write_op(const struct xhci *xhci, uint32_t offset, uint32_t value)
{
	mmio_write32(xhci->operational + offset, value);
}

static void write_64(volatile uint8_t *at, uint64_t value)
{
	mmio_write32(at, (uint32_t)value);
	mmio_write32(at + 4, (uint32_t)(value >> 32));
}

/* Wait until the bits in `mask` of a register equal `value`. Returns false when that takes too long. */
static bool wait_for(const volatile uint8_t *at, uint32_t mask, uint32_t value, unsigned ms)
{
	uint64_t deadline = time_add(clock_monotonic_ns(), ms * NS_PER_MS);

	for (;;) {
		/*
		 * Look at the clock before the register: the task may have lost the CPU for long in between, in which
		 * case the register is looked at once more after the deadline.
		 */
		bool late = clock_monotonic_ns() >= deadline;
		uint32_t now = mmio_read32(at);

		if (now == XHCI_GONE || (late && (now & mask) != value))
			return false;
		if ((now & mask) == value)
			return true;
		/* When usb_run() is to end, usb_sleep_ms() returns at once, and the loop polls until the deadline. */
		(void)usb_sleep_ms(STEP_MS);
	}
}

static void take_ownership(struct xhci *xhci, volatile uint8_t *legacy)
{
	if (mmio_read32(legacy) & LEGACY_FIRMWARE) {
		mmio_write32(legacy, mmio_read32(legacy) | LEGACY_KERNEL);
		if (!wait_for(legacy, LEGACY_FIRMWARE, 0, OWNER_WAIT_MS)) {
			pci_log(xhci->function, "xHCI: the firmware does not let it go: taken all the same");
			mmio_write32(legacy, (mmio_read32(legacy) & ~LEGACY_FIRMWARE) | LEGACY_KERNEL);
		}
	} else {
		mmio_write32(legacy, mmio_read32(legacy) | LEGACY_KERNEL);
	}
	mmio_write32(legacy + 4, (mmio_read32(legacy + 4) & ~LEGACY_SMI) | LEGACY_SMI_CLEAR);
}

/* Go through the extended capabilities. Returns false when they do not lie in the BAR, or run in a circle. */
static bool look_at_extended(struct xhci *xhci)
{
	uint64_t offset = (uint64_t)(mmio_read32(xhci->base + XHCI_CAPABILITIES_1) >> 16) * 4;

	for (unsigned i = 0; offset; i++) {
		uint32_t head, step;

		if (i == EXTENDED_MOST || offset + 8 > xhci->size) {
			pci_log(xhci->function, "xHCI: capabilities at %#llx, which %s: left alone",
				(unsigned long long)offset,
				i == EXTENDED_MOST ? "run in a circle" : "lie beyond its registers");
			return false;
		}
		head = mmio_read32(xhci->base + offset);
		if ((head & 0xff) == EXTENDED_LEGACY)
			take_ownership(xhci, xhci->base + offset);
		step = (head >> 8 & 0xff) * 4;
		offset = step ? offset + step : 0;
	}
	return true;
}

bool xhci_identify(struct xhci *xhci)
{
	uint32_t length = mmio_read32(xhci->base + XHCI_CAPABILITY_LENGTH) & 0xff, one, two, capabilities;
	uint64_t doorbells, runtime;

	one = mmio_read32(xhci->base + XHCI_STRUCTURE_1);
	two = mmio_read32(xhci->base + XHCI_STRUCTURE_2);
	capabilities = mmio_read32(xhci->base + XHCI_CAPABILITIES_1);
	doorbells = mmio_read32(xhci->base + XHCI_DOORBELLS) & ~3u;
	runtime = mmio_read32(xhci->base + XHCI_RUNTIME) & ~31u;
	xhci->slots = one & 0xff;
	xhci->ports = one >> 24;
	xhci->context_size = capabilities & XHCI_CONTEXTS_64 ? 64 : 32;
	xhci->low = !(capabilities & XHCI_REACHES_64);
	xhci->scratch_count = (two >> 21 & 0x1f) << 5 | two >> 27;
	if (!xhci->slots || !xhci->ports || length < 0x20 || length % 4 ||
	    length + XHCI_PORTS + 16ULL * xhci->ports > xhci->size ||
	    doorbells + 4ULL * (xhci->slots + 1) > xhci->size || runtime + XHCI_RUNTIME_SIZE > xhci->size) {
		pci_log(xhci->function, "xHCI: registers that make no sense (%#x %#x %#x): left alone", length, one,
			capabilities);
		return false;
	}
	xhci->operational = xhci->base + length;
	xhci->doorbells = xhci->base + doorbells;
	xhci->runtime = xhci->base + runtime;
	if (xhci->scratch_count > SCRATCH_MOST || !(read_op(xhci, XHCI_PAGE_SIZE) & 1)) {
		pci_log(xhci->function, "xHCI: wants %u pages of sizes %#x for itself: left alone", xhci->scratch_count,
			read_op(xhci, XHCI_PAGE_SIZE));
		return false;
	}
	return look_at_extended(xhci);
}

/* ---- memory ---- */

static bool take_page(struct xhci *xhci, struct dma_page *ret)
{
	return dma_page_alloc(xhci->low, ret) == OK;
}

static bool take_scratch(struct xhci *xhci)
{
	if (!xhci->scratch_count)
		return true;
	xhci->scratch = kzalloc(xhci->scratch_count * sizeof(*xhci->scratch));
	if (!xhci->scratch || !take_page(xhci, &xhci->scratch_table))
		return false;
	for (unsigned i = 0; i < xhci->scratch_count; i++) {
		if (!take_page(xhci, &xhci->scratch[i]))
			return false;
		((uint64_t *)xhci->scratch_table.bytes)[i] = xhci->scratch[i].at.raw;
	}
	((uint64_t *)xhci->table.bytes)[0] = xhci->scratch_table.at.raw;
	return true;
}

static bool take_memory(struct xhci *xhci)
{
	struct dma_page commands, events;
	uint64_t *segment;

	xhci->by_slot = kzalloc((xhci->slots + 1) * sizeof(*xhci->by_slot));
	if (!xhci->by_slot || !take_page(xhci, &xhci->table) || !take_scratch(xhci) || !take_page(xhci, &commands))
		return false;
	xhci_ring_init(&xhci->commands, commands);
	if (!take_page(xhci, &events))
		return false;
	xhci_events_init(&xhci->events, events);
	segment = (uint64_t *)((uint8_t *)xhci->table.bytes + SEGMENT_OFFSET);
	segment[0] = events.at.raw;
	segment[1] = XHCI_RING;
	return true;
}

static void free_memory(struct xhci *xhci)
{
	dma_page_free(&xhci->commands.page);
	dma_page_free(&xhci->events.page);
	for (unsigned i = 0; xhci->scratch && i < xhci->scratch_count; i++)
		dma_page_free(&xhci->scratch[i]);
	dma_page_free(&xhci->scratch_table);
	dma_page_free(&xhci->table);
	kfree(xhci->scratch);
	kfree(xhci->by_slot);
	xhci->scratch = NULL;
	xhci->by_slot = NULL;
}

/* ---- running ---- */

/* Stop and reset the controller. Returns false when it does not obey. */
static bool reset(struct xhci *xhci)
{
	write_op(xhci, XHCI_COMMAND, read_op(xhci, XHCI_COMMAND) & ~(XHCI_COMMAND_RUN | XHCI_COMMAND_INTERRUPT));
	if (!wait_for(xhci->operational + XHCI_STATUS, XHCI_STATUS_HALTED, XHCI_STATUS_HALTED, HALT_WAIT_MS))
		return false;
	write_op(xhci, XHCI_COMMAND, XHCI_COMMAND_RESET);
	return wait_for(xhci->operational + XHCI_COMMAND, XHCI_COMMAND_RESET, 0, RESET_WAIT_MS) &&
	       wait_for(xhci->operational + XHCI_STATUS, XHCI_STATUS_NOT_READY, 0, RESET_WAIT_MS);
}

static void set_registers(struct xhci *xhci)
{
	volatile uint8_t *runtime = xhci->runtime;

	write_op(xhci, XHCI_CONFIGURE, xhci->slots);
	write_64(xhci->operational + XHCI_CONTEXTS, xhci->table.at.raw);
	write_64(xhci->operational + XHCI_COMMAND_RING, xhci_ring_place(&xhci->commands));
	mmio_write32(runtime + XHCI_SEGMENTS, 1);
	write_64(runtime + XHCI_DEQUEUE, xhci_events_place(&xhci->events).raw | XHCI_DEQUEUE_BUSY);
	write_64(runtime + XHCI_SEGMENT_TABLE, dma_add(xhci->table.at, SEGMENT_OFFSET).raw);
	mmio_write32(runtime + XHCI_MODERATION, MODERATION);
	mmio_write32(runtime + XHCI_INTERRUPTER, XHCI_INTERRUPTER_ON | XHCI_INTERRUPTER_PENDING);
}

static void power_ports(struct xhci *xhci)
{
	for (unsigned port = 0; port < xhci->ports; port++) {
		uint32_t at = XHCI_PORTS + 16 * port, value = read_op(xhci, at);

		if (!(value & XHCI_PORT_POWER))
			write_op(xhci, at, (value & XHCI_PORT_KEEP) | XHCI_PORT_POWER);
	}
	(void)usb_sleep_ms(POWER_WAIT_MS);
}

bool xhci_run(struct xhci *xhci)
{
	if (!reset(xhci)) {
		pci_log(xhci->function, "xHCI: cannot be reset, status %#x: left alone", read_op(xhci, XHCI_STATUS));
		return false;
	}
	if (!take_memory(xhci)) {
		pci_log(xhci->function, "xHCI: no memory");
		return false;
	}
	pci_enable(xhci->function);
	set_registers(xhci);
	xhci->dead = false;
	xhci->ports_changed = true;
	xhci->has_interrupt = pci_interrupt_start(xhci->function, xhci_serve, xhci, &xhci->interrupt) == OK;
	if (!xhci->has_interrupt)
		xhci_poll(&xhci->poll);
	write_op(xhci, XHCI_COMMAND, XHCI_COMMAND_RUN | XHCI_COMMAND_INTERRUPT | XHCI_COMMAND_ERRORS);
	if (!wait_for(xhci->operational + XHCI_STATUS, XHCI_STATUS_HALTED, 0, HALT_WAIT_MS)) {
		pci_log(xhci->function, "xHCI: does not run, status %#x: left alone", read_op(xhci, XHCI_STATUS));
		return false;
	}
	if (mmio_read32(xhci->base + XHCI_CAPABILITIES_1) & XHCI_SWITCHES_PORT)
		power_ports(xhci);
	usb_wake();
	return true;
}

void xhci_halt(struct xhci *xhci)
{
	uint64_t flags = lock_take(&usb_lock);

	xhci->dead = true;
	lock_release(&usb_lock, flags);
	(void)timer_cancel(&xhci->poll);
	if (xhci->has_interrupt)
		pci_interrupt_stop(xhci->function, &xhci->interrupt);
	xhci->has_interrupt = false;
	/*
	 * Even if the reset fails, the controller can be stopped from writing to memory that is about to be freed: by
	 * turning its bus mastering off.
	 */
	(void)reset(xhci);
	pci_disable(xhci->function);
	usb_devices_forget(xhci);
	free_memory(xhci);
}
