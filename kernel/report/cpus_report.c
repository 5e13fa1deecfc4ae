/*
 * Prints a line for each CPU: what runs there, which context is loaded, and counters.
 */
#include "kernel/report/cpus_report.h"

#include "kernel/arch/cpus.h"
#include "kernel/irq/clock.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/shootdown.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/task/run_queues.h"

static void report_cpu_line(print_fn *print, const struct percpu *cpu)
{
	const struct task *task = cpu->current, *idle = per_cpu_of(cpu, cpu_queues)->idle;
	const struct tlb *tlb = per_cpu_of(cpu, context_tlb);
	const uint64_t root = __atomic_load_n(&tlb->loaded, __ATOMIC_RELAXED);

	print("%3u %7u  %-15s %6d  %-10s %#12llx %9llu %9llu %9llu %8llu.%02llu\n", cpu->number, cpu->apic_id,
	      task ? task->name : "-", task ? task->tid : 0,
	      kernel_lock_holder == cpu->number + 1             ? "kernel"
	      : !tlb->recorded || root == kernel_space.root.raw ? "idle"
								: "user",
	      (unsigned long long)root, (unsigned long long)tlb->stats.cr3_writes,
	      (unsigned long long)*per_cpu_of(cpu, shootdowns_sent), (unsigned long long)tlb->stats.served,
	      (unsigned long long)(idle ? task_run_ns(idle) / NS_PER_S : 0),
	      (unsigned long long)(idle ? task_run_ns(idle) / (NS_PER_S / 100) % 100 : 0));
}

void report_cpus(print_fn *print)
{
	print("CPU APIC id  task               tid  where              root      CR3s      sent    served        idle "
	      "s\n");
	CPUS_EACH(cpu)
		report_cpu_line(print, cpu);
}
