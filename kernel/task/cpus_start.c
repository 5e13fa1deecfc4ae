/*
 * Starts all CPUs at once: each is given its variables and its stacks; then all get a SIPI, the interrupt at which a
 * halted CPU begins to run at the trampoline. The CPUs set themselves up at the same time, and wait in claim() until
 * the first CPU has counted those that are ready.
 */
#include "kernel/task/cpus_start.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_start.h"
#include "kernel/arch/cpu_state.h"
#include "kernel/arch/features.h"
#include "kernel/arch/fpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/irq/apic.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/clock_fallback.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/timer.h"
#include "kernel/irq/tsc_sync.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/heap/kernel_stack.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/task/balance.h"
#include "kernel/task/sched.h"
#include "kernel/task/user_return.h"

#define LOW_END        0x100000 /* a SIPI makes a CPU begin at a page below this address */
#define SECOND_SIPI_NS (NS_PER_MS / 5)
#define PATIENCE_NS    NS_PER_S
#define XAPIC_IDS      255 /* the ids that the target register of an xAPIC can name are below this */

/* What a CPU has said: nothing yet; that it can run tasks; or that its time-stamp counter differs too much. Atomic */
enum progress { SILENT, READY, APART };

/* The idle task of a CPU, and how far the CPU has come. Guard: the CPU that starts the others; `progress` is atomic. */
static PER_CPU struct task idle_task;
static PER_CPU uint32_t progress;   /* enum progress */
static PER_CPU int64_t ticks_apart; /* by how much the CPU's time-stamp counter is wrong, when `progress` is APART */

static bool go; /* the CPUs that are ready have been counted, and may begin. Atomic */

/*
 * The trampoline, code by which a CPU gets from real mode to the kernel: its page below 1 MiB, and the context that
 * maps that page. Guard: the CPU that starts the others.
 */
static struct {
	paddr_t page;
	paddr_t root; /* a copy of the context's root, below 4 GiB */
	struct context context;
} trampoline;

/* ---- on a CPU that starts ---- */

static __attribute__((noreturn)) void halt(void)
{
	for (;;) {
		irq_close();
		cpu_halt();
	}
}

/* Report `how` far this CPU has come, and wait until it may begin. Halt for ever if it is not in cpu_list then. */
static void claim(const struct cpu_start *start, uint32_t how)
{
	__atomic_store_n(per_cpu_of(start->cpu, progress), how, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) {
		cpu_interrupts_on_and_halt();
		irq_close();
	}
	if (start->cpu->number >= cpu_count || cpu_list[start->cpu->number] != start->cpu)
		halt();
	/*
	 * The first CPU may have taken another clock meanwhile: set up this CPU's timer for the clock that is used now.
	 */
	timer_start_cpu();
	if (cpu_features()->rdtscp)
		cpu_write_msr(MSR_TSC_AUX, start->cpu->number);
}

static void run(const struct cpu_start *start)
{
	struct task *idle = per_cpu_of(start->cpu, idle_task);

	context_start_cpu();
	fpu_start_cpu();
	frame_cache_init(frame_cache_here(), &machine_frames);
	cpu_calls_start_cpu();
	this_cpu->current = idle;
	run_queues_init(idle);
	claim(start, tsc_sync_follow(per_cpu_of(start->cpu, ticks_apart)) == OK ? READY : APART);
	/* Set the idle task's CPU time to the time since the boot: so the time before this moment counts as idle. */
	idle->run_ns = idle->started_ns = clock_monotonic_ns();
	sched_idle();
}

/* ---- on the first CPU ---- */

/* Return the highest page below 1 MiB that the memory map reserves for the trampoline, or 0. */
static paddr_t low_page(void)
{
	for (size_t i = machine_memmap->count; i-- > 0;) {
		const struct mem_range *r = &machine_memmap->ranges[i];

		if (r->type == MEM_LOW && r->end <= LOW_END && r->end - PAGE_SIZE > 0)
			return paddr(r->end - PAGE_SIZE);
	}
	return paddr(0);
}

/* Make the trampoline. Returns false when there is no memory for it; then there is nothing to be undone. */
static bool trampoline_make(void)
{
	struct frame_cache *cache = frame_cache_here();

	trampoline.page = low_page();
	if (!trampoline.page.raw || frame_alloc_low(cache, &trampoline.root) != OK)
		return false;
	if (context_create(&trampoline.context) != OK) {
		frame_free_4k(cache, trampoline.root);
		return false;
	}
	if (space_map(&trampoline.context.space, trampoline.page.raw, trampoline.page, 1, PROT_X) != OK) {
		context_destroy(&trampoline.context);
		frame_free_4k(cache, trampoline.root);
		return false;
	}
	memcpy(hhdm_ptr(trampoline.root), hhdm_ptr(trampoline.context.space.root), PAGE_SIZE);
	cpu_start_prepare(hhdm_ptr(trampoline.page), trampoline.page, trampoline.root, run);
	return true;
}

