/*
 * Reads what one PCI function says about itself, and checks all of it; see pci_function.h.
 */
#include "kernel/dev/pci/pci_function.h"

#define NOTHING 0xffffffffu

#define HEADER_TYPE_MASK 0x7f

#define CAPABILITY_MSI     0x05
#define CAPABILITY_EXPRESS 0x10
#define CAPABILITY_MSIX    0x11
/* The first and the last offset where a capability may begin: behind the header, and its first 4 bytes must fit. */
#define CAPABILITY_FIRST 0x40
#define CAPABILITY_LAST  0xfc

#define MSI_SIZE        10
#define MSI_SIZE_64     14
#define MSI_HAS_64_BITS (1u << 23)
#define MSIX_SIZE       12

#define BAR_IO           0x1u
#define BAR_IO_MASK      0xfffffffcu
#define BAR_TYPE_MASK    0x6u
#define BAR_TYPE_32      0x0u
#define BAR_TYPE_64      0x4u
#define BAR_PREFETCH     0x8u
#define BAR_MEMORY_MASK  0xfffffff0u
#define BAR_LEAST_MEMORY 16

/* Types of port in bits 20 to 23 of the Express capability: a bridge of one of these types leads to a single device. */
#define EXPRESS_ROOT_PORT  4u
#define EXPRESS_DOWNSTREAM 6u

static uint32_t read(const struct pci_access *access, const struct pci_function *f, uint16_t offset)
{
	return access->config_read(access->ctx, f->address, offset);
}

static void write(const struct pci_access *access, const struct pci_function *f, uint16_t offset, uint32_t value)
{
	access->config_write(access->ctx, f->address, offset, value);
}

static void fault(const struct pci_access *access, struct pci_function *f, const char *what, uint64_t value)
{
	f->broken = true;
	access->fault(access->ctx, f->address, what, value);
}

static unsigned bar_count(const struct pci_function *f)
{
	return f->header == PCI_HEADER_DEVICE ? 6 : f->header == PCI_HEADER_BRIDGE ? 2 : 1;
}

/* Note a capability that the kernel uses. Only the first of its kind counts, and only if all of it is there. */
static void note_capability(const struct pci_access *access, struct pci_function *f, uint32_t head, unsigned at)
{
	unsigned id = head & 0xff;
	uint8_t *place;
	unsigned size;

	switch (id) {
	case CAPABILITY_MSI:
		place = &f->msi;
		size = head & MSI_HAS_64_BITS ? MSI_SIZE_64 : MSI_SIZE;
		break;
	case CAPABILITY_MSIX:
		place = &f->msix;
		size = MSIX_SIZE;
		break;
	case CAPABILITY_EXPRESS:
		place = &f->express;
		size = 4;
		break;
	default:
		return;
	}
	if (*place)
		return;
	if (at + size > PCI_CONFIG_SIZE) {
		fault(access, f, "a capability that reaches beyond the configuration space", at);
		return;
	}
	*place = (uint8_t)at;
	if (id == CAPABILITY_EXPRESS) {
		unsigned type = head >> 20 & 0xf;

		f->only_one =
			f->header == PCI_HEADER_BRIDGE && (type == EXPRESS_ROOT_PORT || type == EXPRESS_DOWNSTREAM);
	}
}

static void read_capabilities(const struct pci_access *access, struct pci_function *f)
{
	uint16_t first = f->header == PCI_HEADER_CARDBUS ? 0x14 : PCI_CAPABILITIES;
	uint64_t seen = 0;
	unsigned at;

	if (!(read(access, f, PCI_COMMAND) >> 16 & PCI_STATUS_CAPABILITIES))
		return;
	for (at = read(access, f, first) & CAPABILITY_LAST; at;) {
		uint32_t head;

		if (at < CAPABILITY_FIRST) {
			fault(access, f, "a capability inside of the header", at);
			return;
		}
		if (seen >> at / 4 & 1) {
			fault(access, f, "the capabilities run in a circle", at);
			return;
		}
		seen |= 1ULL << at / 4;
		head = read(access, f, (uint16_t)at);
		if (head == NOTHING) {
			fault(access, f, "a capability that is all ones", at);
			return;
		}
		note_capability(access, f, head, at);
		at = head >> 8 & CAPABILITY_LAST;
	}
}

