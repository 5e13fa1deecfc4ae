/*
 * Shows tasks to gdb as threads. The registers of a task that does not run are those that stack_switch() has pushed on
 * its kernel stack: gdb shows such a task inside the kernel, at the switch.
 */
#include "kernel/gdb/gdb_threads.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_debug.h"
#include "kernel/arch/cpu_state.h"
#include "kernel/arch/features.h"
#include "kernel/arch/fpu.h"
#include "kernel/arch/switch.h"
#include "kernel/arch/text_patch.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/report/peek.h"
#include "kernel/task/find.h"
#include "kernel/task/run_queues.h"

/* The flags that SYSRET loads (Intel SDM vol. 2B, "SYSRET"). */
#define SYSRET_FLAGS 0x3c7fd7ULL

/* The trap that has stopped the machine: registers of the current thread. Guard: the stopped machine. */
static struct trap_frame *stop_frame;

/*
 * The registers of a CPU that waits for the stub, some of which only this CPU can read. Guard: that CPU, when it begins
 * and ends to wait; meanwhile the stopped machine.
 */
struct held {
	struct trap_frame *frame;  /* the registers; NULL: the CPU does not wait */
	struct trap_frame *queued; /* the CPU's own trap, for which it wants to stop the machine next; or NULL */
	uint64_t fs_base, gs_base;
	uint8_t fpu[GDB_FPU_SIZE] __attribute__((aligned(FPU_ALIGN)));
};

static PER_CPU struct held held; /* guard: as of struct held */

void gdb_threads_stop(struct trap_frame *frame)
{
	stop_frame = frame;
}

NO_BREAK void gdb_threads_queue(struct trap_frame *frame)
{
	per_cpu_pointer(held)->queued = frame;
}

NO_BREAK void gdb_threads_hold(struct trap_frame *frame)
{
	struct held *h = per_cpu_pointer(held);

	cpu_write_dr7(DR7_CLEAR);
	h->frame = h->queued ? h->queued : frame;
	h->fs_base = cpu_read_msr(MSR_FS_BASE);
	h->gs_base = cpu_read_msr(trap_from_user(h->frame) ? MSR_KERNEL_GS_BASE : MSR_GS_BASE);
	cpu_fxsave(h->fpu);
}

NO_BREAK void gdb_threads_let_go(void)
{
	per_cpu_pointer(held)->frame = NULL;
}

bool gdb_threads_are_outside(void)
{
	CPUS_EACH(cpu) {
		const struct trap_frame *f = per_cpu_of(cpu, held)->frame;

		if (cpu->number != this_cpu->number && cpu->current != queues_of(cpu)->idle &&
		    (!f || !trap_from_user(f)))
			return false;
	}
	return true;
}

static bool is_idle_task(const struct task *task)
{
	return task_current() && task == queues_of(task->cpu)->idle;
}

/* Return the number by which gdb knows a task; `task` is NULL before there are tasks. */
static int64_t id_of(const struct task *task)
{
	if (task && is_idle_task(task))
		return GDB_IDLE_THREADS + task->cpu->number;
	return task && task->tid ? task->tid : GDB_KERNEL_THREAD;
}

/* Return the task that gdb knows by a number; NULL when there is none, or there are no tasks yet. */
static struct task *task_of(int64_t id)
{
	if (!task_current() || id <= 0 || id >= GDB_IDLE_THREADS + cpu_count)
		return NULL;
	if (id >= GDB_IDLE_THREADS)
		return queues_of(cpu_list[id - GDB_IDLE_THREADS])->idle;
	return task_peek(id == GDB_KERNEL_THREAD ? 0 : (int)id);
}

struct task *gdb_threads_task(int64_t id)
{
	return id == gdb_threads_current() ? task_current() : task_of(id);
}

/*
 * Return where the CPU that a task runs on was stopped. NULL: the task does not run, runs on this CPU, or its CPU has
 * not stopped yet.
 */
static struct held *held_of(const struct task *task)
{
	struct held *h = per_cpu_of(task->cpu, held);

	return task->cpu->current == task && task != task_current() && h->frame ? h : NULL;
}

int64_t gdb_threads_current(void)
{
	return id_of(task_current());
}

bool gdb_threads_alive(int64_t id)
{
	return id == gdb_threads_current() || task_of(id);
}

/* Return a word or two for a task's state; the text is good until the next call. */
static const char *state_name(const struct task *task)
{
	static char running[24]; /* guard: the stopped machine */
	static const char *const names[] = {
		[TASK_NEW] = "new",         [TASK_RUNNABLE] = "ready", [TASK_BLOCKED] = "blocked",
		[TASK_STOPPED] = "stopped", [TASK_DEAD] = "dead",
	};

	if (task->cpu->current != task)
		return is_idle_task(task) ? "ready" : names[task->state];
	if (cpu_count == 1)
		return "running";
	format_s(running, sizeof(running), "running on CPU %u", task->cpu->number);
	return running;
}

struct visit {
	gdb_see_thread *see;
	void *ctx;
};

