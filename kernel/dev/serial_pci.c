/*
 * Finds the ports of a PCI card (PCI Code and ID Assignment Specification, "Simple communication controllers"): 16550s,
 * 8 I/O ports each, one behind the other in each BAR of ports. Cards with registers in memory arrange them in ways of
 * their own, so they are left alone.
 */
#include "kernel/dev/serial_pci.h"

#include "kernel/arch/features.h"
#include "kernel/dev/serial_internal.h"
#include "kernel/mm/frame/machine_frames.h"

#define CLASS_SERIAL   0x0700 /* base class and subclass of a serial controller */
#define INTERFACE_MOST 0x06   /* interfaces up to this number: 8250, 16450, 16550 and chips that work like it */
#define MOST_OF_BAR    4      /* the most ports that one BAR has */

static bool claims(const struct pci_function *f)
{
	return f->class >> 8 == CLASS_SERIAL && (f->class & 0xff) <= INTERFACE_MOST;
}

/* Start the ports of one BAR. Returns how many there are. */
static unsigned start_bar(const struct pci_function *f, const struct pci_bar *bar)
{
	unsigned found = 0;

	for (unsigned i = 0; i < MOST_OF_BAR && (i + 1) * PORTS_OF_16550 <= bar->size; i++) {
		struct serial_port *port =
			serial_add((struct serial_place){ bar->address + (uint64_t)i * PORTS_OF_16550, 0 }, 1);

		if (!port)
			break;
		pci_log(f, "serial port ttyS%u", serial_number(port));
		found++;
	}
	return found;
}

static bool start(struct pci_function *f)
{
	const uint64_t limit = 1ULL << cpu_features()->physical_bits;
	const uint32_t command = pci_read(f, PCI_COMMAND) & UINT16_MAX;
	unsigned found = 0;

	pci_write(f, PCI_COMMAND, command | PCI_COMMAND_IO | PCI_COMMAND_NO_INTERRUPT);
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &f->bars[i];

		if (bar->kind == PCI_BAR_IO && !pci_bar_wrong(bar, machine_memmap, limit))
			found += start_bar(f, bar);
	}
	if (found)
		return true;
	pci_write(f, PCI_COMMAND, command);
	pci_log(f, "serial ports: left alone, none answers");
	return false;
}

/* Do nothing: the ports may be consoles until the machine's end, so nothing is given back. */
static void stop(struct pci_function *f)
{
	(void)f;
}

const struct pci_driver serial_pci_driver = { .name = "serial", .claims = claims, .start = start, .stop = stop };
