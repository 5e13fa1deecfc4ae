/*
 * Makes the files of /proc about the machine: meminfo, stat, uptime, loadavg, …, and some of /proc/sys: names of the
 * system, and limits of processes and pipes.
 */
#include "kernel/arch/features.h"
#include "kernel/fs/content.h"
#include "kernel/fs/pipe.h"
#include "kernel/ipc/shm.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/context.h"
#include "kernel/sys/number_file.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/proc_cpus.h"
#include "kernel/sys/system_names.h"
#include "kernel/task/load_average.h"
#include "kernel/task/number.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/sched.h"

#define TICK_NS  (NS_PER_S / 100)
#define PAGE_KIB (PAGE_SIZE / 1024)

static const char *kernel_cmdline;

static void add_kib(struct text *text, const char *name, uint64_t kib)
{
	const size_t start = text->size;

	text_add_string(text, name);
	text_pad(text, start, 15);
	text_add_number_right(text, kib, 8);
	text_add_string(text, " kB\n");
}

/* How many pages of memory are used for what. */
struct memory_use {
	uint64_t free, tables, heap;
	uint64_t shared; /* pages of files in memory and of shmget(2)'s segments */
};

static struct memory_use measure_memory(void)
{
	context_token_t token = kernel_context_enter();
	struct memory_use use = { .free = frame_free_count(&machine_frames),
				  .tables = context_table_frames(),
				  .heap = heap_get_stats().mapped / PAGE_SIZE,
				  .shared = content_frames + shm_resident };

	kernel_context_leave(token);
	return use;
}

static int make_meminfo(struct node *node, struct text *ret)
{
	const struct memory_use use = measure_memory();

	(void)node;
	add_kib(ret, "MemTotal:", machine_frames.total * PAGE_KIB);
	add_kib(ret, "MemFree:", use.free * PAGE_KIB);
	add_kib(ret, "MemAvailable:", use.free * PAGE_KIB);
	add_kib(ret, "Buffers:", 0);
	add_kib(ret, "Cached:", content_frames * PAGE_KIB);
	add_kib(ret, "SwapCached:", 0);
	add_kib(ret, "Active:", 0);
	add_kib(ret, "Inactive:", 0);
	add_kib(ret, "SwapTotal:", 0);
	add_kib(ret, "SwapFree:", 0);
	add_kib(ret, "Shmem:", use.shared * PAGE_KIB);
	add_kib(ret, "Slab:", use.heap * PAGE_KIB);
	add_kib(ret, "SReclaimable:", 0);
	add_kib(ret, "SUnreclaim:", use.heap * PAGE_KIB);
	add_kib(ret, "PageTables:", use.tables * PAGE_KIB);
	/* The pool of huge pages is empty; its size is that of those which memory gets by itself. */
	text_add_string(ret, "HugePages_Total:       0\nHugePages_Free:        0\n");
	add_kib(ret, "Hugepagesize:", PAGE_SIZE_2M / 1024);
	return 0;
}

/* Add a number with two digits after the decimal point. */
static void add_hundredths(struct text *text, uint64_t whole, uint64_t hundredths)
{
	text_add_number(text, whole);
	text_add_char(text, '.');
	text_add_char(text, (char)('0' + hundredths / 10));
	text_add_char(text, (char)('0' + hundredths % 10));
}

static void add_seconds(struct text *text, uint64_t ns)
{
	add_hundredths(text, ns / NS_PER_S, ns % NS_PER_S / TICK_NS);
}

static int make_uptime(struct node *node, struct text *ret)
{
	(void)node;
	add_seconds(ret, clock_monotonic_ns());
	text_add(ret, " ");
	add_seconds(ret, sched_idle_ns(NULL));
	text_add(ret, "\n");
	return 0;
}

/* Return how many tasks are runnable: those in the run queue, and the current one. */
static unsigned active_tasks(void)
{
	return sched_counts.ready + 1;
}

static int make_loadavg(struct node *node, struct text *ret)
{
	(void)node;
	for (int i = 0; i < 3; i++) {
		uint64_t load = load_averages[i] + LOAD_ONE / 200;

		add_hundredths(ret, load >> LOAD_SHIFT, (load & (LOAD_ONE - 1)) * 100 >> LOAD_SHIFT);
		text_add_char(ret, ' ');
	}
	text_add_number(ret, active_tasks());
	text_add_char(ret, '/');
	text_add_number(ret, process_tasks());
	text_add_char(ret, ' ');
	text_add_number(ret, (unsigned)number_last());
	text_add_char(ret, '\n');
	return 0;
}

static int make_stat(struct node *node, struct text *ret)
{
	uint64_t now = clock_monotonic_ns(), interrupts = irq_stray_count();

	(void)node;
	for (unsigned vector = VECTOR_PIC; vector <= VECTOR_SPURIOUS; vector++)
		interrupts += irq_count(vector);
	proc_add_cpu_times(ret);
	text_add_line(ret, "intr ", interrupts);
	text_add_line(ret, "ctxt ", sched_counts.switches);
	text_add_line(ret, "btime ", (clock_realtime_ns() - now) / NS_PER_S);
	text_add_line(ret, "processes ", task_count_made);
	text_add_line(ret, "procs_running ", active_tasks());
	text_add_string(ret, "procs_blocked 0\n");
	return 0;
}

static int make_version(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%s version %s (%s)\n", system_names.system, system_names.release, system_names.version);
	return 0;
}