static bool see_task(void *ctx, struct task *task)
{
	struct visit *v = ctx;

	v->see(v->ctx, id_of(task), task->name, state_name(task));
	return true;
}

void gdb_threads_visit(gdb_see_thread *see, void *ctx)
{
	struct visit v = { see, ctx };

	if (!task_current()) {
		see(ctx, GDB_KERNEL_THREAD, "kernel", "starting");
		return;
	}
	task_visit(see_task, &v);
	/*
	 * With one CPU the idle task is listed only while it runs: otherwise it would only show that another task runs.
	 */
	CPUS_EACH(cpu) {
		struct task *idle = queues_of(cpu)->idle;

		if (cpu_count > 1 || idle == task_current())
			(void)see_task(&v, idle);
	}
}

/* ---- registers ---- */

/*
 * Get a task's saved FPU state. XSAVEOPT does not write a component that is in its initial state: the stale bytes in
 * its place are replaced by the initial state here.
 */
static void get_saved_fpu(const struct task *task, uint8_t fpu[GDB_FPU_SIZE])
{
	static uint8_t start[FPU_LEGACY_SIZE] __attribute__((aligned(FPU_ALIGN)));
	const uint8_t *area = task->fpu;
	uint64_t present = 3;

	if (!area)
		return;
	memcpy(fpu, area, GDB_FPU_SIZE);
	if (!fpu_has_header())
		return;
	memcpy(&present, area + FPU_XSTATE_BV, sizeof(present));
	memset(start, 0, sizeof(start));
	start[0] = 0x7f; /* the control word that FNINIT sets: 0x37f */
	start[1] = 0x03;
	if (!(present & 1)) {
		memcpy(fpu, start, FPU_MXCSR);
		memcpy(fpu + 32, start + 32, 128);
	}
	if (!(present & 2))
		memcpy(fpu + 160, start + 160, 256);
}

static uint8_t live_fpu[FPU_LEGACY_SIZE] __attribute__((aligned(FPU_ALIGN)));

static void get_general(const struct trap_frame *f, struct gdb_registers *ret)
{
	const uint64_t general[16] = { f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp, f->rsp,
				       f->r8,  f->r9,  f->r10, f->r11, f->r12, f->r13, f->r14, f->r15 };

	memcpy(ret->general, general, sizeof(general));
	ret->rip = f->rip;
	ret->eflags = (uint32_t)f->rflags;
	ret->segments[0] = (uint32_t)f->cs;
	ret->segments[1] = (uint32_t)f->ss;
}

static void get_frame(const struct trap_frame *f, struct gdb_registers *ret)
{
	get_general(f, ret);
	ret->fs_base = cpu_read_msr(MSR_FS_BASE);
	ret->gs_base = cpu_read_msr(trap_from_user(f) ? MSR_KERNEL_GS_BASE : MSR_GS_BASE);
	cpu_fxsave(live_fpu);
	memcpy(ret->fpu, live_fpu, sizeof(ret->fpu));
}

/*
 * Get the registers of a task that runs on another CPU, which waits. Behind an int3 for which the CPU wants to stop the
 * machine next, RIP is shown as it will be then.
 */
static void get_held(const struct held *h, struct gdb_registers *ret)
{
	get_general(h->frame, ret);
	ret->rip -= h->frame == h->queued && h->frame->vector == TRAP_BP;
	ret->fs_base = h->fs_base;
	ret->gs_base = h->gs_base;
	memcpy(ret->fpu, h->fpu, sizeof(ret->fpu));
}

static struct switch_frame *switch_frame(const struct task *task)
{
	return (struct switch_frame *)task->sp;
}

void gdb_threads_get(int64_t id, struct gdb_registers *ret)
{
	const struct task *task = task_of(id);
	const struct switch_frame *s;

	memset(ret, 0, sizeof(*ret));
	if (id == gdb_threads_current()) {
		get_frame(stop_frame, ret);
		return;
	}
	if (task && task->cpu->current == task) {
		if (held_of(task))
			get_held(held_of(task), ret);
		return;
	}
	/* A task that never ran, or will never run again, has no switch frame. */
	if (!task || !task->sp)
		return;
	s = switch_frame(task);
	ret->general[GDB_RBX] = s->rbx;
	ret->general[GDB_RBP] = s->rbp;
	ret->general[GDB_RSP] = (uintptr_t)(s + 1);
	ret->general[12] = s->r12;
	ret->general[13] = s->r13;
	ret->general[14] = s->r14;
	ret->general[15] = s->r15;
	ret->rip = s->rip;
	ret->eflags = RFLAGS_CLEAR;
	ret->segments[0] = SELECTOR_CODE;
	ret->segments[1] = SELECTOR_DATA;
	ret->fs_base = task->fs_base;
	ret->gs_base = task->gs_base;
	get_saved_fpu(task, ret->fpu);
}

/*
 * Set the registers of the trap frame. Returns false, with nothing changed, for values with which the return from the
 * trap would fault or enter other code than the thread's: a changed CS or SS, an address that is not canonical, a user
 * thread's RIP in the kernel, reserved bits of MXCSR.
 */
