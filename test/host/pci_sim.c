#include "test/host/pci_sim.h"

#include <stdlib.h>
#include <string.h>

static struct sim_function *at(struct pci_sim *sim, struct pci_address a)
{
	for (unsigned i = 0; i < sim->count; i++) {
		struct pci_address b = sim->functions[i].address;

		if (a.segment == b.segment && a.bus == b.bus && a.device == b.device && a.function == b.function)
			return &sim->functions[i];
	}
	return NULL;
}

static uint32_t sim_read(void *ctx, struct pci_address address, uint16_t offset)
{
	struct pci_sim *sim = ctx;
	const struct sim_function *f = at(sim, address);
	uint32_t value;

	sim->reads++;
	if (offset % 4)
		abort();
	if (!f || offset >= sizeof(f->bytes))
		return 0xffffffffu;
	memcpy(&value, f->bytes + offset, sizeof(value));
	return value;
}

static void sim_write(void *ctx, struct pci_address address, uint16_t offset, uint32_t value)
{
	struct pci_sim *sim = ctx;
	struct sim_function *f = at(sim, address);
	uint32_t mask = 0xffffffffu, old;

	sim->writes++;
	if (offset % 4)
		abort();
	if (!f || offset >= sizeof(f->bytes))
		return;
	if (offset >= PCI_BAR && offset < PCI_BAR + 4 * PCI_BARS)
		mask = f->bar_mask[(offset - PCI_BAR) / 4];
	else if (offset == PCI_COMMAND)
		mask = 0xffff;
	memcpy(&old, f->bytes + offset, sizeof(old));
	value = (old & ~mask) | (value & mask);
	memcpy(f->bytes + offset, &value, sizeof(value));
}

static void sim_fault(void *ctx, struct pci_address address, const char *what, uint64_t value)
{
	struct pci_sim *sim = ctx;

	(void)address;
	sim->fault = what;
	sim->fault_value = value;
	sim->faults++;
}

void pci_sim_start(struct pci_sim *sim)
{
	memset(sim, 0, sizeof(*sim));
	sim->access = (struct pci_access){ sim_read, sim_write, sim_fault, sim };
}

void pci_sim_put(struct sim_function *f, unsigned offset, unsigned bytes, uint64_t value)
{
	memcpy(f->bytes + offset, &value, bytes);
}

struct sim_function *pci_sim_add(struct pci_sim *sim, uint8_t bus, uint8_t device, uint8_t function, uint32_t class,
				 uint8_t header)
{
	struct sim_function *f = &sim->functions[sim->count++];

	memset(f, 0, sizeof(*f));
	f->address = (struct pci_address){ 0, bus, device, function };
	pci_sim_put(f, PCI_ID, 4, 0x12348086);
	pci_sim_put(f, PCI_CLASS, 4, class << 8 | 0x02);
	pci_sim_put(f, PCI_HEADER + 2, 1, header);
	return f;
}

struct sim_function *pci_sim_bridge(struct pci_sim *sim, uint8_t bus, uint8_t device, uint8_t secondary,
				    uint8_t subordinate)
{
	struct sim_function *f = pci_sim_add(sim, bus, device, 0, 0x060400, PCI_HEADER_BRIDGE);

	pci_sim_put(f, PCI_BUSES, 4, bus | secondary << 8 | subordinate << 16);
	return f;
}

static bool take(void *ctx, const struct pci_function *function)
{
	struct pci_sim *sim = ctx;

	if (sim->found_count == SIM_FUNCTIONS)
		return false;
	sim->found[sim->found_count++] = *function;
	return true;
}

unsigned pci_sim_scan(struct pci_sim *sim, uint8_t last)
{
	struct pci_scan scan = { .access = &sim->access, .found = take, .last = last };
	unsigned steps = 0;

	sim->found_count = 0;
	while (pci_scan_step(&scan))
		steps++;
	return steps;
}
