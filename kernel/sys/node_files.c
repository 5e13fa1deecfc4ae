/*
 * Makes the files of /sys/devices/system/node; see node_files.h.
 */
#include "kernel/sys/node_files.h"

#include "kernel/arch/cpus.h"
#include "kernel/fs/sysfs.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/space/context.h"
#include "kernel/sys/cpu_files.h"

static int make_list(struct node *node, struct text *ret)
{
	(void)node;
	text_add_string(ret, "0\n");
	return 0;
}

static int make_distance(struct node *node, struct text *ret)
{
	(void)node;
	text_add_string(ret, "10\n");
	return 0;
}

static struct cpu_set all_cpus(void)
{
	struct cpu_set set = { { 0 } };

	CPUS_EACH(cpu) {
		cpu_set_add(&set, cpu->number);
	}
	return set;
}

static int make_cpu_list(struct node *node, struct text *ret)
{
	const struct cpu_set set = all_cpus();

	(void)node;
	cpu_files_add_list(ret, &set);
	return 0;
}

static int make_cpu_map(struct node *node, struct text *ret)
{
	const struct cpu_set set = all_cpus();

	(void)node;
	cpu_files_add_mask(ret, &set);
	return 0;
}

static void add_kib(struct text *text, const char *words, uint64_t frames)
{
	text_add_string(text, words);
	text_add_number_right(text, frames * (PAGE_SIZE / 1024), 8);
	text_add_string(text, " kB\n");
}

static int make_meminfo(struct node *node, struct text *ret)
{
	context_token_t token = kernel_context_enter();
	const uint64_t free = frame_free_count(&machine_frames);

	kernel_context_leave(token);
	(void)node;
	add_kib(ret, "Node 0 MemTotal:       ", machine_frames.total);
	add_kib(ret, "Node 0 MemFree:        ", free);
	add_kib(ret, "Node 0 MemUsed:        ", machine_frames.total - free);
	return 0;
}

#define NODE_FILE(name, make_it)                                                               \
	{                                                                                      \
		.path = "devices/system/node/" name, .mode = S_IFREG | 0444, .make = (make_it) \
	}

void node_files_init(void)
{
	static struct text_entry entries[] = {
		NODE_FILE("online", make_list),
		NODE_FILE("possible", make_list),
		NODE_FILE("has_cpu", make_list),
		NODE_FILE("has_memory", make_list),
		NODE_FILE("has_normal_memory", make_list),
		NODE_FILE("node0/cpulist", make_cpu_list),
		NODE_FILE("node0/cpumap", make_cpu_map),
		NODE_FILE("node0/distance", make_distance),
		NODE_FILE("node0/meminfo", make_meminfo),
	};

	sysfs_add(entries, sizeof(entries) / sizeof(entries[0]));
}
