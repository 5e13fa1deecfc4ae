/*
 * Makes what programs such as lspci see of PCI: /proc/bus/pci, with a directory for each bus and a file for each
 * function, and /sys/bus/pci/devices, with a directory for each function. Names and contents are Linux's; pci_text.c
 * generates the contents. A node exists only while there is a reference to it, and names its function by address.
 */
#include "kernel/sys/pci_files.h"

#include "kernel/dev/pci/pci_config.h"
#include "kernel/fs/sysfs.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/context.h"
#include "kernel/sys/pci_text.h"

#define DIR_MODE  (S_IFDIR | 0555)
#define NAME_SIZE 20
#define NUMBERS   (1ULL << 60) /* base of the inode numbers here: above all others in /proc and /sys */

/*
 * What a node is. The value is a part of the inode number; a file in /sys has PCI_SYS_FILES plus its index in
 * pci_sys_files instead.
 */
enum pci_kind { PCI_SYS_DIR, PCI_PROC_BUS, PCI_PROC_FILE, PCI_SYS_FILES };

/* Guard: tasks only, which the kernel does not preempt. */
struct pci_node {
	struct node node;            /* must be the first member: node_ops get a pointer to it */
	struct pci_node *chain;      /* the next in the list `live` */
	struct pci_address address;  /* the function's address; for a bus, device and function are 0 */
	const struct pci_file *file; /* what a file in /sys shows; NULL for other nodes */
	unsigned kind; /* enum pci_kind; for a file in /sys PCI_SYS_FILES plus its index in pci_sys_files */
	char name[NAME_SIZE];
};

/* All nodes that exist: few, since each is in use. Guard: tasks only, which the kernel does not preempt. */
static struct pci_node *live;

static const struct node_ops sys_dir_ops, proc_bus_ops, file_ops, link_ops;

static struct pci_node *pci_node(struct node *node)
{
	return (struct pci_node *)node;
}

static uint64_t number_of(struct pci_address address, unsigned kind)
{
	return NUMBERS | (uint64_t)pci_order(address) << 8 | kind;
}

const struct pci_function *pci_files_first(uint64_t least)
{
	context_token_t token = kernel_context_enter();
	const struct pci_function *f = pci_functions();

	kernel_context_leave(token);
	while (f && pci_order(f->address) < least)
		f = f->next;
	return f;
}

const struct pci_function *pci_files_function(struct node *node)
{
	struct pci_address address = pci_node(node)->address;
	const struct pci_function *f = pci_files_first(pci_order(address));

	return f && pci_order(f->address) == pci_order(address) ? f : NULL;
}

static void write_name(struct pci_address a, unsigned kind, char ret_name[NAME_SIZE])
{
	if (kind == PCI_SYS_DIR)
		format_s(ret_name, NAME_SIZE, "%04x:%02x:%02x.%x", a.segment, a.bus, a.device, a.function);
	else if (kind == PCI_PROC_FILE)
		format_s(ret_name, NAME_SIZE, "%02x.%x", a.device, a.function);
	else if (kind >= PCI_SYS_FILES)
		format_s(ret_name, NAME_SIZE, "%s", pci_sys_files[kind - PCI_SYS_FILES].name);
	else if (a.segment)
		format_s(ret_name, NAME_SIZE, "%04x:%02x", a.segment, a.bus);
	else
		format_s(ret_name, NAME_SIZE, "%02x", a.bus);
}

static bool is_name(struct name name, const char *text)
{
	return strlen(text) == name.size && memcmp(text, name.text, name.size) == 0;
}

/* Set operations, mode and size of a new node, whose other fields are set. */
static void set_up(struct pci_node *made, struct fs *fs)
{
	unsigned kind = made->kind;
	const struct pci_function *f;

	if (kind == PCI_SYS_DIR || kind == PCI_PROC_BUS)
		node_init(&made->node, kind == PCI_SYS_DIR ? &sys_dir_ops : &proc_bus_ops, fs, DIR_MODE);
	else if (made->file && made->file->is_driver)
		node_init(&made->node, &link_ops, fs, S_IFLNK | 0777);
	else
		node_init(&made->node, &file_ops, fs, S_IFREG | 0444);
	made->node.number = number_of(made->address, kind);
	made->node.links = node_is(&made->node, S_IFDIR) ? 2 : 1;
	if (kind == PCI_PROC_FILE || (made->file && made->file->make == pci_make_config)) {
		f = pci_files_function(&made->node);
		made->node.size = f && f->express ? PCI_CONFIG_SIZE_EXTENDED : PCI_CONFIG_SIZE;
	} else if (node_is(&made->node, S_IFREG)) {
		made->node.size = PAGE_SIZE;
	}
}

