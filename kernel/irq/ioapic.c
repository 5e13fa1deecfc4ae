/*
 * Programs the redirection tables (Intel, "82093AA I/O Advanced Programmable Interrupt Controller").
 * An I/O APIC has two registers in memory: the index selects which of its inner registers the window accesses.
 * ioapic_lock is held from the write of the index to the access of the window.
 */
#include "kernel/irq/ioapic.h"

#include "kernel/mm/space/context.h"
#include "kernel/mm/space/mmio.h"
#include "kernel/sync/lock.h"

#define IOAPIC_SIZE  0x20
#define INDEX        0x00
#define WINDOW       0x10
#define VERSION      0x01
#define ENTRY_LOW(n) (0x10 + 2 * (n))

#define ENTRY_NMI        (4u << 8)
#define ENTRY_ACTIVE_LOW (1u << 13)
#define ENTRY_LEVEL      (1u << 15)
#define ENTRY_MASKED     (1u << 16)

struct ioapic {
	volatile uint8_t *registers; /* device memory. Guard of its content: ioapic_lock, once interrupts are on */
	uint32_t first_gsi, inputs;
};

static struct ioapic ioapics[ACPI_IO_APICS]; /* fixed after boot */
static unsigned count;                       /* fixed after boot */

/* Guards the index and the window of all I/O APICs. */
static struct lock ioapic_lock = LOCK_INITIAL(LOCK_IOAPIC);

static uint32_t read(const struct ioapic *io, unsigned reg)
{
	mmio_write32(io->registers + INDEX, reg);
	return mmio_read32(io->registers + WINDOW);
}

static void write(const struct ioapic *io, unsigned reg, uint32_t value)
{
	mmio_write32(io->registers + INDEX, reg);
	mmio_write32(io->registers + WINDOW, value);
}

static const struct ioapic *ioapic_of(uint32_t gsi)
{
	for (unsigned i = 0; i < count; i++)
		if (gsi >= ioapics[i].first_gsi && gsi - ioapics[i].first_gsi < ioapics[i].inputs)
			return &ioapics[i];
	return NULL;
}

static bool start(const struct acpi_io_apic *from, struct ioapic *io)
{
	void *registers;
	uint32_t version;

	if (mmio_map(from->pa, IOAPIC_SIZE, PROT_UC, &registers) != OK)
		return false;
	*io = (struct ioapic){ .registers = registers, .first_gsi = from->first_gsi };
	version = read(io, VERSION);
	/* All ones, or 0: no I/O APIC answers at this address. */
	if (version == UINT32_MAX || version == 0)
		return false;
	io->inputs = (version >> 16 & 0xff) + 1;
	for (uint32_t n = 0; n < io->inputs; n++)
		write(io, ENTRY_LOW(n), ENTRY_MASKED);
	return true;
}

unsigned ioapic_init(const struct acpi_info *acpi)
{
	count = 0;
	for (unsigned i = 0; i < acpi->io_apic_count; i++)
		if (start(&acpi->io_apics[i], &ioapics[count]))
			count++;
	return count;
}

bool ioapic_has(uint32_t gsi)
{
	return ioapic_of(gsi);
}

enum status ioapic_route(uint32_t gsi, unsigned flags, unsigned vector, uint32_t apic_id)
{
	const struct ioapic *io = ioapic_of(gsi);
	uint32_t low = vector | ENTRY_MASKED | (flags & ACPI_ACTIVE_LOW ? ENTRY_ACTIVE_LOW : 0) |
		       (flags & ACPI_LEVEL ? ENTRY_LEVEL : 0) | (flags & IOAPIC_NMI ? ENTRY_NMI : 0);
	context_token_t token;
	uint64_t guard;

	if (!io)
		return ERR_NOT_FOUND;
	if (apic_id > 254)
		return ERR_RANGE;
	token = kernel_context_enter();
	guard = lock_take(&ioapic_lock);
	write(io, ENTRY_LOW(gsi - io->first_gsi), low);
	write(io, ENTRY_LOW(gsi - io->first_gsi) + 1, apic_id << 24);
	lock_release(&ioapic_lock, guard);
	kernel_context_leave(token);
	return OK;
}

static void set_mask(uint32_t gsi, uint32_t mask)
{
	const struct ioapic *io = ioapic_of(gsi);
	context_token_t token;
	uint64_t guard;
	unsigned reg;

	if (!io)
		return;
	reg = ENTRY_LOW(gsi - io->first_gsi);
	token = kernel_context_enter();
	guard = lock_take(&ioapic_lock);
	write(io, reg, (read(io, reg) & ~ENTRY_MASKED) | mask);
	lock_release(&ioapic_lock, guard);
	kernel_context_leave(token);
}

void ioapic_unmask(uint32_t gsi)
{
	set_mask(gsi, 0);
}

void ioapic_mask(uint32_t gsi)
{
	set_mask(gsi, ENTRY_MASKED);
}