static void read_bars(const struct pci_access *access, struct pci_function *f)
{
	for (unsigned i = 0; i < bar_count(f); i++) {
		uint32_t low = read(access, f, (uint16_t)(PCI_BAR + 4 * i));
		struct pci_bar *bar = &f->bars[i];

		if (low & BAR_IO) {
			*bar = (struct pci_bar){ .address = low & BAR_IO_MASK, .kind = PCI_BAR_IO };
			continue;
		}
		*bar = (struct pci_bar){ .address = low & BAR_MEMORY_MASK,
					 .kind = PCI_BAR_MEMORY,
					 .prefetchable = low & BAR_PREFETCH };
		if ((low & BAR_TYPE_MASK) == BAR_TYPE_64) {
			if (i + 1 == bar_count(f)) {
				fault(access, f, "the last BAR has 64 bits", i);
				return;
			}
			bar->kind = PCI_BAR_MEMORY_64;
			bar->address |= (uint64_t)read(access, f, (uint16_t)(PCI_BAR + 4 * ++i)) << 32;
		} else if (!low) {
			/* Most registers that read as 0 do not exist; pci_size_bars() finds those that do. */
			bar->kind = PCI_BAR_NONE;
		}
	}
}

static void read_subsystem(const struct pci_access *access, struct pci_function *f)
{
	uint32_t ids = f->header == PCI_HEADER_DEVICE ? read(access, f, PCI_SUBSYSTEM) : 0;

	f->subsystem_vendor = (uint16_t)ids;
	f->subsystem_device = (uint16_t)(ids >> 16);
}

bool pci_read_function(const struct pci_access *access, struct pci_address address, struct pci_function *ret)
{
	struct pci_function f = { .address = address };
	uint32_t id = read(access, &f, PCI_ID), word;

	/* A read of 0xffff means that nothing answers, and 0 is no vendor's number. */
	if ((id & 0xffff) == 0xffff || (id & 0xffff) == 0)
		return false;
	if (id == 0xffff0001) {
		fault(access, &f, "not ready, its id", id);
		return false;
	}
	f.vendor = (uint16_t)id;
	f.device = (uint16_t)(id >> 16);
	word = read(access, &f, PCI_HEADER);
	f.header = word >> 16 & HEADER_TYPE_MASK;
	if (f.header > PCI_HEADER_CARDBUS) {
		fault(access, &f, "left out, a header of unknown type", f.header);
		return false;
	}
	word = read(access, &f, PCI_CLASS);
	f.class = word >> 8;
	f.revision = (uint8_t)word;
	word = read(access, &f, PCI_INTERRUPT);
	f.interrupt_line = (uint8_t)word;
	f.interrupt_pin = word >> 8 & 0xff;
	if (f.interrupt_pin > 4)
		f.interrupt_pin = 0;
	if (f.header == PCI_HEADER_BRIDGE) {
		word = read(access, &f, PCI_BUSES);
		f.secondary = (uint8_t)(word >> 8);
		f.subordinate = (uint8_t)(word >> 16);
	}
	read_subsystem(access, &f);
	read_bars(access, &f);
	read_capabilities(access, &f);
	*ret = f;
	return true;
}

/* Write ones to a register and return which of them can be read back; then restore the old value. */
static uint32_t probe(const struct pci_access *access, const struct pci_function *f, uint16_t offset)
{
	uint32_t before = read(access, f, offset), mask;

	write(access, f, offset, NOTHING);
	mask = read(access, f, offset);
	write(access, f, offset, before);
	return mask;
}