static int make_cmdline(struct node *node, struct text *ret)
{
	(void)node;
	text_add_bytes(ret, kernel_cmdline, strlen(kernel_cmdline));
	text_add(ret, "\n");
	return 0;
}

static int make_swaps(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static int make_vmstat(struct node *node, struct text *ret)
{
	const struct memory_use use = measure_memory();

	(void)node;
	text_add_line(ret, "nr_free_pages ", use.free);
	text_add_line(ret, "nr_file_pages ", content_frames);
	text_add_line(ret, "nr_shmem ", use.shared);
	text_add_line(ret, "nr_slab_reclaimable ", 0);
	text_add_line(ret, "nr_slab_unreclaimable ", use.heap);
	text_add_line(ret, "nr_page_table_pages ", use.tables);
	/* No pages go to or come from disks or swap space, as there are none. */
	text_add_string(ret, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n");
	return 0;
}

/* List the drivers of character devices with their major numbers. */
static int make_devices(struct node *node, struct text *ret)
{
	(void)node;
	text_add_string(
		ret, "Character devices:\n  1 mem\n  4 tty\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
		     "136 pts\n137 pts\n138 pts\n139 pts\n254 rtc\n\nBlock devices:\n");
	return 0;
}

/* Make a file that has a line for each disk, or each driver of major number 10: it is empty, as there are none. */
static int make_empty(struct node *node, struct text *ret)
{
	(void)node;
	(void)ret;
	return 0;
}

/* ---- sys ---- */

#define NAME_FILE(field)                                             \
	static int make_##field(struct node *node, struct text *ret) \
	{                                                            \
		(void)node;                                          \
		text_add(ret, "%s\n", system_names.field);           \
		return 0;                                            \
	}

NAME_FILE(system)
NAME_FILE(release)
NAME_FILE(node)
NAME_FILE(domain)

static int make_names_version(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%s\n", system_names.version);
	return 0;
}

static int take_name(char name[SYSTEM_NAME_SIZE], const char *bytes, size_t size)
{
	const char *end = strchr(bytes, '\n');

	if (end)
		size = (size_t)(end - bytes);
	format_s(name, SYSTEM_NAME_SIZE, "%.*s", (int)size, bytes);
	return 0;
}

static int take_node(struct node *node, const char *bytes, size_t size)
{
	(void)node;
	return take_name(system_names.node, bytes, size);
}

static int take_domain(struct node *node, const char *bytes, size_t size)
{
	(void)node;
	return take_name(system_names.domain, bytes, size);
}

static int make_pid_max(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%d\n", number_end());
	return 0;
}

static int take_pid_max(struct node *node, const char *bytes, size_t size)
{
	uint64_t wanted = 0;
	int error = number_file_take(bytes, size, NUMBERS_MOST, &wanted);

	(void)node;
	return error ? error : number_set_end((int)wanted);
}

static int take_threads_max(struct node *node, const char *bytes, size_t size)
{
	uint64_t wanted = 0;
	int error = number_file_take(bytes, size, UINT32_MAX, &wanted);

	(void)node;
	return error ? error : process_set_tasks_most(wanted);
}

static int make_threads_max(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%llu\n", (unsigned long long)process_tasks_most());
	return 0;
}

NUMBER_FILE(pipe_pages, pipe_pages_soft, UINT32_MAX)

static int make_pipe_size(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%llu\n", (unsigned long long)pipe_most_size);
	return 0;
}

static int take_pipe_size(struct node *node, const char *bytes, size_t size)
{
	uint64_t number;
	int error = number_file_take(bytes, size, PIPE_MOST_SIZE, &number);

	(void)node;
	if (!error)
		pipe_most_size = pipe_size_for(number);
	return error;
}

#define FILE_644(text, make_it, take_it)                                                     \
	{                                                                                    \
		.path = (text), .mode = S_IFREG | 0644, .make = (make_it), .take = (take_it) \
	}
#define FILE_444(text, make_it)                                           \
	{                                                                 \
		.path = (text), .mode = S_IFREG | 0444, .make = (make_it) \
	}

void proc_machine_init(struct text_fs_type *type, const char *cmdline)
{
	static struct text_entry entries[] = {
		FILE_444("cmdline", make_cmdline),
		FILE_444("cpuinfo", proc_make_cpuinfo),
		FILE_444("loadavg", make_loadavg),
		FILE_444("meminfo", make_meminfo),
		FILE_444("interrupts", proc_make_interrupts),
		FILE_444("stat", make_stat),
		FILE_444("swaps", make_swaps),
		FILE_444("uptime", make_uptime),
		FILE_444("version", make_version),
		FILE_444("vmstat", make_vmstat),
		FILE_444("devices", make_devices),
		FILE_444("diskstats", make_empty),
		FILE_444("misc", make_empty),
		FILE_444("partitions", make_empty),
		FILE_444("sys/kernel/ostype", make_system),
		FILE_444("sys/kernel/osrelease", make_release),
		FILE_444("sys/kernel/version", make_names_version),
		FILE_644("sys/kernel/hostname", make_node, take_node),
		FILE_644("sys/kernel/domainname", make_domain, take_domain),
		FILE_644("sys/kernel/pid_max", make_pid_max, take_pid_max),
		FILE_644("sys/kernel/threads-max", make_threads_max, take_threads_max),
		FILE_644("sys/fs/pipe-max-size", make_pipe_size, take_pipe_size),
		FILE_644("sys/fs/pipe-user-pages-soft", make_pipe_pages, take_pipe_pages),
	};

	kernel_cmdline = cmdline;
	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
