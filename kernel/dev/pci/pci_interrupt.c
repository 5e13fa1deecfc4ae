/*
 * Sets up interrupts by messages: a function writes a vector's number to the address of a CPU's local APIC (PCI Express
 * Base Specification, "MSI and MSI-X"; Intel SDM vol. 3A, "Message Signalled Interrupts").
 */
#include "kernel/dev/pci/pci.h"
#include "kernel/irq/apic.h"
#include "kernel/mm/space/mmio.h"

#define MESSAGE_ADDRESS  0xfee00000u
#define MESSAGE_ID_SHIFT 12
#define MESSAGE_ID_MOST  0xfe /* the address has 8 bits for the CPU, and 255 means all CPUs */

#define MSI_ENABLE      (1u << 16)
#define MSI_COUNT       (7u << 20) /* how many vectors the function uses: the logarithm; 0 for one vector */
#define MSI_HAS_64_BITS (1u << 23)
#define MSI_HAS_MASK    (1u << 24)

#define MSIX_ENABLE (1u << 31)
#define MSIX_MASKED (1u << 30) /* no vector of the function interrupts */

#define MSIX_ENTRY_DATA    8
#define MSIX_ENTRY_CONTROL 12
#define MSIX_ENTRY_MASKED  1u

/* Map the table of MSI-X, set its first entry to the vector, and mask all others. Returns mmio_map()'s result. */
static enum status start_msix(const struct pci_function *f, struct pci_msix msix, struct pci_interrupt *i)
{
	uint32_t control = pci_read(f, f->msix), message = MESSAGE_ADDRESS | apic_id() << MESSAGE_ID_SHIFT;
	const struct pci_bar *bar = &f->bars[msix.bar];
	volatile uint8_t *entry;
	enum status status;

	status = mmio_map(paddr(bar->address + msix.table_offset), (uint64_t)msix.entries * PCI_MSIX_ENTRY_SIZE,
			  PROT_UC, &i->table);
	if (status != OK)
		return status;
	entry = i->table;
	pci_write(f, f->msix, control | MSIX_ENABLE | MSIX_MASKED);
	for (uint32_t n = 0; n < msix.entries; n++)
		mmio_write32(entry + n * PCI_MSIX_ENTRY_SIZE + MSIX_ENTRY_CONTROL, MSIX_ENTRY_MASKED);
	mmio_write32(entry, message);
	mmio_write32(entry + 4, 0);
	mmio_write32(entry + MSIX_ENTRY_DATA, i->vector);
	mmio_write32(entry + MSIX_ENTRY_CONTROL, 0);
	pci_write(f, f->msix, (control | MSIX_ENABLE) & ~MSIX_MASKED);
	return OK;
}

static void start_msi(const struct pci_function *f, unsigned vector)
{
	uint32_t control = pci_read(f, f->msi), data = control & MSI_HAS_64_BITS ? 12 : 8;

	pci_write(f, f->msi + 4, MESSAGE_ADDRESS | apic_id() << MESSAGE_ID_SHIFT);
	if (control & MSI_HAS_64_BITS)
		pci_write(f, f->msi + 8, 0);
	pci_write(f, (uint16_t)(f->msi + data), (pci_read(f, (uint16_t)(f->msi + data)) & 0xffff0000u) | vector);
	if (control & MSI_HAS_MASK && f->msi + data + 8 <= PCI_CONFIG_SIZE)
		pci_write(f, (uint16_t)(f->msi + data + 4), 0);
	pci_write(f, f->msi, (control & ~MSI_COUNT) | MSI_ENABLE);
}

enum status pci_interrupt_start(const struct pci_function *function, irq_handler_fn *handler, void *ctx,
				struct pci_interrupt *ret)
{
	struct pci_interrupt i = { 0 };
	struct pci_msix msix;
	enum status status;

	if ((!function->msi && !function->msix) || apic_id() > MESSAGE_ID_MOST)
		return ERR_NOT_FOUND;
	status = irq_vector_alloc(handler, ctx, &i.vector);
	if (status != OK)
		return status;
	if (pci_read_msix(&pci_machine, function, &msix)) {
		status = start_msix(function, msix, &i);
	} else if (function->msi) {
		start_msi(function, i.vector);
	} else {
		status = ERR_NOT_FOUND;
	}
	if (status == OK)
		*ret = i;
	else
		irq_vector_free(i.vector);
	return status;
}

void pci_interrupt_stop(const struct pci_function *function, struct pci_interrupt *interrupt)
{
	if (interrupt->table) {
		pci_write(function, function->msix, pci_read(function, function->msix) & ~MSIX_ENABLE);
		mmio_unmap(interrupt->table);
	} else {
		pci_write(function, function->msi, pci_read(function, function->msi) & ~MSI_ENABLE);
	}
	irq_vector_free(interrupt->vector);
}
