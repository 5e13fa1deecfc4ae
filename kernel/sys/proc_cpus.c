/*
 * Makes the files of /proc with something for each CPU: cpuinfo, the first lines of stat, interrupts. All CPUs are
 * taken to have the features of the first one.
 */
#include "kernel/sys/proc_cpus.h"

#include "kernel/arch/cpus.h"
#include "kernel/arch/features.h"
#include "kernel/arch/topology.h"
#include "kernel/fs/text_file.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/task/sched.h"

#define TICK_NS 10000000 /* the unit of times in /proc/stat: a hundredth of a second */

/* Add Linux's names of the CPU's features that this kernel detects, and of those that each x86-64 CPU has. */
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

/* Count the CPUs of a package, and its cores; a CPU that is the first thread of its core stands for that core. */
static void count_package(struct topology topology, uint32_t package, unsigned *ret_threads, unsigned *ret_cores)
{
	unsigned threads = 0, cores = 0;

	CPUS_EACH(cpu) {
		if (topology_package(topology, cpu->apic_id) != package)
			continue;
		threads++;
		cores += !(cpu->apic_id & ((1U << topology.core_shift) - 1));
	}
	*ret_threads = threads;
	*ret_cores = cores ? cores : 1;
}

static void add_cpu(struct text *text, const struct percpu *cpu, struct topology topology)
{
	const struct cpu_features *f = cpu_features();
	uint64_t khz = clock_tsc_frequency() / 1000;
	uint32_t package = topology_package(topology, cpu->apic_id);
	unsigned threads, cores;

	count_package(topology, package, &threads, &cores);
	text_add(text, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\n",
		 cpu->number, f->vendor, f->family, f->model, f->brand[0] ? f->brand : "unknown");
	text_add(text, "stepping\t: %u\ncpu MHz\t\t: %llu.%03llu\n", f->stepping, (unsigned long long)(khz / 1000),
		 (unsigned long long)(khz % 1000));
	text_add(text, "physical id\t: %u\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", package, threads,
		 topology_core(topology, cpu->apic_id), cores);
	text_add(text, "apicid\t\t: %u\ninitial apicid\t: %u\n", cpu->apic_id, cpu->apic_id);
	text_add_string(text, "fpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n");
	add_flags(text);
	text_add(text, "bogomips\t: %llu.%02llu\naddress sizes\t: %u bits physical, %u bits virtual\n\n",
		 (unsigned long long)(2 * khz / 1000), (unsigned long long)(2 * khz % 1000 / 10), f->physical_bits,
		 f->linear_bits);
}

int proc_make_cpuinfo(struct node *node, struct text *ret)
{
	struct topology topology = topology_read();

	(void)node;
	CPUS_EACH(cpu) {
		add_cpu(ret, cpu, topology);
	}
	return 0;
}

/* ---- stat ---- */

/*
 * Add the numbers of a line of /proc/stat. User and system time are not counted for each CPU: all time in which a CPU
 * was not idle is shown as user time.
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
	CPUS_EACH(cpu) {
		text_add_string(text, "cpu");
		text_add_number(text, cpu->number);
		text_add_string(text, " ");
		add_times(text, now, sched_idle_ns(cpu));
	}
}

/* ---- interrupts ---- */

/* Add to a line of /proc/interrupts how many interrupts each CPU has got at `vector`, and `what` they are for. */
static void add_interrupts(struct text *text, unsigned vector, const char *what)
{
	CPUS_EACH(cpu) {
		{
			text_add_char(text, ' ');
		}
		text_add_number_right(text, irq_count_on(cpu, vector), 10);
	}
	text_add_string(text, "  ");
	text_add_string(text, what);
	text_add_char(text, '\n');
}

int proc_make_interrupts(struct node *node, struct text *ret)
{
	static const struct {
		const char *name;
		unsigned vector;
		const char *what;
	} own[] = {
		{ "LOC", VECTOR_TIMER, "Local timer interrupts" },
		{ "RES", VECTOR_RESCHEDULE, "Rescheduling interrupts" },
		{ "TLB", VECTOR_SHOOTDOWN, "TLB shootdowns" },
		{ "SPU", VECTOR_SPURIOUS, "Spurious interrupts" },
	};

	(void)node;
	text_add_string(ret, "    ");
	CPUS_EACH(cpu) {
		text_add(ret,
			 cpu->number < 10    ? "       CPU%u"
			 : cpu->number < 100 ? "      CPU%u"
					     : "     CPU%u",
			 cpu->number);
	}
	text_add_char(ret, '\n');
	for (unsigned vector = VECTOR_PIC; vector < VECTOR_DEVICE_END; vector++) {
		uint32_t gsi = irq_gsi(vector);

		if (gsi == IRQ_NO_GSI && !irq_count(vector))
			continue;
		/* An interrupt that a device sends by itself has no input of a controller: its vector is its number. */
		text_add_number_right(ret, gsi == IRQ_NO_GSI ? vector : gsi, 3);
		text_add_char(ret, ':');
		add_interrupts(ret, vector, gsi == IRQ_NO_GSI ? "MSI" : vector < VECTOR_DEVICE ? "8259" : "I/O APIC");
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		text_add(ret, "%s:", own[i].name);
		add_interrupts(ret, own[i].vector, own[i].what);
	}
	text_add_line(ret, "ERR: ", irq_stray_count());
	return 0;
}