/* Size the BAR whose first register is number `i`. */
static void size_bar(const struct pci_access *access, struct pci_function *f, unsigned i)
{
	struct pci_bar *bar = &f->bars[i];
	uint64_t mask = probe(access, f, (uint16_t)(PCI_BAR + 4 * i));

	if (!mask) {
		*bar = (struct pci_bar){ .kind = PCI_BAR_NONE };
		return;
	}
	if (bar->kind == PCI_BAR_NONE)
		bar->kind = mask & BAR_IO ? PCI_BAR_IO : PCI_BAR_MEMORY;
	if (bar->kind == PCI_BAR_IO) {
		/* The upper 16 bits of a register for ports may read as 0: take them for ones. */
		mask = (mask & BAR_IO_MASK) | ~0xffffULL;
	} else if (bar->kind == PCI_BAR_MEMORY_64) {
		mask &= BAR_MEMORY_MASK;
		mask |= (uint64_t)probe(access, f, (uint16_t)(PCI_BAR + 4 * (i + 1))) << 32;
	} else {
		mask = (mask & BAR_MEMORY_MASK) | ~0xffffffffULL;
	}
	bar->size = ~mask + 1;
	/* The writable address bits must be all bits from some bit on, whose value is the size: a power of two. */
	if (!bar->size || (bar->size & (bar->size - 1)) || (bar->kind != PCI_BAR_IO && bar->size < BAR_LEAST_MEMORY)) {
		fault(access, f, "a BAR of an impossible size", bar->size);
		bar->size = 0;
	}
}

void pci_size_bars(const struct pci_access *access, struct pci_function *function)
{
	uint32_t command = read(access, function, PCI_COMMAND) & 0xffff;

	write(access, function, PCI_COMMAND, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned i = 0; i < bar_count(function) && !function->broken; i++) {
		size_bar(access, function, i);
		i += function->bars[i].kind == PCI_BAR_MEMORY_64;
	}
	write(access, function, PCI_COMMAND, command);
}

static bool is_in_ram(const struct memmap *map, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];

		if (r->start < end && r->end > start && mem_type_is_ram((enum mem_type)r->type))
			return true;
	}
	return false;
}

const char *pci_bar_wrong(const struct pci_bar *bar, const struct memmap *map, uint64_t limit)
{
	if (bar->kind == PCI_BAR_NONE || !bar->size)
		return "does not exist";
	if (!bar->address)
		return "has no address";
	if (!is_aligned(bar->address, bar->size))
		return "is not aligned to its size";
	if (bar->kind == PCI_BAR_IO)
		return bar->address + bar->size > 0x10000 ? "lies beyond the ports" : NULL;
	if (bar->address >= limit || bar->size > limit - bar->address)
		return "lies beyond the CPU's physical addresses";
	return is_in_ram(map, bar->address, bar->address + bar->size) ? "lies in RAM" : NULL;
}

bool pci_read_msix(const struct pci_access *access, const struct pci_function *function, struct pci_msix *ret)
{
	const struct pci_bar *bar;
	struct pci_msix m;
	uint32_t table;

	if (!function->msix)
		return false;
	table = read(access, function, (uint16_t)(function->msix + 4));
	m.entries = (read(access, function, function->msix) >> 16 & 0x7ff) + 1;
	m.bar = table & 7;
	m.table_offset = table & ~7u;
	bar = m.bar < PCI_BARS ? &function->bars[m.bar] : NULL;
	if (!bar || bar->kind == PCI_BAR_NONE || bar->kind == PCI_BAR_IO || bar->size < m.table_offset ||
	    bar->size - m.table_offset < (uint64_t)m.entries * PCI_MSIX_ENTRY_SIZE) {
		access->fault(access->ctx, function->address, "no BAR has its MSI-X table", table);
		return false;
	}
	*ret = m;
	return true;
}