/* Free the trampoline. No CPU uses its context any more: those that started have loaded the kernel context. */
static void trampoline_end(void)
{
	memset(hhdm_ptr(trampoline.page), 0, PAGE_SIZE);
	context_destroy(&trampoline.context);
	frame_free_4k(frame_cache_here(), trampoline.root);
}

/* Make all that a CPU has of its own, and list it in cpu_starts. Returns false when there is no memory. */
static bool prepare(uint32_t id)
{
	const unsigned number = cpu_start_count + 1;
	vaddr_t stacks[5];
	struct percpu *cpu;
	struct task *idle;
	void *area = kmalloc_aligned(percpu_size(), 64);

	if (!area)
		return false;
	for (size_t i = 0; i < 5; i++) {
		stacks[i] = kernel_stack_alloc();
		if (!stacks[i]) {
			while (i--)
				kernel_stack_free(stacks[i] - KERNEL_STACK_SIZE);
			kfree(area);
			return false;
		}
		stacks[i] += KERNEL_STACK_SIZE;
	}
	cpu = percpu_prepare(area, number, &(struct percpu_stacks){ stacks[0], stacks[1], stacks[2], stacks[3] });
	cpu->apic_id = id;
	idle = per_cpu_of(cpu, idle_task);
	idle->stack = stacks[4] - KERNEL_STACK_SIZE;
	format_s(idle->name, sizeof(idle->name), "idle/%u", number);
	cpu_starts[cpu_start_count++] = (struct cpu_start){ .apic_id = id, .stack = stacks[4], .cpu = cpu };
	return true;
}

/* Prepare the CPUs of the ACPI tables but this one, `most` at the most. */
static void prepare_all(unsigned most)
{
	const struct acpi_info *acpi = irq_acpi();

	for (unsigned i = 0; i < acpi->cpu_id_count && cpu_start_count < most; i++) {
		const uint32_t id = acpi->cpu_ids[i];

		if (id == apic_id())
			continue;
		if (apic_mode() == APIC_XAPIC && id >= XAPIC_IDS) {
			log_warn("CPU with APIC id %u: left alone, since this machine's APICs know no such id\n", id);
			continue;
		}
		if (!prepare(id)) {
			log_warn("CPU with APIC id %u: left alone: no memory\n", id);
			return;
		}
	}
}

/* Take another clock than the time-stamp counter, and log why. Returns its name; NULL: the machine has none. */
static const char *leave_tsc(const char *why)
{
	static const char *clock; /* fixed after boot */

	if (clock)
		return clock;
	clock = clock_fall_back();
	if (clock)
		log_info("clock: %s, since %s\n", clock, why);
	else
		log_warn("clock: %s, and there is neither HPET nor ACPI PM timer\n", why);
	return clock;
}

static uint32_t progress_of(const struct percpu *cpu)
{
	return __atomic_load_n(per_cpu_of(cpu, progress), __ATOMIC_ACQUIRE);
}

/* Return how many CPUs have not said yet whether they can run. */
static unsigned silent(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < cpu_start_count; i++)
		count += progress_of(cpu_starts[i].cpu) == SILENT;
	return count;
}

/* Wait until no CPU is SILENT any more, or until no further CPU has reported for patience_ns. */
static void wait_for_all(uint64_t patience_ns)
{
	unsigned left = silent(), before = left;
	uint64_t end = time_add(clock_monotonic_ns(), patience_ns);

	while (left && clock_monotonic_ns() < end) {
		for (int i = 0; i < 100; i++)
			tsc_sync_show();
		left = silent();
		if (left < before)
			end = time_add(clock_monotonic_ns(), patience_ns);
		before = left;
	}
}

/*
 * Send each CPU a SIPI, for which it waits since an INIT has stopped it (apic_park_others()); and a second one to those
 * that the first has not reached (Intel SDM vol. 3A, "MP Initialization Protocol Algorithm").
 */
static void start_all(void)
{
	for (unsigned i = 0; i < cpu_start_count; i++)
		apic_send_startup(cpu_starts[i].apic_id, trampoline.page);
	wait_for_all(SECOND_SIPI_NS);
	for (unsigned i = 0; i < cpu_start_count; i++)
		if (progress_of(cpu_starts[i].cpu) == SILENT)
			apic_send_startup(cpu_starts[i].apic_id, trampoline.page);
	wait_for_all(PATIENCE_NS);
}

