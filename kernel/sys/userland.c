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
#include "kernel/fs/mount_types.h"
#include "kernel/fs/path.h"
#include "kernel/fs/pty.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/format.h"
#include "kernel/lib/hash.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/sys/core_dump.h"
#include "kernel/sys/cpu_files.h"
#include "kernel/sys/devices.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/rtc_device.h"
#include "kernel/sys/socket_args.h"
#include "kernel/sys/sys.h"
#include "kernel/sys/terminals.h"
#include "kernel/task/exec.h"
#include "kernel/task/late.h"
#include "kernel/task/process.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/signal.h"
#include "kernel/task/space_work.h"
#include "kernel/task/user_return.h"
#include "kernel/task/vdso.h"

#define ARGUMENTS  32
#define PATH_SIZE  256
#define WORDS_SIZE 1024

/* The root of the tree of files. Fixed after boot. */
static struct node *root;

static void say_what_is_wrong(const struct initramfs_report *report)
{
	char needed[16], free[16];

	log_err("initramfs: %s, at offset %#llx%s\n", report->error.what, (unsigned long long)report->error.offset,
		report->packed ? " of what was unpacked" : "");
	if (report->needed)
		log_err("initramfs: %s in one piece are needed; %s are free\n", format_size(needed, report->needed),
			format_size(free, report->free));
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
	error = node_create(root, dev, &credentials_first, S_IFDIR | 0755, 0, NULL);
	if (error && error != -EEXIST)
		return error;
	error = node_lookup(root, root, dev, &node);
	if (error)
		return error;
	error = device_make_nodes(node);
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
	error = node_lookup(root, root, name, &at);
	if (error)
		return error;
	error = mount_add(type, type, at, MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
	node_put(at);
	return error;
}

static int make_mounts(const char *cmdline)
{
	static const struct name proc = { "proc", 4 }, sys = { "sys", 3 };
	int error;

	mount_types_init();
	devices_files_init();
	error = cpu_files_init();
	if (error)
		return error;
	error = proc_init(cmdline);
	if (!error)
		error = mount_set_root("tmpfs", root);
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
 * Unpack the boot file's archives and, over them, those of the boot manager or of initrd=. Returns initramfs_unpack()'s
 * errors; *ret is its report on the archives unpacked last, but counts the files and bytes of all.
 */
static int unpack_all(const struct boot_info *info, struct initramfs_report *ret)
{
	uint64_t nodes, bytes;
	int error = 0;

	if (info->initrd_size)
		error = initramfs_unpack(root, info->initrd, info->initrd_size, ret);
	if (error || !info->initrd_outside_size)
		return error;
	nodes = ret->nodes;
	bytes = ret->bytes;
	error = initramfs_unpack(root, info->initrd_outside, info->initrd_outside_size, ret);
	ret->nodes += nodes;
	ret->bytes += bytes;
	return error;
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
	if (!error)
		error = unpack_all(info, &report);
	if (report.error.what)
		say_what_is_wrong(&report);
	if (!error)
		tmpfs_set_limit(root);
	inotify_init();
	if (error != -ENOMEM)
		error = make_devices(hhdm_ptr(info->cmdline));
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

/*
 * Split `text` into words in place, at blanks that are not inside double quotes. Returns how many words there are, at
 * most `most`; the rest is dropped.
 */
static size_t split_words(char *text, const char **words, size_t most)
{
	size_t count = 0;
	char *to = text;
	bool quoted = false, inside = false;

	for (; *text; text++) {
		if (*text == '"') {
			quoted = !quoted;
			continue;
		}
		if (*text == ' ' && !quoted) {
			if (inside)
				*to++ = '\0';
			inside = false;
			continue;
		}
		if (!inside) {
			if (count == most)
				break;
			words[count++] = to;
			inside = true;
		}
		*to++ = *text;
	}
	*to = '\0';
	return count;
}

static int open_console(struct file **ret)
{
	const struct path_base base = { root, root, &credentials_first, NULL };

	return path_open(&base, "/dev/console", O_RDWR, 0, ret);
}

bool userland_run(const char *cmdline, int *ret_status)
{
	static const char *const environment[] = { "HOME=/", "TERM=xterm", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", NULL };
	/* Path and words of the first program, static as they are large. Fixed after boot. */
	static char path[PATH_SIZE], words[WORDS_SIZE];
	const char *argv[ARGUMENTS + 2] = { path };
	const struct exec_request request = { .path = path, .argv = argv, .envp = environment };
	struct exec_refusal refusal = { "" };
	struct file *file;
	bool chosen;
	int error;

	chosen = cmdline_get(cmdline, "init", path, sizeof(path));
	if (chosen && strcmp(path, "none") == 0)
		return false;
	if (!chosen)
		format_s(path, sizeof(path), "/init");
	format_s(words, sizeof(words), "%s", cmdline_init_words(cmdline));
	argv[1 + split_words(words, argv + 1, ARGUMENTS)] = NULL;
	error = open_console(&file);
	if (!error) {
		error = process_start_init(root, file, &request, &refusal);
		/*
		 * Try once more, as a system call is tried again when memory ran out: the heap has grown meanwhile, so
		 * the second start needs fewer frames. This matters with the boot parameter frame_fail_user=N, which
		 * refuses every N-th frame.
		 */
		if (error == -ENOMEM)
			error = process_start_init(root, file, &request, &refusal);
		file_put(file);
	}
	if (error == -ENOENT && !chosen && !refusal.text[0])
		return false;
	if (error) {
		if (!refusal.text[0])
			format_s(refusal.text, sizeof(refusal.text), "%s",
				 error == -ENOENT   ? "no such program"
				 : error == -ENOMEM ? "no memory"
						    : "no program");
		log_err("init: %s: %s, error %d\n", path, refusal.text, -error);
		return false;
	}
	terminals_connect();
	devices_start();
	*ret_status = process_wait_init(terminals_want_drawing, terminals_draw);
	devices_end();
	terminals_disconnect();
	return true;
}
