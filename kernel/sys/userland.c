/*
 * Sets up the file systems, devices and system calls for programs, and runs the first program.
 */
#include "kernel/sys/userland.h"

#include "kernel/arch/entropy.h"
#include "kernel/fs/credentials.h"
#include "kernel/fs/device.h"
#include "kernel/fs/initramfs.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/mount_change.h"
#include "kernel/fs/mount_types.h"
#include "kernel/fs/pty.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/ipc/mqueue_fs.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/format.h"
#include "kernel/lib/hash.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/sys/core_dump.h"
#include "kernel/sys/cpu_files.h"
#include "kernel/sys/devices.h"
#include "kernel/sys/fb_device.h"
#include "kernel/sys/first_program.h"
#include "kernel/sys/node_files.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/rtc_device.h"
#include "kernel/sys/screen_mode.h"
#include "kernel/sys/socket_args.h"
#include "kernel/sys/sys.h"
#include "kernel/sys/terminals.h"
#include "kernel/task/late.h"
#include "kernel/task/process.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/signal.h"
#include "kernel/task/space_work.h"
#include "kernel/task/user_return.h"
#include "kernel/task/vdso.h"

/* The root of the tree of files. Fixed after boot. */
static struct node *root;
/* The place of `root` in its mount. Fixed after boot. */
static struct place root_place;

static void say_what_is_wrong(const struct initramfs_report *report, int error)
{
	char left[16], free[16];

	if (report->passed_over)
		log_warn("initramfs: %llu entries were passed over\n", (unsigned long long)report->passed_over);
	if (report->what)
		log_err("initramfs: %s, at offset %#llx%s\n", report->what, (unsigned long long)report->offset,
			report->packed ? " of what was unpacked" : "");
	if (error == -ENOMEM)
		log_err("initramfs: %s of the archives are not unpacked; %s are free\n",
			format_size(left, report->left),
			format_size(free, frame_free_count(&machine_frames) * PAGE_SIZE));
	else if (error)
		log_warn("initramfs: what came before that is there, what follows is not\n");
}

static struct linux_timespec wall_clock(void)
{
	uint64_t now = clock_realtime_ns();

	return (struct linux_timespec){ (int64_t)(now / NS_PER_S), (int64_t)(now % NS_PER_S) };
}

/* Register the devices, and make /dev with a node for each. */
static int make_devices(const char *cmdline)
{
	static const struct name dev = { "dev", 3 };
	struct node *node;
	int error;

	device_init();
	pty_init();
	terminals_init(cmdline);
	rtc_device_init();
	fb_device_init();
	error = node_create(root, dev, &credentials_first, S_IFDIR | 0755, 0, NULL);
	if (error && error != -EEXIST)
		return error;
	error = node_lookup(root, dev, &node);
	if (error)
		return error;
	error = device_make_first_nodes(node);
	node_put(node);
	return error;
}

/* Mount a file system at the directory `name` of the root, which is made if missing: init scripts need not do it. */
static int mount_at(struct name name, const char *type)
{
	struct node *at;
	int error = node_create(root, name, &credentials_first, S_IFDIR | 0555, 0, NULL);

	if (error && error != -EEXIST)
		return error;
	error = node_lookup(root, name, &at);
	if (error)
		return error;
	error = mount_add(type, type, &(struct place){ root_place.mount, at }, MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
	node_put(at);
	return error;
}

static int make_mounts(const char *cmdline)
{
	static const struct name proc = { "proc", 4 }, sys = { "sys", 3 };
	int error;

	mount_types_init();
	error = mqueue_fs_init();
	if (error)
		return error;
	devices_files_init();
	node_files_init();
	error = cpu_files_init();
	if (error)
		return error;
	error = proc_init(cmdline);
	if (!error)
		error = mount_set_root("tmpfs", root, &root_place);
	if (!error)
		error = mount_at(proc, "proc");
	if (!error)
		error = mount_at(sys, "sysfs");
	return error;
}

static void send_signal(struct process *process, int signal)
{
	(void)signal_send_process(process, signal, NULL);
}

/* Set the random key of the hashes of file names. Call before the first file has a name. */
static void set_hash_key(void)
{
	uint64_t key[2];

	random_bytes(key, sizeof(key));
	hash_set_key(key);
}

/*
 * Unpack the archives at `pa`, if there are any, and say what is wrong with them; add their files and bytes to `sum`.
 * Returns 0, also when some could not be read, or -ENOMEM.
 */
static int unpack(paddr_t pa, uint64_t size, struct initramfs_report *sum)
{
	struct initramfs_report report;
	int error;

	if (!size)
		return 0;
	error = initramfs_unpack(root, pa, size, &report);
	say_what_is_wrong(&report, error);
	sum->nodes += report.nodes;
	sum->bytes += report.bytes;
	return error == -ENOMEM ? error : 0;
}

/* Log where the initial file systems come from. In the usual case, only from the boot file, log nothing. */
static void say_sources(const struct boot_info *info)
{
	char size[16];

	if (info->flags & BOOT_INITRD_SECURE)
		log_warn("initramfs: what the boot manager or initrd= offers is left aside: Secure Boot is on\n");
	if (info->initrd_outside_size)
		log_info("initramfs: %s more %s\n", format_size(size, info->initrd_outside_size),
			 info->flags & BOOT_INITRD_OFFERED ? "from the boot manager" : "from the files of initrd=");
	if (info->initrd_size)
		return;
	log_info("initramfs: the boot file has %s .initrd%s\n", info->initrd.raw ? "an empty" : "no",
		 info->initrd_outside_size ? "" : ": no first program, the monitor prompts");
}

bool userland_init(const struct boot_info *info)
{
	struct initramfs_report report = { 0 };
	char size[16];
	int error;

	say_sources(info);
	if (!info->initrd_size && !info->initrd_outside_size)
		return false;
	entropy_gather(info->seed, info->seed_size);
	set_hash_key();
	node_set_clock(wall_clock);
	error = tmpfs_create(&root);
	/* Unpack the archives of the boot manager or of initrd= last: their files replace those of the boot file. */
	if (!error)
		error = unpack(info->initrd, info->initrd_size, &report);
	if (!error)
		error = unpack(info->initrd_outside, info->initrd_outside_size, &report);
	if (!error) {
		tmpfs_set_limit(root);
		inotify_init();
		error = make_devices(hhdm_ptr(info->cmdline));
	}
	if (error) {
		log_err("initramfs: left alone, error %d\n", -error);
		return false;
	}
	log_info("initramfs: %llu files, %s\n", (unsigned long long)report.nodes, format_size(size, report.bytes));
	process_limits_init(send_signal);
	socket_calls_init();
	user_traps_init();
	vdso_init();
	space_work_init();
	late_init();
	syscall_init();
	core_dump_init();
	return true;
}

bool userland_mount(const struct boot_info *info)
{
	int error = make_mounts(hhdm_ptr(info->cmdline));

	if (!error)
		error = memory_files_init();
	if (error)
		log_err("/proc and /sys: not mounted, error %d\n", -error);
	return !error;
}

bool userland_run(const char *cmdline, int *ret_status)
{
	if (!first_program_start(&root_place, cmdline))
		return false;
	terminals_connect();
	devices_start();
	*ret_status = process_wait_init(screen_wants_drawing, screen_draw);
	devices_end();
	fb_device_end();
	terminals_disconnect();
	return true;
}