/* Get the node of this address and kind: the existing one, or a new one. *ret is a new reference. */
static int get(struct node *dir, struct pci_address address, unsigned kind, struct node **ret)
{
	uint64_t number = number_of(address, kind);
	struct pci_node *made;

	for (struct pci_node *found = live; found; found = found->chain) {
		if (found->node.fs == dir->fs && found->node.number == number) {
			*ret = node_get(&found->node);
			return 0;
		}
	}
	made = kzalloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->address = address;
	made->kind = kind;
	made->file = kind >= PCI_SYS_FILES ? &pci_sys_files[kind - PCI_SYS_FILES] : NULL;
	write_name(address, kind, made->name);
	set_up(made, dir->fs);
	made->node.parent = node_get(dir);
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

	return text_file_open(file, which ? which->make : pci_make_config, NULL);
}

/*
 * Look up `name` among the functions whose place in the order (pci_order()) is in [least, end). *ret is a reference to
 * the node. Returns 0, -ENOENT or -ENOMEM.
 */
static int look_up(struct node *dir, struct name name, unsigned kind, uint64_t least, uint64_t end, struct node **ret)
{
	char text[NAME_SIZE];

	for (const struct pci_function *f = pci_files_first(least); f && pci_order(f->address) < end; f = f->next) {
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
 * Set *ret to the directory entry of the first function whose place in the order (pci_order()) is in [least, end); its
 * name is valid until the next call. Returns the function's place, or -1 when there is none.
 */
static int64_t list(uint64_t least, uint64_t end, unsigned kind, uint32_t mode, struct dir_entry *ret)
{
	static char text[NAME_SIZE]; /* guard: tasks only, which the kernel does not preempt */
	const struct pci_function *f = pci_files_first(least);
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

/* Return whether the directory of a function has the file: the link to the driver exists only if there is a driver. */
static bool has_file(struct node *dir, const struct pci_file *file)
{
	const struct pci_function *f = pci_files_function(dir);

	return f && (f->driver || !file->is_driver);
}

static int lookup_file(struct node *dir, struct name name, struct node **ret)
{
	for (unsigned i = 0; pci_sys_files[i].name; i++)
		if (is_name(name, pci_sys_files[i].name) && has_file(dir, &pci_sys_files[i]))
			return get(dir, pci_node(dir)->address, PCI_SYS_FILES + i, ret);
	return -ENOENT;
}

static int next_file(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	uint64_t index = *position > 2 ? *position - 2 : 0;

	while (index < PCI_SYS_FILES_MOST && pci_sys_files[index].name && !has_file(dir, &pci_sys_files[index]))
		index++;
	if (index >= PCI_SYS_FILES_MOST || !pci_sys_files[index].name)
		return 0;
	*ret = (struct dir_entry){ { pci_sys_files[index].name, strlen(pci_sys_files[index].name) },
				   number_of(pci_node(dir)->address, PCI_SYS_FILES + (unsigned)index),
				   pci_sys_files[index].is_driver ? S_IFLNK : S_IFREG };
	*position = index + 3;
	return 1;
}

static int readlink(struct node *node, struct link_target *ret)
{
	return text_link_target(node, pci_node(node)->file->make, ret);
}

static const struct node_ops sys_dir_ops = {
	.lookup = lookup_file, .next = next_file, .place = place, .free = free_node
};
static const struct node_ops proc_bus_ops = {
	.lookup = lookup_on_bus, .next = next_on_bus, .place = place, .free = free_node
};
static const struct node_ops file_ops = { .place = place, .open = open, .free = free_node };
static const struct node_ops link_ops = { .readlink = readlink, .place = place, .free = free_node };

void pci_files_init(struct text_fs_type *proc)
{
	static const struct text_children buses = { lookup_bus, next_bus }, devices = { lookup_sys, next_sys };
	/* Fixed after boot. */
	static struct text_entry proc_entries[] = {
		{ .path = "bus/pci", .mode = DIR_MODE, .children = &buses },
		{ .path = "bus/pci/devices", .mode = S_IFREG | 0444, .make = pci_make_devices },
	};
	/* Fixed after boot. */
	static struct text_entry sys_entries[] = {
		{ .path = "bus/pci/devices", .mode = DIR_MODE, .children = &devices },
	};

	text_fs_add(proc, proc_entries, sizeof(proc_entries) / sizeof(proc_entries[0]));
	sysfs_add(sys_entries, sizeof(sys_entries) / sizeof(sys_entries[0]));
}
