/*
 * Makes the files of /sys/devices/system/cpu; see cpu_files.h. Lists and masks have Linux's formats.
 */
#include "kernel/sys/cpu_files.h"

#include "kernel/arch/cpus.h"
#include "kernel/arch/topology.h"
#include "kernel/fs/sysfs.h"
#include "kernel/lib/format.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/balance.h"

#define MASK_BITS 32 /* bits in one word of a mask, as Linux prints it */
#define CPU_FILES 10
#define PATH_ROOM 64

/* How an APIC id is divided into the numbers of package, core and thread. Fixed after boot. */
static struct topology topology;

/* The files of all CPUs: CPU_FILES for each CPU, sorted by the CPUs' numbers. Fixed after boot. */
static struct text_entry *entries_of_cpus;

void cpu_files_add_list(struct text *text, const struct cpu_set *set)
{
	const char *before = "";

	for (unsigned first = 0, end; first < cpu_count; first = end + 1) {
		for (end = first; end < cpu_count && cpu_set_has(set, end); end++)
			;
		if (end == first)
			continue;
		text_add(text, end - first > 1 ? "%s%u-%u" : "%s%u", before, first, end - 1);
		before = ",";
	}
	text_add_char(text, '\n');
}

void cpu_files_add_mask(struct text *text, const struct cpu_set *set)
{
	const unsigned words = (cpu_count + MASK_BITS - 1) / MASK_BITS;

	for (unsigned word = words; word-- > 0;) {
		const unsigned bits = word + 1 < words ? MASK_BITS : cpu_count - word * MASK_BITS;
		uint64_t value = 0;

		for (unsigned bit = 0; bit < bits; bit++)
			value |= (uint64_t)cpu_set_has(set, word * MASK_BITS + bit) << bit;
		text_add_hex(text, value, (bits + 3) / 4);
		text_add_char(text, word ? ',' : '\n');
	}
}

/* Return the CPUs whose APIC ids differ from that of `cpu` in the lowest `shift` bits only. */
static struct cpu_set siblings(const struct percpu *cpu, unsigned shift)
{
	struct cpu_set set = { { 0 } };

	CPUS_EACH(other) {
		if (other->apic_id >> shift == cpu->apic_id >> shift)
			cpu_set_add(&set, other->number);
	}
	return set;
}

/* ---- files of the machine ---- */

static int make_all(struct node *node, struct text *ret)
{
	struct cpu_set set = { { 0 } };

	(void)node;
	CPUS_EACH(cpu) {
		cpu_set_add(&set, cpu->number);
	}
	cpu_files_add_list(ret, &set);
	return 0;
}

static int make_isolated(struct node *node, struct text *ret)
{
	struct cpu_set set = { { 0 } };

	(void)node;
	CPUS_EACH(cpu) {
		if (!cpu_set_has(&shared_cpus, cpu->number))
			cpu_set_add(&set, cpu->number);
	}
	cpu_files_add_list(ret, &set);
	return 0;
}

static int make_none(struct node *node, struct text *ret)
{
	(void)node;
	text_add_char(ret, '\n');
	return 0;
}

static int make_kernel_max(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%u\n", CPUS_MOST - 1);
	return 0;
}

/* ---- files of a CPU ---- */

/* The files in each directory cpuN/topology. Fixed at build time. */
static const struct {
	const char *name;
	/* Adds the set of CPUs that share the core or package with this one; NULL: the file has the part's number. */
	void (*add_set)(struct text *text, const struct cpu_set *set);
	enum { CORE, PACKAGE } part;
} cpu_files[CPU_FILES] = {
	{ .name = "physical_package_id", .part = PACKAGE },
	{ .name = "core_id", .part = CORE },
	{ .name = "core_cpus", .add_set = cpu_files_add_mask, .part = CORE },
	{ .name = "core_cpus_list", .add_set = cpu_files_add_list, .part = CORE },
	{ .name = "package_cpus", .add_set = cpu_files_add_mask, .part = PACKAGE },
	{ .name = "package_cpus_list", .add_set = cpu_files_add_list, .part = PACKAGE },
	/* As on Linux each set has a second, older name, which speaks of siblings. */
	{ .name = "thread_siblings", .add_set = cpu_files_add_mask, .part = CORE },
	{ .name = "thread_siblings_list", .add_set = cpu_files_add_list, .part = CORE },
	{ .name = "core_siblings", .add_set = cpu_files_add_mask, .part = PACKAGE },
	{ .name = "core_siblings_list", .add_set = cpu_files_add_list, .part = PACKAGE },
};

static int make_topology(struct node *node, struct text *ret)
{
	const size_t index = (size_t)(text_fs_entry(node) - entries_of_cpus);
	const struct percpu *cpu = cpu_list[index / CPU_FILES];
	const bool is_core = cpu_files[index % CPU_FILES].part == CORE;
	struct cpu_set set;

	if (!cpu_files[index % CPU_FILES].add_set) {
		text_add(ret, "%u\n",
			 is_core ? topology_core(topology, cpu->apic_id) : topology_package(topology, cpu->apic_id));
		return 0;
	}
	set = siblings(cpu, is_core ? topology.core_shift : topology.package_shift);
	cpu_files[index % CPU_FILES].add_set(ret, &set);
	return 0;
}

/* Register the files of all CPUs. */
static int add_cpus(void)
{
	const size_t count = (size_t)cpu_count * CPU_FILES;
	char *path;

	entries_of_cpus = kzalloc(count * sizeof(*entries_of_cpus));
	path = kzalloc(count * PATH_ROOM);
	if (!entries_of_cpus || !path) {
		kfree(entries_of_cpus);
		kfree(path);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++, path += PATH_ROOM) {
		format_s(path, PATH_ROOM, "devices/system/cpu/cpu%u/topology/%s", (unsigned)(i / CPU_FILES),
			 cpu_files[i % CPU_FILES].name);
		entries_of_cpus[i] = (struct text_entry){ .path = path, .mode = S_IFREG | 0444, .make = make_topology };
	}
	sysfs_add(entries_of_cpus, count);
	return 0;
}

#define MACHINE_FILE(name, make_it)                                                           \
	{                                                                                     \
		.path = "devices/system/cpu/" name, .mode = S_IFREG | 0444, .make = (make_it) \
	}

int cpu_files_init(void)
{
	static struct text_entry entries[] = {
		MACHINE_FILE("online", make_all),        MACHINE_FILE("possible", make_all),
		MACHINE_FILE("present", make_all),       MACHINE_FILE("offline", make_none),
		MACHINE_FILE("isolated", make_isolated), MACHINE_FILE("kernel_max", make_kernel_max),
	};

	topology = topology_read();
	sysfs_add(entries, sizeof(entries) / sizeof(entries[0]));
	return add_cpus();
}
