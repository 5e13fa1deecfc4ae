/*
 * Joins the parts that make a first program possible, and runs it.
 */
#include "kernel/sys/userland.h"

#include "kernel/arch/entropy.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/fs/device.h"
#include "kernel/fs/initramfs.h"
#include "kernel/fs/path.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tty.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/sys/sys.h"
#include "kernel/task/job_control.h"
#include "kernel/task/process.h"
#include "kernel/task/user_return.h"

#define IRQ_KEYBOARD 1
#define IRQ_SERIAL   4
#define ARGUMENTS    32
#define PATH_SIZE    256
#define WORDS_SIZE   1024

static struct node *root;
static struct tty console;

static void console_write(struct tty *tty, const char *text, size_t size)
{
	(void)tty;
	say_raw(text, size);
}

/* What has been typed, byte by byte until there is no more. */
static void take_input(int (*read)(void))
{
	for (int byte = read(); byte >= 0; byte = read()) {
		char typed = (char)byte;

		tty_input(&console, &typed, 1);
	}
}

static void serial_interrupt(void *ctx)
{
	(void)ctx;
	take_input(serial_read);
}

static void keyboard_interrupt(void *ctx)
{
	(void)ctx;
	take_input(keyboard_read);
}

static void connect(unsigned isa, irq_handler_fn *handler, const char *name)
{
	uint32_t gsi;

	if (irq_register_isa(isa, handler, NULL, &gsi) != OK)
		log_warn("%s: no interrupt, so programs cannot read from it\n", name);
	else
		irq_enable(gsi);
}

/* The console's input is the programs' from here on. */
static void connect_input(void)
{
	if (serial_present())
		connect(IRQ_SERIAL, serial_interrupt, "serial port");
	if (keyboard_present())
		connect(IRQ_KEYBOARD, keyboard_interrupt, "keyboard");
	serial_interrupts_on();
	keyboard_interrupts_on();
}

static struct linux_timespec wall_clock(void)
{
	uint64_t now = clock_realtime_ns();

	return (struct linux_timespec){ (int64_t)(now / NS_PER_S), (int64_t)(now % NS_PER_S) };
}

/* /dev and what belongs into it. */
static int make_devices(void)
{
	static const struct name dev = { "dev", 3 };
	struct node *node;
	int error;

	device_init();
	error = tty_init(&console, "ttyS0", DEVICE_NUMBER(DEVICE_TTY_MAJOR, 64), console_write, NULL);
	if (error)
		return error;
	job_control_add(&console);
	tty_set_console(&console);
	error = node_create(root, dev, S_IFDIR | 0755, 0, NULL);
	if (error && error != -EEXIST)
		return error;
	error = node_lookup(root, root, dev, &node);
	if (error)
		return error;
	error = device_make_nodes(node);
	node_put(node);
	return error;
}

bool userland_init(const struct boot_info *info)
{
	struct initramfs_report report = { 0 };
	char size[16];
	int error;

	if (!info->initrd_size)
		return false;
	entropy_gather(info->seed, info->seed_size);
	node_set_clock(wall_clock);
	error = tmpfs_create(&root);
	if (!error)
		error = initramfs_unpack(root, info->initrd, info->initrd_size, &report);
	if (report.error.what)
		log_err("initramfs: %s, at offset %#llx\n", report.error.what, (unsigned long long)report.error.offset);
	if (error != -ENOMEM)
		error = make_devices();
	if (error) {
		log_err("initramfs: left alone, error %d\n", -error);
		return false;
	}
	log_info("initramfs: %llu files, %s\n", (unsigned long long)report.nodes, format_size(size, report.bytes));
	user_traps_init();
	syscall_init();
	return true;
}

/* Cuts the words of `text` apart; a double quote keeps blanks. Returns how many there are. */
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
	const struct path_base base = { root, root };

	return path_open(&base, "/dev/console", O_RDWR, 0, ret);
}

bool userland_run(const char *cmdline, int *ret_status)
{
	static const char *const environment[] = { "HOME=/", "TERM=linux", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", NULL };
	static char path[PATH_SIZE], words[WORDS_SIZE];
	const char *argv[ARGUMENTS + 2] = { path };
	const char *what = NULL;
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
		error = process_start_init(root, file, path, argv, environment, &what);
		file_put(file);
	}
	if (error == -ENOENT && !chosen)
		return false;
	if (error) {
		log_err("init: %s cannot be started: %s, error %d\n", path, what ? what : "no such program", -error);
		return false;
	}
	connect_input();
	*ret_status = process_wait_init();
	serial_interrupts_off();
	keyboard_interrupts_off();
	return true;
}
