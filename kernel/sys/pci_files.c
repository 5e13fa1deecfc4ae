/*
 * What programs such as lspci see of PCI: /proc/bus/pci, with a directory for each bus and a file for each function,
 * and /sys/bus/pci/devices, with a directory for each function. Names and contents are Linux's. A node exists only
 * while there is a reference to it, and names its function by address.
 *
 * A function that no driver has claimed is never changed, so its BARs have not been measured: their sizes are 0 in
 * /proc/bus/pci/devices, and in `resource` the least that such a BAR can have.
 */
#include "kernel/sys/pci_files.h"

#include "kernel/dev/pci/pci.h"
#include "kernel/dev/pci/pci_config.h"
#include "kernel/fs/sysfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/context.h"

#define DIR_MODE  (S_IFDIR | 0555)
#define NAME_SIZE 16
#define NUMBERS   (1ULL << 60) /* above all other inode numbers of the two file systems */

#define BARS_SHOWN 7 /* six, and the ROM's, which is left out */

/* Linux's flags of a resource; the lowest 4 bits are those of the BAR's register. */
#define RESOURCE_IO     0x40100u
#define RESOURCE_MEMORY 0x40200u

/* A file of a function. */
struct pci_file {
	const char *name;
	text_make_fn *make;
};

/* What a node is, and its inode number's last digit for those that are no file in /sys. */
enum pci_kind { PCI_SYS_DIR, PCI_PROC_BUS, PCI_PROC_FILE, PCI_SYS_FILES };

/* Guard: tasks only, which the kernel does not preempt. */
struct pci_node {
	struct node node;            /* must be the first member: node_ops get a pointer to it */
	struct pci_node *chain;      /* in the list of all nodes that exist */
	struct pci_address address;  /* of a bus: the function is 0 */
	const struct pci_file *file; /* of a file in /sys, or NULL */
	unsigned kind;               /* enum pci_kind; for a file in /sys PCI_SYS_FILES and its index */
	char name[NAME_SIZE];
};

/* All nodes that exist: few, since each is in use. Guard: tasks only, which the kernel does not preempt. */
static struct pci_node *live;

static const struct node_ops sys_dir_ops, proc_bus_ops, file_ops;

static struct pci_node *pci_node(struct node *node)
{
	return (struct pci_node *)node;
}

static uint64_t number_of(struct pci_address address, unsigned kind)
{
	return NUMBERS | (uint64_t)pci_order(address) << 8 | kind;
}

/* Return the first function whose place in the order is `least` or behind; NULL: there is none. */
static const struct pci_function *first_from(uint64_t least)
{
	context_token_t token = kernel_context_enter();
	const struct pci_function *f = pci_functions();

	kernel_context_leave(token);
	while (f && pci_order(f->address) < least)
		f = f->next;
	return f;
}

static const struct pci_function *function_of(struct node *node)
{
	struct pci_address address = pci_node(node)->address;
	const struct pci_function *f = first_from(pci_order(address));

	return f && pci_order(f->address) == pci_order(address) ? f : NULL;
}

/* ---- contents ---- */

static unsigned bar_flags(const struct pci_bar *bar)
{
	if (bar->kind == PCI_BAR_IO)
		return 1;
	return (bar->kind == PCI_BAR_MEMORY_64 ? 4 : 0) | (bar->prefetchable ? 8 : 0);
}

static int make_resource(struct node *node, struct text *ret)
{
	const struct pci_function *f = function_of(node);

	for (unsigned i = 0; f && i < BARS_SHOWN; i++) {
		const struct pci_bar *bar = i < PCI_BARS ? &f->bars[i] : &(const struct pci_bar){ 0 };
		uint64_t size = bar->size ? bar->size : bar->kind == PCI_BAR_IO ? 4 : 16;
		bool there = bar->kind != PCI_BAR_NONE && bar->address;
		unsigned kind = bar->kind == PCI_BAR_IO ? RESOURCE_IO : RESOURCE_MEMORY;

		text_add(ret, "0x%016llx 0x%016llx 0x%016llx\n", there ? (unsigned long long)bar->address : 0,
			 there ? (unsigned long long)(bar->address + size - 1) : 0,
			 there ? (unsigned long long)(kind | bar_flags(bar)) : 0);
	}
	return f ? 0 : -ENODEV;
}

