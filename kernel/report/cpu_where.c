/*
 * Names CPUs that do not answer; see cpu_where.h.
 */
#include "kernel/report/cpu_where.h"

#include "kernel/irq/clock.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/lib/format.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/space/shootdown.h"
#include "kernel/report/symbols.h"
#include "kernel/task/task.h"

#define PATIENCE_SECONDS 10

char *cpu_where(const struct percpu *cpu, char text[CPU_WHERE_TEXT])
{
	const struct task *task = cpu->current;
	const vaddr_t at = cpu_calls_look(cpu);
	static char symbol[SYMBOL_TEXT]; /* guard: the CPU that is about to panic */

	if (at)
		format_s(text, CPU_WHERE_TEXT, "at %s, in task %d, %s", symbol_format(at, symbol), task->tid,
			 task->name);
	else
		format_s(text, CPU_WHERE_TEXT, "in task %d, %s; it takes no NMI", task->tid, task->name);
	return text;
}

static void is_late(const struct percpu *cpu)
{
	static char text[CPU_WHERE_TEXT]; /* guard: the CPU that is about to panic */

	panic("CPU %u has served no shootdown for %d s: %s", cpu->number, PATIENCE_SECONDS, cpu_where(cpu, text));
}

void cpu_where_init(void)
{
	shootdown_set_late(is_late, PATIENCE_SECONDS * clock_tsc_frequency());
}
