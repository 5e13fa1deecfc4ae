/*
 * Chooses who must go when there is no memory. Frees nothing of a process itself: that is its end's business.
 */
#include "kernel/task/out_of_memory.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/log.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/heap/kernel_stack.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/task/find.h"
#include "kernel/task/sched.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"

/* One fault takes less: a page, three tables, and what the heap needs for an area or two. */
#define FAULT_FRAMES 16

static bool find_largest(void *ctx, struct process *process)
{
	struct process **largest = ctx;

	/* The first process is everyone's last hope. */
	if (process->zombie || process->pid == 1)
		return true;
	if (!*largest || process->space->resident_pages > (*largest)->space->resident_pages)
		*largest = process;
	return true;
}

static bool find_ending(void *ctx, struct process *process)
{
	bool *found = ctx;

	*found = process->exiting && !process->zombie && process != process_current();
	return !*found;
}

uint64_t memory_trim(void)
{
	context_token_t token = kernel_context_enter();
	uint64_t free;

	heap_trim();
	kernel_stack_trim();
	free = frame_free_count(&machine_frames);
	kernel_context_leave(token);
	return free;
}

/* Whoever is ready runs first, however little urgent: who is to end may have the worst priority of all. */
static void let_all_run(void)
{
	struct task *task = task_current();
	int priority = task->priority;

	cpu_interrupts_off();
	task->priority = TASK_PRIORITIES - 1;
	sched_switch();
	/* Unless it was given another one meanwhile. */
	if (task->priority == TASK_PRIORITIES - 1)
		task->priority = priority;
	cpu_interrupts_on();
}

bool out_of_memory(unsigned attempt)
{
	struct process *largest = NULL;
	bool ending = false;

	if (memory_trim() >= FAULT_FRAMES && attempt == 0)
		return true;
	if (process_current()->exiting)
		return false;
	process_visit(find_ending, &ending);
	if (!ending) {
		process_visit(find_largest, &largest);
		if (!largest)
			largest = process_current();
		log_err("out of memory: process %d (%s) ends, which has %llu KiB\n", largest->pid,
			largest->tasks ? largest->tasks->name : "?",
			(unsigned long long)largest->space->resident_pages * (PAGE_SIZE / 1024));
		process_kill(largest, SIGKILL);
		if (largest == process_current())
			return false;
	}
	/* It runs to its end now. */
	let_all_run();
	return !process_current()->exiting;
}