static int make_uevent(struct node *node, struct text *ret)
{
	const struct pci_function *f = function_of(node);
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

static int make_config(struct node *node, struct text *ret)
{
	const struct pci_function *f = function_of(node);
	context_token_t token;
	uint16_t size;

	if (!f)
		return -ENODEV;
	token = kernel_context_enter();
	/* Only a function of PCI Express has registers behind the first 256 bytes. */
	size = f->express ? pci_config_size(f->address) : PCI_CONFIG_SIZE;
	for (uint16_t offset = 0; offset < size; offset += 4) {
		uint32_t word = pci_read(f, offset);

		text_add_bytes(ret, &word, sizeof(word));
	}
	pci_config_close();
	kernel_context_leave(token);
	return 0;
}

#define NUMBER_FILE(name, format, value)                            \
	static int make_##name(struct node *node, struct text *ret) \
	{                                                           \
		const struct pci_function *f = function_of(node);   \
                                                                    \
		if (!f)                                             \
			return -ENODEV;                             \
		text_add(ret, format "\n", value);                  \
		return 0;                                           \
	}

NUMBER_FILE(class, "0x%06x", f->class)
NUMBER_FILE(vendor, "0x%04x", f->vendor)
NUMBER_FILE(device, "0x%04x", f->device)
NUMBER_FILE(subsystem_vendor, "0x%04x", f->subsystem_vendor)
NUMBER_FILE(subsystem_device, "0x%04x", f->subsystem_device)
NUMBER_FILE(revision, "0x%02x", f->revision)
NUMBER_FILE(irq, "%u", f->interrupt_pin ? f->interrupt_line : 0)

static const struct pci_file files[] = {
	{ "class", make_class },
	{ "config", make_config },
	{ "device", make_device },
	{ "irq", make_irq },
	{ "resource", make_resource },
	{ "revision", make_revision },
	{ "subsystem_device", make_subsystem_device },
	{ "subsystem_vendor", make_subsystem_vendor },
	{ "uevent", make_uevent },
	{ "vendor", make_vendor },
};

#define FILES (sizeof(files) / sizeof(files[0]))

/* Make /proc/bus/pci/devices: a line for each function, as Linux has it. */
static int make_devices(struct node *node, struct text *ret)
{
	(void)node;
	for (const struct pci_function *f = first_from(0); f; f = f->next) {
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

/* ---- nodes ---- */

static void write_name(struct pci_address a, unsigned kind, char ret_name[NAME_SIZE])
{
	if (kind == PCI_SYS_DIR)
		format_s(ret_name, NAME_SIZE, "%04x:%02x:%02x.%x", a.segment, a.bus, a.device, a.function);
	else if (kind == PCI_PROC_FILE)
		format_s(ret_name, NAME_SIZE, "%02x.%x", a.device, a.function);
	else if (kind >= PCI_SYS_FILES)
		format_s(ret_name, NAME_SIZE, "%s", files[kind - PCI_SYS_FILES].name);
	else if (a.segment)
		format_s(ret_name, NAME_SIZE, "%04x:%02x", a.segment, a.bus);
	else
		format_s(ret_name, NAME_SIZE, "%02x", a.bus);
}

static bool is_name(struct name name, const char *text)
{
	return strlen(text) == name.size && memcmp(text, name.text, name.size) == 0;
}

/* Get the node of this address and kind: the existing one, or a new one. *ret is a new reference. */
static int get(struct node *dir, struct pci_address address, unsigned kind, struct node **ret)
{
	uint64_t number = number_of(address, kind);
	struct pci_node *made;
	const struct pci_function *f;

	for (struct pci_node *found = live; found; found = found->chain) {
		if (found->node.fs == dir->fs && found->node.number == number) {
			*ret = node_get(&found->node);
			return 0;
		}
	}
	made = kzalloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	if (kind == PCI_SYS_DIR || kind == PCI_PROC_BUS)
		node_init(&made->node, kind == PCI_SYS_DIR ? &sys_dir_ops : &proc_bus_ops, dir->fs, DIR_MODE);
	else
		node_init(&made->node, &file_ops, dir->fs, S_IFREG | 0444);
	made->node.number = number;
	made->node.links = node_is(&made->node, S_IFDIR) ? 2 : 1;
	made->node.parent = node_get(dir);
	made->address = address;
	made->kind = kind;
	write_name(address, kind, made->name);
	made->file = kind >= PCI_SYS_FILES ? &files[kind - PCI_SYS_FILES] : NULL;
	if (kind == PCI_PROC_FILE || (made->file && made->file->make == make_config)) {
		f = function_of(&made->node);
		made->node.size = f && f->express ? PCI_CONFIG_SIZE_EXTENDED : PCI_CONFIG_SIZE;
	} else if (made->file) {
		made->node.size = PAGE_SIZE;
	}
	made->chain = live;
	live = made;
	*ret = &made->node;
	return 0;
}

static void free_node(struct node *node)
{
	struct pci_node **link = &live;

	while (*link != pci_node(node))
		link = &(*link)->chain;
	*link = pci_node(node)->chain;
	kfree(node);
}

static int place(struct node *node, struct node_place *ret)
{
	const struct pci_node *named = pci_node(node);

	*ret = (struct node_place){ .dir = node->parent, .name = { named->name, strlen(named->name) } };
	return 0;
}

static int open(struct node *node, struct file *file)
{
	const struct pci_file *which = pci_node(node)->file;

	return text_file_open(file, which ? which->make : make_config, NULL);
}

/* Find the function of this name, among those from `least` to before `end`. */
static int look_up(struct node *dir, struct name name, unsigned kind, uint64_t least, uint64_t end, struct node **ret)
{
	char text[NAME_SIZE];

	for (const struct pci_function *f = first_from(least); f && pci_order(f->address) < end; f = f->next) {
		write_name(f->address, kind, text);
		if (is_name(name, text)) {
			struct pci_address address = f->address;

			if (kind == PCI_PROC_BUS)
				address.device = address.function = 0;
			return get(dir, address, kind, ret);
		}
	}
	return -ENOENT;
}

/*
 * Get the entry of the first function from `least` to before `end`, whose name is valid until the next call. Returns
 * its place in the order, or -1 when there is none.
 */
static int64_t list(uint64_t least, uint64_t end, unsigned kind, uint32_t mode, struct dir_entry *ret)
{
	static char text[NAME_SIZE]; /* guard: tasks only, which the kernel does not preempt */
	const struct pci_function *f = first_from(least);
	struct pci_address address;

	if (!f || pci_order(f->address) >= end)
		return -1;
	address = f->address;
	if (kind == PCI_PROC_BUS)
		address.device = address.function = 0;
	write_name(address, kind, text);
	*ret = (struct dir_entry){ { text, strlen(text) }, number_of(address, kind), mode };
	return pci_order(f->address);
}

#define ALL_END    (1ULL << 32)
#define BUS_PLACES 256 /* places in the order of one bus's functions */

static int lookup_sys(struct node *dir, struct name name, struct node **ret)
{
	return look_up(dir, name, PCI_SYS_DIR, 0, ALL_END, ret);
}

static int next_sys(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	int64_t at = list(*position - TEXT_FS_MORE, ALL_END, PCI_SYS_DIR, DIR_MODE, ret);

	(void)dir;
	if (at < 0)
		return 0;
	*position = TEXT_FS_MORE + (uint64_t)at + 1;
	return 1;
}

static int lookup_bus(struct node *dir, struct name name, struct node **ret)
{
	return look_up(dir, name, PCI_PROC_BUS, 0, ALL_END, ret);
}

static int next_bus(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	int64_t at = list(*position - TEXT_FS_MORE, ALL_END, PCI_PROC_BUS, DIR_MODE, ret);

	(void)dir;
	if (at < 0)
		return 0;
	*position = TEXT_FS_MORE + align_down((uint64_t)at, BUS_PLACES) + BUS_PLACES;
	return 1;
}

static int lookup_on_bus(struct node *dir, struct name name, struct node **ret)
{
	uint64_t bus = pci_order(pci_node(dir)->address);

	return look_up(dir, name, PCI_PROC_FILE, bus, bus + BUS_PLACES, ret);
}

static int next_on_bus(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	uint64_t bus = pci_order(pci_node(dir)->address), index = *position > 2 ? *position - 2 : 0;
	int64_t at = list(bus + index, bus + BUS_PLACES, PCI_PROC_FILE, S_IFREG, ret);

	if (at < 0)
		return 0;
	*position = (uint64_t)at - bus + 3;
	return 1;
}

static int lookup_file(struct node *dir, struct name name, struct node **ret)
{
	for (unsigned i = 0; i < FILES; i++)
		if (is_name(name, files[i].name))
			return get(dir, pci_node(dir)->address, PCI_SYS_FILES + i, ret);
	return -ENOENT;
}

static int next_file(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	uint64_t index = *position > 2 ? *position - 2 : 0;

	if (index >= FILES)
		return 0;
	*ret = (struct dir_entry){ { files[index].name, strlen(files[index].name) },
				   number_of(pci_node(dir)->address, PCI_SYS_FILES + (unsigned)index),
				   S_IFREG };
	*position = index + 3;
	return 1;
}

static const struct node_ops sys_dir_ops = {
	.lookup = lookup_file, .next = next_file, .place = place, .free = free_node
};
static const struct node_ops proc_bus_ops = {
	.lookup = lookup_on_bus, .next = next_on_bus, .place = place, .free = free_node
};
static const struct node_ops file_ops = { .place = place, .open = open, .free = free_node };

void pci_files_init(struct text_fs_type *proc)
{
	static const struct text_children buses = { lookup_bus, next_bus }, devices = { lookup_sys, next_sys };
	/* Fixed after boot. */
	static struct text_entry proc_entries[] = {
		{ .path = "bus/pci", .mode = DIR_MODE, .children = &buses },
		{ .path = "bus/pci/devices", .mode = S_IFREG | 0444, .make = make_devices },
	};
	/* Fixed after boot. */
	static struct text_entry sys_entries[] = {
		{ .path = "bus/pci/devices", .mode = DIR_MODE, .children = &devices },
	};

	text_fs_add(proc, proc_entries, sizeof(proc_entries) / sizeof(proc_entries[0]));
	sysfs_add(sys_entries, sizeof(sys_entries) / sizeof(sys_entries[0]));
}
