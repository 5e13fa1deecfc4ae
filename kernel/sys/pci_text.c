/*
 * Generates the contents of the files that show PCI to programs, in Linux's formats.
 *
 * The BARs of a function that no driver has claimed are never measured, since that would change them for a moment:
 * their sizes are shown as 0 in /proc/bus/pci/devices, and in `resource` as the smallest size that such a BAR can have.
 */
#include "kernel/sys/pci_text.h"

#include "kernel/dev/pci/pci_config.h"
#include "kernel/fs/errno.h"
#include "kernel/mm/space/context.h"
#include "kernel/task/rights.h"

#define BARS_SHOWN 7 /* six, and the ROM's BAR, which is shown as empty */

/* Bytes of configuration space that everybody may read, as on Linux; reads of the rest make some devices hang. */
#define PCI_CONFIG_SHOWN 64

/* Linux's flags of a resource; the lowest 4 bits are those of the BAR's register. */
#define RESOURCE_IO       0x40100u
#define RESOURCE_MEMORY   0x40200u
#define RESOURCE_PREFETCH 0x2000u
#define RESOURCE_64       0x100000u

static unsigned bar_flags(const struct pci_bar *bar)
{
	if (bar->kind == PCI_BAR_IO)
		return 1;
	return (bar->kind == PCI_BAR_MEMORY_64 ? 4 : 0) | (bar->prefetchable ? 8 : 0);
}

static int make_resource(struct node *node, struct text *ret)
{
	const struct pci_function *f = pci_files_function(node);

	for (unsigned i = 0; f && i < BARS_SHOWN; i++) {
		const struct pci_bar *bar = i < PCI_BARS ? &f->bars[i] : &(const struct pci_bar){ 0 };
		uint64_t size = bar->size ? bar->size : bar->kind == PCI_BAR_IO ? 4 : 16;
		bool there = bar->kind != PCI_BAR_NONE && bar->address;
		unsigned kind = bar->kind == PCI_BAR_IO ? RESOURCE_IO : RESOURCE_MEMORY;

		kind |= (bar->kind == PCI_BAR_MEMORY_64 ? RESOURCE_64 : 0) |
			(bar->prefetchable ? RESOURCE_PREFETCH : 0);
		text_add(ret, "0x%016llx 0x%016llx 0x%016llx\n", there ? (unsigned long long)bar->address : 0,
			 there ? (unsigned long long)(bar->address + size - 1) : 0,
			 there ? (unsigned long long)(kind | bar_flags(bar)) : 0);
	}
	return f ? 0 : -ENODEV;
}

static int make_uevent(struct node *node, struct text *ret)
{
	const struct pci_function *f = pci_files_function(node);
	struct pci_address a;

	if (!f)
		return -ENODEV;
	a = f->address;
	if (f->driver)
		text_add(ret, "DRIVER=%s\n", f->driver->name);
	text_add(ret, "PCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n", f->class, f->vendor, f->device,
		 f->subsystem_vendor, f->subsystem_device);
	text_add(ret, "PCI_SLOT_NAME=%04x:%02x:%02x.%x\n", a.segment, a.bus, a.device, a.function);
	return 0;
}

int pci_make_config(struct node *node, struct text *ret)
{
	const struct pci_function *f = pci_files_function(node);
	context_token_t token;
	uint16_t size;

	if (!f)
		return -ENODEV;
	token = kernel_context_enter();
	/* Only a PCI Express function has registers behind the first 256 bytes, PCI_CONFIG_SIZE. */
	size = !rights_can(CAP_SYS_ADMIN) ? PCI_CONFIG_SHOWN
	       : f->express               ? pci_config_size(f->address)
					  : PCI_CONFIG_SIZE;
	for (uint16_t offset = 0; offset < size; offset += 4) {
		uint32_t word = pci_read(f, offset);

		text_add_bytes(ret, &word, sizeof(word));
	}
	pci_config_close();
	kernel_context_leave(token);
	return 0;
}

#define NUMBER_FILE(name, format, value)                                 \
	static int make_##name(struct node *node, struct text *ret)      \
	{                                                                \
		const struct pci_function *f = pci_files_function(node); \
                                                                         \
		if (!f)                                                  \
			return -ENODEV;                                  \
		text_add(ret, format "\n", value);                       \
		return 0;                                                \
	}

NUMBER_FILE(class, "0x%06x", f->class)
NUMBER_FILE(vendor, "0x%04x", f->vendor)
NUMBER_FILE(device, "0x%04x", f->device)
NUMBER_FILE(subsystem_vendor, "0x%04x", f->subsystem_vendor)
NUMBER_FILE(subsystem_device, "0x%04x", f->subsystem_device)
NUMBER_FILE(revision, "0x%02x", f->revision)
NUMBER_FILE(irq, "%u", f->interrupt_pin ? f->interrupt_line : 0)

/* Make the target of the link to a driver's directory, which devices.c adds. */
static int make_driver(struct node *node, struct text *ret)
{
	const struct pci_function *f = pci_files_function(node);

	if (!f || !f->driver)
		return -ENOENT;
	text_add(ret, "../../drivers/%s", f->driver->name);
	return 0;
}

const struct pci_file pci_sys_files[PCI_SYS_FILES_MOST] = {
	{ "class", make_class, false },
	{ "config", pci_make_config, false },
	{ "device", make_device, false },
	{ "driver", make_driver, true },
	{ "irq", make_irq, false },
	{ "resource", make_resource, false },
	{ "revision", make_revision, false },
	{ "subsystem_device", make_subsystem_device, false },
	{ "subsystem_vendor", make_subsystem_vendor, false },
	{ "uevent", make_uevent, false },
	{ "vendor", make_vendor, false },
};

int pci_make_devices(struct node *node, struct text *ret)
{
	(void)node;
	for (const struct pci_function *f = pci_files_first(0); f; f = f->next) {
		text_add(ret, "%02x%02x\t%04x%04x\t%x", f->address.bus, f->address.device << 3 | f->address.function,
			 f->vendor, f->device, f->interrupt_pin ? f->interrupt_line : 0);
		for (unsigned i = 0; i < BARS_SHOWN; i++)
			text_add(ret, "\t%16llx",
				 i < PCI_BARS && f->bars[i].kind != PCI_BAR_NONE
					 ? (unsigned long long)f->bars[i].address | bar_flags(&f->bars[i])
					 : 0);
		for (unsigned i = 0; i < BARS_SHOWN; i++)
			text_add(ret, "\t%16llx", i < PCI_BARS ? (unsigned long long)f->bars[i].size : 0);
		text_add(ret, "\t%s\n", f->driver ? f->driver->name : "");
	}
	return 0;
}