/* Count CPUs whose time-stamp counters differ as READY if the clock can do without these counters. */
static void trust_clock(void)
{
	const char *clock = NULL;

	for (unsigned i = 0; i < cpu_start_count; i++) {
		uint32_t *how = per_cpu_of(cpu_starts[i].cpu, progress);

		if (progress_of(cpu_starts[i].cpu) != APART)
			continue;
		if (!clock)
			clock = leave_tsc("the time-stamp counters of the CPUs differ");
		if (!clock)
			return;
		__atomic_store_n(how, READY, __ATOMIC_SEQ_CST);
	}
}

/* Add the CPUs that are READY to cpu_list, in which a CPU's index is its number, and log those that are not. */
static void count_ready(void)
{
	for (unsigned i = 0; i < cpu_start_count; i++) {
		struct percpu *cpu = cpu_starts[i].cpu;

		switch (progress_of(cpu)) {
		case READY:
			cpu->number = cpu_count;
			cpu_list[cpu_count++] = cpu;
			break;
		case APART:
			cpu->number = CPUS_MOST;
			log_warn("CPU with APIC id %u: left alone: its time-stamp counter is wrong by %lld ticks, and "
				 "cannot be set\n",
				 cpu->apic_id, (long long)*per_cpu_of(cpu, ticks_apart));
			break;
		case SILENT:
			/* Stop the CPU: if it was only late, it would run whatever is in the trampoline's page then. */
			apic_send_init(cpu->apic_id);
			cpu->number = CPUS_MOST;
			log_warn("CPU with APIC id %u: does not start\n", cpu->apic_id);
			break;
		}
	}
}

/*
 * Return how many CPUs beside this one are to start at the most: as on Linux, nosmp, maxcpus=0 and maxcpus=1 mean none.
 */
static unsigned wanted(const char *cmdline)
{
	long most = cmdline_number(cmdline, "maxcpus", CPUS_MOST);

	if (cmdline_has(cmdline, "nosmp") || most <= 1 || apic_mode() == APIC_NONE || irq_acpi()->cpu_id_count <= 1)
		return 0;
	return (unsigned)(most < CPUS_MOST ? most : CPUS_MOST) - 1;
}

/*
 * Keep tasks off the CPUs of isolcpus=, unless they may run on no other one. As on Linux, words that say how CPUs are
 * to be isolated may stand before the list. Only the word `domain` keeps tasks off; it is implied when there is no
 * word. Call before the first program.
 */
static void isolate(const char *cmdline)
{
	char value[256], *list = value;
	bool any = false, tasks = false;
	struct cpu_set isolated, left = { { 0 } };

	if (!cmdline_get(cmdline, "isolcpus", value, sizeof(value)))
		return;
	for (char *end; *list >= 'a' && *list <= 'z' && (end = strchr(list, ',')); list = end + 1) {
		*end = '\0';
		any = true;
		tasks |= !strcmp(list, "domain");
	}
	if (!cpu_set_parse(list, &isolated)) {
		log_warn("isolcpus=: \"%s\" is no list of CPUs\n", list);
		return;
	}
	if (any && !tasks)
		return;
	CPUS_EACH(cpu)
		if (!cpu_set_has(&isolated, cpu->number))
			cpu_set_add(&left, cpu->number);
	if (cpu_set_is_empty(&left))
		log_warn("isolcpus=: leaves no CPU for tasks, and has no effect\n");
	else
		shared_cpus = left;
}

void cpus_start(const char *cmdline)
{
	const uint64_t begun = clock_monotonic_ns();
	const unsigned most = wanted(cmdline);
	char tsc[16];

	if (cmdline_get(cmdline, "tsc", tsc, sizeof(tsc)) && !strcmp(tsc, "unstable"))
		(void)leave_tsc("tsc=unstable says so");
	if (!most)
		return;
	/* Make the trampoline first: without it no CPU can start, and stacks for the CPUs would be of no use. */
	if (!trampoline_make()) {
		log_warn("CPUs: no memory for starting the others: one runs\n");
		return;
	}
	prepare_all(most);
	if (!cpu_start_count) {
		trampoline_end();
		return;
	}
	cpu_calls_init();
	user_traps_use_lock();
	start_all();
	trust_clock();
	count_ready();
	trampoline_end();
	isolate(cmdline);
	balance_start();
	/* The kernel's own task, which turns the machine off, runs on the first CPU alone. */
	sched_set_cpus(task_current(), &(struct cpu_set){ { 1 } });
	__atomic_store_n(&go, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpu_start_count; i++)
		cpu_call_reschedule(cpu_starts[i].cpu);
	log_info("CPUs: %u run, after %llu us\n", cpu_count,
		 (unsigned long long)((clock_monotonic_ns() - begun) / NS_PER_US));
}
