/*
 * Prints what the kernel's own structures say about the running task. Call in the kernel context, that is with the
 * kernel's own page tables loaded. An area (Linux's VMA) is a range of a process's memory.
 */
#include "kernel/panic/panic_task.h"

#include "kernel/arch/trap.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/sys.h"
#include "kernel/task/process.h"

#define AREAS 4  /* how many areas to print: those next to the address that panic_print_task() gets */
#define NAME  64 /* room for the name of an area's file, so that a line fits in 96 columns */

static void print_area(print_fn *print, const struct process *process, const struct area *area, vaddr_t va)
{
	char path[NAME];
	const char *name = proc_area_name(process, area, path, sizeof(path));

	print("%s0x%012llx-0x%012llx %c%c%c %s%s%s\n", va >= area->start && va < area->end ? "->" : "  ",
	      (unsigned long long)area->start, (unsigned long long)area->end - 1, area->rights & USER_READ ? 'r' : '-',
	      area->rights & USER_WRITE ? 'w' : '-', area->rights & USER_EXEC ? 'x' : '-', *name ? name : "anonymous",
	      area->flags & AREA_SHARED ? ", shared" : "", area->flags & AREA_GROWS_DOWN ? ", grows down" : "");
}

static void print_areas(print_fn *print, const struct process *process, vaddr_t va)
{
	const struct area_tree *tree = &process->space->areas;
	const struct area *first = area_find_from(tree, va), *area;

	/* Start two areas before the one at or above the address, or at the first area. */
	for (int i = 0; i < 2; i++) {
		area = area_prev(tree, first);
		if (area)
			first = area;
	}
	print("its areas%s: %zu\n", tree->count > AREAS ? " next to the address" : "", tree->count);
	area = first;
	for (int i = 0; i < AREAS && area; i++, area = area_next(area))
		print_area(print, process, area, va);
}

/*
 * Return the name of the system call that the task is in, by the trap frame at the top of its kernel stack; NULL for
 * none.
 */
static const char *system_call_of(const struct task *task)
{
	const struct trap_frame *frame = task_frame(task);

	if (frame->vector != TRAP_SYSCALL || frame->error >= SYSCALL_TABLE)
		return NULL;
	return syscall_names[frame->error];
}

void panic_print_task(print_fn *print, vaddr_t va)
{
	const struct task *task = task_current();
	const char *call;

	if (!task)
		return;
	print("\ntask %d, %s", task->tid, task->name);
	if (!task->process) {
		print(": of the kernel\n");
		return;
	}
	call = system_call_of(task);
	print(", of process %d%s%s\n", task->process->pid, call ? ", in system call " : "", call ? call : "");
	if (task->process->space)
		print_areas(print, task->process, va);
}