static bool set_frame(struct trap_frame *f, const struct gdb_registers *r)
{
	uint64_t *const general[16] = { &f->rax, &f->rbx, &f->rcx, &f->rdx, &f->rsi, &f->rdi, &f->rbp, &f->rsp,
					&f->r8,  &f->r9,  &f->r10, &f->r11, &f->r12, &f->r13, &f->r14, &f->r15 };
	const uint64_t keep = RFLAGS_IOPL | RFLAGS_NT | (trap_from_user(f) ? RFLAGS_IF : 0);
	uint32_t mxcsr;

	if (r->segments[0] != f->cs || r->segments[1] != f->ss || !is_canonical(r->rip) || !is_canonical(r->fs_base) ||
	    !is_canonical(r->gs_base) || (trap_from_user(f) && r->rip >= USER_END))
		return false;
	memcpy(&mxcsr, r->fpu + FPU_MXCSR, sizeof(mxcsr));
	if (fpu_mxcsr_mask() && mxcsr & ~fpu_mxcsr_mask())
		return false;
	for (size_t i = 0; i < 16; i++)
		*general[i] = r->general[i];
	f->rip = r->rip;
	f->rflags = (f->rflags & keep) | (r->eflags & ~keep) | RFLAGS_CLEAR;
	memcpy(live_fpu, r->fpu, sizeof(r->fpu));
	cpu_fxrstor(live_fpu);
	cpu_write_msr(MSR_FS_BASE, r->fs_base);
	/* The kernel's own GS base must not change. */
	if (trap_from_user(f))
		cpu_write_msr(MSR_KERNEL_GS_BASE, r->gs_base);
	return true;
}

bool gdb_threads_set(int64_t id, const struct gdb_registers *r)
{
	/* Guard: the stopped machine. */
	static struct gdb_registers now;
	const struct task *task = task_of(id);
	struct switch_frame *s;

	if (id == gdb_threads_current())
		return set_frame(stop_frame, r);
	if (!task || !task->sp || task->cpu->current == task)
		return false;
	gdb_threads_get(id, &now);
	now.general[GDB_RBX] = r->general[GDB_RBX];
	now.general[GDB_RBP] = r->general[GDB_RBP];
	memcpy(&now.general[12], &r->general[12], 4 * sizeof(now.general[0]));
	if (memcmp(&now, r, sizeof(now)) != 0)
		return false;
	s = switch_frame(task);
	s->rbx = r->general[GDB_RBX];
	s->rbp = r->general[GDB_RBP];
	s->r12 = r->general[12];
	s->r13 = r->general[13];
	s->r14 = r->general[14];
	s->r15 = r->general[15];
	return true;
}

bool gdb_threads_step(int64_t id)
{
	const struct task *task = task_of(id);

	if (id == gdb_threads_current()) {
		stop_frame->rflags |= RFLAGS_TF;
		return true;
	}
	if (task && held_of(task)) {
		held_of(task)->frame->rflags |= RFLAGS_TF;
		return true;
	}
	if (!task || !task->process || task->state == TASK_DEAD || task->cpu->current == task)
		return false;
	task_frame(task)->rflags |= RFLAGS_TF;
	return true;
}

bool gdb_threads_leave_kernel(void)
{
	static const uint8_t sysret[] = { 0x48, 0x0f, 0x07 }, iret[] = { 0x48, 0xcf };
	struct trap_frame *f = stop_frame;
	const uint8_t *at = (const uint8_t *)f->rip;
	const uint64_t *words = (const uint64_t *)f->rsp; /* what IRET loads; SYSRET has the program's RSP already */

	if (trap_from_user(f) || !text_holds(f->rip, sizeof(sysret)))
		return false;
	if (memcmp(at, sysret, sizeof(sysret)) == 0) {
		f->rip = f->rcx;
		f->rflags = (f->r11 & SYSRET_FLAGS) | RFLAGS_CLEAR;
		f->cs = SELECTOR_USER_CODE;
		f->ss = SELECTOR_USER_DATA;
		return true;
	}
	if (memcmp(at, iret, sizeof(iret)) != 0)
		return false;
	f->rip = words[0];
	f->cs = words[1];
	f->rflags = words[2];
	f->rsp = words[3];
	f->ss = words[4];
	return true;
}

struct gdb_place gdb_threads_place(int64_t id)
{
	const struct task *task = task_of(id);
	const struct process *process = task ? task->process : NULL;
	struct gdb_place place = { kernel_space.root.raw ? kernel_space : peek_space(stop_frame->cr3), NULL };

	if (id != gdb_threads_current()) {
		if (process && process->space)
			place = (struct gdb_place){ process->space->context.space, process->space };
		return place;
	}
	place.space = peek_space(stop_frame->cr3);
	if (process && process->space &&
	    (place.space.root.raw == kernel_space.root.raw ||
	     place.space.root.raw == process->space->context.space.root.raw))
		place.user = process->space;
	return place;
}
