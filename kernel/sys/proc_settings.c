/*
 * Makes the files of /proc/sys whose content is a constant of this kernel, those below /proc/sys/kernel/random, and the
 * console's level. A file is here only if its content is true; what has no meaning in this kernel is absent. Files
 * whose value cannot be changed are read-only, also where Linux lets root write them.
 */
#include "kernel/fs/credentials.h"
#include "kernel/fs/errno.h"
#include "kernel/fs/fd.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/log.h"
#include "kernel/lib/random.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/sys/proc.h"

#define UUID_BYTES   16
#define ENTROPY_BITS 256 /* size of the random generator's key */

/* A file and its only line: `words`, or `number` if `words` is NULL. Guard: fixed after boot. */
struct setting {
	struct text_entry entry; /* must be the first member: text_fs_entry() gets a pointer to it */
	const char *words;
	uint64_t number;
};

static int make_setting(struct node *node, struct text *ret)
{
	const struct setting *setting = (const struct setting *)text_fs_entry(node);

	if (setting->words)
		text_add(ret, "%s\n", setting->words);
	else
		text_add_line(ret, "", setting->number);
	return 0;
}

#define ENTRY(name)                                                                \
	{                                                                          \
		.path = "sys/" name, .mode = S_IFREG | 0444, .make = make_setting, \
	}
#define NUMBER(name, value)                           \
	{                                             \
		.entry = ENTRY(name), .number = value \
	}
#define WORDS(name, text)                           \
	{                                           \
		.entry = ENTRY(name), .words = text \
	}

/* proc(5) and Linux's Documentation/admin-guide/sysctl explain the files. Fixed after boot. */
static struct setting settings[] = {
	WORDS("kernel/arch", "x86_64"),
	NUMBER("kernel/cap_last_cap", CAPABILITIES - 1),
	NUMBER("kernel/dmesg_restrict", 1), /* 1: syslog(2) asks for CAP_SYSLOG */
	NUMBER("kernel/ngroups_max", GROUPS_MOST),
	NUMBER("kernel/overflowgid", 65534),
	NUMBER("kernel/overflowuid", 65534),
	NUMBER("kernel/panic_on_oops", 1),
	NUMBER("kernel/random/poolsize", ENTROPY_BITS),
	NUMBER("kernel/randomize_va_space", 2), /* 2: the start of the heap is random, too (exec_load.c) */
	WORDS("kernel/seccomp/actions_avail", "kill_process kill_thread trap errno log allow"),
	NUMBER("kernel/tainted", 0),
	NUMBER("vm/max_map_count", INT32_MAX), /* only memory bounds the number of areas */
	NUMBER("vm/mmap_min_addr", USER_MIN),
	NUMBER("vm/oom_kill_allocating_task", 0),
	NUMBER("vm/overcommit_memory", 1), /* 1: memory is never reserved */
	NUMBER("vm/panic_on_oom", 0),
	NUMBER("fs/file-max", INT64_MAX), /* only memory bounds the number of open files */
	NUMBER("fs/nr_open", FD_LIMIT_MAX),
	NUMBER("fs/overflowgid", 65534),
	NUMBER("fs/overflowuid", 65534),
	NUMBER("fs/pipe-user-pages-hard", 0), /* 0: no limit */
	NUMBER("fs/protected_hardlinks", 1),
	NUMBER("fs/protected_symlinks", 1),
	NUMBER("fs/suid_dumpable", 0),
};

/* ---- kernel/random ---- */

/* Add a UUID of version 4, whose bits are random (RFC 4122, section 4.4), made of `bytes`. */
static void add_uuid(struct text *ret, const uint8_t bytes[UUID_BYTES])
{
	for (int i = 0; i < UUID_BYTES; i++) {
		uint8_t byte = bytes[i];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			text_add_char(ret, '-');
		if (i == 6)
			byte = (byte & 0x0f) | 0x40;
		if (i == 8)
			byte = (byte & 0x3f) | 0x80;
		text_add_hex(ret, byte, 2);
	}
	text_add_char(ret, '\n');
}

static int make_uuid(struct node *node, struct text *ret)
{
	uint8_t bytes[UUID_BYTES];

	(void)node;
	random_bytes(bytes, sizeof(bytes));
	add_uuid(ret, bytes);
	return 0;
}

static int make_boot_id(struct node *node, struct text *ret)
{
	static uint8_t boot_id[UUID_BYTES]; /* guard: tasks only, which the kernel does not preempt */
	static bool made;                   /* guard: tasks only, which the kernel does not preempt */

	(void)node;
	if (!made)
		random_bytes(boot_id, sizeof(boot_id));
	made = true;
	add_uuid(ret, boot_id);
	return 0;
}

static int make_entropy(struct node *node, struct text *ret)
{
	(void)node;
	text_add_line(ret, "", random_is_ready() ? ENTROPY_BITS : 0);
	return 0;
}

/* ---- kernel/printk ---- */

/*
 * The other three numbers of the file, all fixed: the level of messages that have none, the console's least level, and
 * its default level.
 */
#define PRINTK_FIXED "\t4\t1\t7\n"

static int make_printk(struct node *node, struct text *ret)
{
	(void)node;
	text_add_number(ret, (uint64_t)log_console_level());
	text_add_string(ret, PRINTK_FIXED);
	return 0;
}

/* Set the console's level to the one digit that is written. Returns 0 or -EINVAL. */
static int take_printk(struct node *node, const char *bytes, size_t size)
{
	const unsigned level = digit_value(bytes[0]);

	(void)node;
	if (level < 1 || level > LOG_DEBUG + 1 || (size > 1 && bytes[1] != '\n') || size > 2)
		return -EINVAL;
	log_set_console_level((int)level);
	return 0;
}

void proc_settings_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		{ .path = "sys/kernel/random/uuid", .mode = S_IFREG | 0444, .make = make_uuid },
		{ .path = "sys/kernel/random/boot_id", .mode = S_IFREG | 0444, .make = make_boot_id },
		{ .path = "sys/kernel/random/entropy_avail", .mode = S_IFREG | 0444, .make = make_entropy },
		{ .path = "sys/kernel/printk", .mode = S_IFREG | 0644, .make = make_printk, .take = take_printk },
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		text_fs_add(type, &settings[i].entry, 1);
}
