/*
 * Reaches the machine's PCI configuration space; see pci_config.h. The memory of a whole range of buses is mapped at
 * once, which costs some hundred instructions, since large pages fit. To map a page for each function that is looked
 * for would cost as much each time.
 */
#include "kernel/dev/pci/pci_config.h"

#include "kernel/arch/cpu.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/log.h"
#include "kernel/mm/space/mmio.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define PORT_ENABLE  0x80000000u

#define BUS_SIZE (1ULL << 20)
#define NOTHING  0xffffffffu

/* Guard of all here: tasks only, which the kernel does not preempt. */
static volatile uint8_t *mapped;      /* the mapped configuration space of `range`; NULL: none is mapped */
static const struct acpi_mcfg *range; /* the range of buses that was mapped last */
static uint32_t refused;              /* bitmap of the ranges that could not be mapped and are not tried again */

/* Return the range of memory that has a function's configuration space, or NULL. */
static const struct acpi_mcfg *range_of(struct pci_address address)
{
	const struct acpi_info *acpi = irq_acpi();

	for (unsigned i = 0; i < acpi->mcfg_count; i++) {
		const struct acpi_mcfg *m = &acpi->mcfgs[i];

		if (m->segment == address.segment && address.bus >= m->first_bus && address.bus <= m->last_bus)
			return refused >> i & 1 ? NULL : m;
	}
	return NULL;
}

/* Map a range in place of the one that is mapped now. Returns false when it cannot be mapped. */
static bool map(const struct acpi_mcfg *wanted)
{
	uint64_t start = wanted->pa.raw + wanted->first_bus * BUS_SIZE;
	uint64_t size = (wanted->last_bus - wanted->first_bus + 1ULL) * BUS_SIZE;
	enum status status;
	void *p;

	if (mapped && range == wanted)
		return true;
	pci_config_close();
	status = start >= wanted->pa.raw ? mmio_map(paddr(start), size, PROT_UC, &p) : ERR_RANGE;
	if (status != OK) {
		refused |= 1u << (wanted - irq_acpi()->mcfgs);
		log_warn("PCI: configuration space at %#llx left alone: %s\n", (unsigned long long)start,
			 status == ERR_EXISTS      ? "RAM is there"
			 : status == ERR_NO_MEMORY ? "no memory"
						   : "beyond the CPU's physical addresses");
		return false;
	}
	mapped = p;
	range = wanted;
	return true;
}

void pci_config_close(void)
{
	if (mapped)
		mmio_unmap((void *)mapped);
	mapped = NULL;
}

/* Return where the register lies in memory, or NULL when the ports have to be used. */
static volatile uint8_t *register_of(struct pci_address address, uint16_t offset)
{
	const struct acpi_mcfg *m = range_of(address);

	if (!m || offset >= PCI_CONFIG_SIZE_EXTENDED || !map(m))
		return NULL;
	return mapped + (address.bus - m->first_bus) * BUS_SIZE + (address.device << 15 | address.function << 12) +
	       offset;
}

/* Select a register for PORT_DATA. Returns false when ports cannot reach it. */
static bool select(struct pci_address address, uint16_t offset)
{
	if (address.segment || offset >= PCI_CONFIG_SIZE)
		return false;
	cpu_out32(PORT_ADDRESS, PORT_ENABLE | (uint32_t)address.bus << 16 | (uint32_t)address.device << 11 |
					(uint32_t)address.function << 8 | (offset & 0xfcu));
	return true;
}

uint32_t pci_config_read(void *ctx, struct pci_address address, uint16_t offset)
{
	volatile uint8_t *at = register_of(address, offset);

	(void)ctx;
	if (at)
		return mmio_read32(at);
	return select(address, offset) ? cpu_in32(PORT_DATA) : NOTHING;
}

void pci_config_write(void *ctx, struct pci_address address, uint16_t offset, uint32_t value)
{
	volatile uint8_t *at = register_of(address, offset);

	(void)ctx;
	if (at)
		mmio_write32(at, value);
	else if (select(address, offset))
		cpu_out32(PORT_DATA, value);
}

uint16_t pci_config_size(struct pci_address address)
{
	return range_of(address) ? PCI_CONFIG_SIZE_EXTENDED : PCI_CONFIG_SIZE;
}

/* Return whether ports 0xcf8 and 0xcfc exist: the address register keeps what is written to it. */
static bool has_ports(void)
{
	uint32_t before = cpu_in32(PORT_ADDRESS);
	bool keeps;

	cpu_out32(PORT_ADDRESS, PORT_ENABLE);
	keeps = cpu_in32(PORT_ADDRESS) == PORT_ENABLE;
	cpu_out32(PORT_ADDRESS, before);
	return keeps;
}

bool pci_config_range(unsigned index, struct pci_range *ret)
{
	const struct acpi_info *acpi = irq_acpi();
	bool has_first = false;

	if (index < acpi->mcfg_count) {
		const struct acpi_mcfg *m = &acpi->mcfgs[index];

		*ret = (struct pci_range){ m->segment, m->first_bus, m->last_bus };
		return true;
	}
	for (unsigned i = 0; i < acpi->mcfg_count; i++)
		has_first |= acpi->mcfgs[i].segment == 0;
	if (index != acpi->mcfg_count || has_first || !has_ports())
		return false;
	*ret = (struct pci_range){ 0, 0, 255 };
	return true;
}
