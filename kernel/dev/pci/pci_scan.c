/*
 * Looks at buses one by one for PCI functions, and follows bridges to further buses; see pci_scan.h.
 */
#include "kernel/dev/pci/pci_scan.h"

#define DEVICES        32
#define FUNCTIONS      8
#define MULTI_FUNCTION 0x800000u /* in the register PCI_HEADER */

static bool has(const uint64_t *bitmap, unsigned bus)
{
	return bitmap[bus / 64] >> bus % 64 & 1;
}

static void set(uint64_t *bitmap, unsigned bus)
{
	bitmap[bus / 64] |= 1ULL << bus % 64;
}

static void fault(const struct pci_scan *scan, struct pci_address address, const char *what, uint64_t value)
{
	scan->access->fault(scan->access->ctx, address, what, value);
}

/* Add the bus behind a bridge, if the firmware has given it a number that makes sense. */
static void follow(struct pci_scan *scan, const struct pci_function *bridge)
{
	uint8_t bus = bridge->secondary;

	/* Firmware leaves a bridge with bus 0 when nothing is behind it. */
	if (!bus)
		return;
	if (bus <= bridge->address.bus || bridge->subordinate < bus || bus > scan->last) {
		fault(scan, bridge->address, "a bridge to a bus that cannot be behind it", bus);
		return;
	}
	if (has(scan->seen, bus)) {
		fault(scan, bridge->address, "a second bridge to a bus", bus);
		return;
	}
	set(scan->seen, bus);
	set(scan->pending, bus);
	if (bridge->only_one)
		set(scan->only_one, bus);
}

/* Read the function at an address, if there is one, and pass it on. Returns false when the scan is to end. */
static bool look(struct pci_scan *scan, struct pci_address address)
{
	struct pci_function function;

	if (!pci_read_function(scan->access, address, &function))
		return true;
	if (scan->count == PCI_FUNCTIONS_MOST) {
		fault(scan, address, "too many functions, the rest is left out", PCI_FUNCTIONS_MOST);
		return false;
	}
	scan->count++;
	if (!scan->found(scan->access->ctx, &function))
		return false;
	if (function.header == PCI_HEADER_BRIDGE && !function.broken)
		follow(scan, &function);
	return true;
}

/*
 * Look for the functions of a device. Every device has a function 0, whose header says whether there may be others.
 * Returns false when the scan is to end.
 */
static bool look_at_device(struct pci_scan *scan, struct pci_address address)
{
	uint32_t id = scan->access->config_read(scan->access->ctx, address, PCI_ID), header;

	if ((id & 0xffff) == 0xffff || (id & 0xffff) == 0)
		return true;
	header = scan->access->config_read(scan->access->ctx, address, PCI_HEADER);
	for (unsigned function = 0; function < (header & MULTI_FUNCTION ? FUNCTIONS : 1); function++) {
		address.function = (uint8_t)function;
		if (!look(scan, address))
			return false;
	}
	return true;
}

/*
 * Choose the bus to look at next: the lowest one behind a bridge, or the lowest that was not seen. -1: there is none.
 */
static int next_bus(struct pci_scan *scan)
{
	for (unsigned word = 0; word < 4; word++) {
		if (scan->pending[word]) {
			unsigned bus = word * 64 + (unsigned)__builtin_ctzll(scan->pending[word]);

			scan->pending[word] &= scan->pending[word] - 1;
			return (int)bus;
		}
	}
	for (unsigned bus = scan->first; bus <= scan->last; bus++) {
		if (!has(scan->seen, bus)) {
			set(scan->seen, bus);
			return (int)bus;
		}
	}
	return -1;
}

bool pci_scan_step(struct pci_scan *scan)
{
	int bus = scan->ended ? -1 : next_bus(scan);
	struct pci_address address = { .segment = scan->segment, .bus = (uint8_t)bus };

	if (bus < 0)
		return false;
	for (unsigned device = 0; device < (has(scan->only_one, (unsigned)bus) ? 1 : DEVICES); device++) {
		address.device = (uint8_t)device;
		if (!look_at_device(scan, address)) {
			scan->ended = true;
			return false;
		}
	}
	return true;
}
