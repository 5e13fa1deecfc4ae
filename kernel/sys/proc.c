/*
 * Makes the file system /proc: its root directory, the links in the root, and the file `filesystems`. proc.h names the
 * files that make the rest.
 */
#include "kernel/sys/proc.h"

#include "kernel/fs/mount.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/aio.h"
#include "kernel/sys/core_pattern.h"
#include "kernel/sys/pci_files.h"

#define PROC_MAGIC 0x9fa0

/*
 * The operations of the root, and the files that do not belong to a process (text_fs_add). As on Linux, making a file
 * in /proc fails with -ENOENT. Fixed after boot.
 */
static struct text_fs_type proc_type = {
	.name = "proc",
	.magic = PROC_MAGIC,
	.create_error = -ENOENT,
	.kept = "sys",
	.children = &(const struct text_children){ proc_lookup_pid, proc_next_pid },
};

static int make_self(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%d", process_current()->pid);
	return 0;
}

static int make_thread_self(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%d/task/%d", process_current()->pid, task_current()->tid);
	return 0;
}

static int make_mounts_link(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "self/mounts");
	return 0;
}

static int make_net_link(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "self/net");
	return 0;
}

static int make_filesystems(struct node *node, struct text *ret)
{
	(void)node;
	mount_list_types(ret);
	return 0;
}

static int create(const char *options, struct node **ret)
{
	/* The options hidepid= and gid= are accepted and have no effect: all processes are shown to all users. */
	(void)options;
	return text_fs_create(&proc_type, ret);
}

int proc_init(const char *cmdline)
{
	static struct text_entry entries[] = {
		{ .path = "self", .mode = S_IFLNK | 0777, .make = make_self },
		{ .path = "thread-self", .mode = S_IFLNK | 0777, .make = make_thread_self },
		{ .path = "mounts", .mode = S_IFLNK | 0777, .make = make_mounts_link },
		{ .path = "net", .mode = S_IFLNK | 0777, .make = make_net_link },
		{ .path = "filesystems", .mode = S_IFREG | 0444, .make = make_filesystems },
	};
	/* Fixed after boot. */
	static struct mount_type mount = { .name = "proc", .create = create, .destroy = text_fs_destroy };
	size_t size = strlen(cmdline) + 1;
	char *copy = kmalloc(size);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, cmdline, size);
	text_fs_add(&proc_type, entries, sizeof(entries) / sizeof(entries[0]));
	proc_machine_init(&proc_type, copy);
	proc_settings_init(&proc_type);
	aio_init(&proc_type);
	key_limits_init(&proc_type);
	proc_sched_init(&proc_type);
	core_pattern_init(&proc_type);
	proc_ipc_init(&proc_type);
	proc_inotify_init(&proc_type);
	pci_files_init(&proc_type);
	mount_type_add(&mount);
	return 0;
}
