/*
 * Finds memory when no frame is free: by trimming what is kept for speed, then by choosing a process and killing it.
 * The killed process frees its memory itself, when it next runs and ends. When a fault finds no process that may be
 * killed, the kernel panics, as Linux does: the access can be neither served nor given up.
 */
#include "kernel/task/out_of_memory.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap_trim.h"
#include "kernel/mm/heap/kernel_stack.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/sync/open_section.h"
#include "kernel/task/find.h"
#include "kernel/task/give_way.h"
#include "kernel/task/memory_score.h"
#include "kernel/task/rt_queue.h"
#include "kernel/task/sched.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/wait_until.h"

/* More frames than one page fault needs: a page, three tables, and some for the heap. */
#define FAULT_FRAMES 16
/*
 * Frames that the fork or execve of a small program takes; other calls take fewer. If a call fails although this many
 * are free, it wants too much, and no process is killed for it.
 */
#define CALL_FRAMES 64

/* The process with the highest score so far, in a search. */
struct choice {
	struct process *process; /* NULL: none has been found that may be killed */
	int64_t score;
};

static bool see_score(void *ctx, struct process *process)
{
	struct choice *choice = ctx;
	int64_t score;

	/* The first process is never chosen: its end would end all others. */
	if (process->zombie || process->pid == 1 || process->memory_adjust == -MEMORY_ADJUST_MOST)
		return true;
	score = memory_score(process);
	if (!choice->process || score > choice->score)
		*choice = (struct choice){ process, score };
	return true;
}

static bool find_ending(void *ctx, struct process *process)
{
	struct process **found = ctx;

	if (process->exiting && !process->zombie && process != process_current())
		*found = process;
	return !*found;
}

/*
 * Move the frames in all CPUs' caches to the pool: they count as free, so this CPU must be able to allocate them.
 * The CPUs do not use their caches meanwhile, since this one holds the kernel lock and has closed all open sections.
 * Returns how many frames are free.
 */
static uint64_t drain_caches(void)
{
	context_token_t token = kernel_context_enter();
	uint64_t free;

	if (cpu_count > 1) {
		open_sections_close();
		frame_caches_drain(&machine_frames);
		open_sections_allow();
	}
	free = frame_free_count(&machine_frames);
	kernel_context_leave(token);
	return free;
}

uint64_t memory_trim(void)
{
	struct heap_trim trim = HEAP_TRIM_START;
	context_token_t token;

	/*
	 * Whether this task must end, which task_give_way() returns, is ignored: trimming helps all tasks. The callers
	 * out_of_memory() and memory_for_call() check that themselves; the system calls of other callers end anyway.
	 */
	while (heap_trim_step(&trim)) {
		if (task_current()->process)
			(void)task_give_way();
	}
	token = kernel_context_enter();
	kernel_stack_trim();
	kernel_context_leave(token);
	return drain_caches();
}

/*
 * Let a killed process run with the highest priority, so that it ends soon, and wait until it has freed its memory. The
 * current task keeps its own priority: with a lower one, other tasks might keep it waiting after the memory is free.
 */
static void let_end(struct process *victim)
{
	static const struct task_sched first = { .policy = SCHED_FIFO, .rt_priority = RT_PRIORITIES - 1 };
	HELD_PROCESS struct process *process = process_get(victim);
	struct task_waiter waiter;
	int error;

	PROCESS_EACH_TASK(process, task)
		sched_set(task, &first);
	task_waiter_init(&waiter);
	wait_queue_add(&process->signals.ended, &waiter.waiter);
	error = WAIT_UNTIL_KILLABLE(process->zombie);
	wait_queue_remove(&waiter.waiter);
	/*
	 * A task that must end itself cannot sleep here, and may come here again and again. Lend the kernel lock, which
	 * the killed process needs to end on another CPU.
	 */
	if (error) {
		if (kernel_lock_is_wanted())
			kernel_lock_lend();
		task_yield();
	}
	/* The process may have ended on another CPU, whose cache then holds its frames. */
	(void)drain_caches();
}

/* Return a process that is ending already, otherwise the one with the highest score; NULL when none may be killed. */
static struct process *choose_victim(void)
{
	struct choice choice = { NULL, 0 };

	process_visit(find_ending, &choice.process);
	if (!choice.process)
		process_visit(see_score, &choice);
	return choice.process;
}

/* Kill a process, even if it is ending: it may be in a stop for its tracer, or writing a core file. */
static void end_for_memory(struct process *process)
{
	if (!process->exiting)
		log_err("out of memory: process %d (%s) ends, which has %llu KiB\n", process->pid,
			process_any_task(process) ? process_any_task(process)->name : "?",
			(unsigned long long)memory_of_process(process) * (PAGE_SIZE / 1024));
	process_kill(process, SIGKILL);
}

bool out_of_memory(unsigned attempt)
{
	struct process *victim;

	if (memory_trim() >= FAULT_FRAMES && attempt == 0)
		return true;
	if (process_current()->exiting)
		return false;
	victim = choose_victim();
	if (!victim)
		panic("out of memory: no process is left that may be killed; process %d (%s) has %llu KiB",
		      process_current()->pid, task_current()->name,
		      (unsigned long long)memory_of_process(process_current()) * (PAGE_SIZE / 1024));
	end_for_memory(victim);
	if (victim == process_current())
		return false;
	let_end(victim);
	return !process_current()->exiting;
}

bool memory_for_call(unsigned attempt)
{
	struct process *victim;

	/*
	 * memory_trim() and let_end() let other tasks run. If one of this process has called execve(2) meanwhile, this
	 * task must end: its call, which may be a clone(2), must not be made again.
	 */
	if (memory_trim() >= CALL_FRAMES)
		return attempt == 0 && !task_must_end(task_current());
	victim = process_current()->exiting ? NULL : choose_victim();
	if (!victim || victim == process_current())
		return false;
	end_for_memory(victim);
	let_end(victim);
	return !task_must_end(task_current());
}

enum status fault_serve(vaddr_t va, enum user_rights access)
{
	unsigned attempt = 0;
	enum status status;

	do
		status = user_fault(process_current()->space, va, access);
	while (status == ERR_NO_MEMORY && out_of_memory(attempt++));
	/*
	 * Forget that memory was refused for this fault: a later system call must not take that for a refusal of its
	 * own.
	 */
	task_current()->signals.refused = false;
	return status;
}

bool task_find_memory(void)
{
	enum user_rights access;
	vaddr_t va;

	if (!copy_shortage_take(process_current()->space, &va, &access))
		return out_of_memory(0);
	return fault_serve(va, access) != ERR_NO_MEMORY;
}
