/*
 * What /proc and /sys say of the CPUs: cpuinfo, the lines of stat, /sys/devices/system/cpu. All CPUs have the features
 * of the first.
 */
#include "kernel/sys/proc_cpus.h"

#include "kernel/arch/cpus.h"
#include "kernel/arch/features.h"
#include "kernel/fs/sysfs.h"
#include "kernel/fs/text_file.h"
#include "kernel/irq/clock.h"
#include "kernel/task/sched.h"

#define TICK_NS 10000000 /* the unit of stat: a hundredth of a second */

/* Add Linux's names of the CPU's features that this kernel detects. */
static void add_flags(struct text *text)
{
	const struct cpu_features *f = cpu_features();
	const struct {
		bool there;
		const char *name;
	} flags[] = {
		{ true, "fpu" },
		{ f->tsc, "tsc" },
		{ true, "msr" },
		{ true, "pae" },
		{ f->mce, "mce" },
		{ true, "cx8" },
		{ f->apic, "apic" },
		{ f->pge, "pge" },
		{ true, "cmov" },
		{ f->pat, "pat" },
		{ f->sse2, "fxsr sse sse2" },
		{ f->syscall, "syscall" },
		{ f->nx, "nx" },
		{ f->pages_1g, "pdpe1gb" },
		{ f->rdtscp, "rdtscp" },
		{ true, "lm" },
		{ f->invariant_tsc, "constant_tsc nonstop_tsc" },
		{ f->pcid, "pcid" },
		{ f->x2apic, "x2apic" },
		{ f->tsc_deadline, "tsc_deadline_timer" },
		{ f->xsave, "xsave" },
		{ f->rdrand, "rdrand" },
		{ f->hypervisor, "hypervisor" },
		{ f->fsgsbase, "fsgsbase" },
		{ f->smep, "smep" },
		{ f->erms, "erms" },
		{ f->invpcid, "invpcid" },
		{ f->rdseed, "rdseed" },
		{ f->smap, "smap" },
		{ f->umip, "umip" },
		{ f->pku, "pku" },
		{ f->la57, "la57" },
	};

	text_add(text, "flags\t\t:");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].there)
			text_add(text, " %s", flags[i].name);
	text_add(text, "\n");
}

static void add_cpu(const struct percpu *cpu, struct text *ret)
{
	const struct cpu_features *f = cpu_features();
	uint64_t khz = clock_tsc_frequency() / 1000;

	text_add(ret, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\n",
		 cpu->number, f->vendor, f->family, f->model, f->brand[0] ? f->brand : "unknown");
	text_add(ret, "stepping\t: %u\ncpu MHz\t\t: %llu.%03llu\n", f->stepping, (unsigned long long)(khz / 1000),
		 (unsigned long long)(khz % 1000));
	text_add(ret, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\n", cpu_count,
		 cpu->number, cpu_count, cpu->apic_id);
	text_add(ret, "fpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n");
	add_flags(ret);
	text_add(ret, "bogomips\t: %llu.%02llu\naddress sizes\t: %u bits physical, %u bits virtual\n\n",
		 (unsigned long long)(2 * khz / 1000), (unsigned long long)(2 * khz % 1000 / 10), f->physical_bits,
		 f->linear_bits);
}

int proc_make_cpuinfo(struct node *node, struct text *ret)
{
	(void)node;
	CPUS_EACH(cpu)
	add_cpu(cpu, ret);
	return 0;
}

/*
 * Add the numbers of a line of stat. User and system time are not counted for each CPU: all time in which a CPU was not
 * idle is shown as user time.
 */
static void add_times(struct text *text, uint64_t all_ns, uint64_t idle_ns)
{
	text_add_number(text, (all_ns > idle_ns ? all_ns - idle_ns : 0) / TICK_NS);
	text_add_string(text, " 0 0 ");
	text_add_number(text, idle_ns / TICK_NS);
	text_add_string(text, " 0 0 0 0 0 0\n");
}

void proc_add_cpu_times(struct text *text)
{
	const uint64_t now = clock_monotonic_ns();

	text_add_string(text, "cpu  ");
	add_times(text, now * cpu_count, sched_idle_ns(NULL));
	CPUS_EACH(cpu)
	{
		text_add_string(text, "cpu");
		text_add_number(text, cpu->number);
		text_add_string(text, " ");
		add_times(text, now, sched_idle_ns(cpu));
	}
}

/* ---- /sys/devices/system/cpu ---- */

static int make_range(struct node *node, struct text *ret)
{
	(void)node;
	if (cpu_count > 1)
		text_add(ret, "0-%u\n", cpu_count - 1);
	else
		text_add(ret, "0\n");
	return 0;
}

#define RANGE_FILE(name)                                                                       \
	{                                                                                      \
		.path = "devices/system/cpu/" name, .mode = S_IFREG | 0444, .make = make_range \
	}

void sys_cpus_init(void)
{
	/* Fixed after boot. */
	static struct text_entry entries[] = { RANGE_FILE("online"), RANGE_FILE("possible"), RANGE_FILE("present") };

	sysfs_add(entries, sizeof(entries) / sizeof(entries[0]));
}
