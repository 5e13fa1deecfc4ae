/*
 * Makes the files of /proc/PID that tell where in the kernel a task is: syscall and wchan.
 */
#include "kernel/arch/trap.h"
#include "kernel/sys/proc.h"
#include "kernel/task/rights.h"

/*
 * Make wchan, the name of the function that a task waits in. As on a Linux without CONFIG_KALLSYMS it is always "0":
 * programs look for names of Linux's functions, and this kernel's have others.
 */
int proc_make_wchan(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (!error)
		text_add_char(ret, '0');
	return error;
}

/* Add a number in hexadecimal, with a space and 0x in front. */
static void add_hex(struct text *text, uint64_t value)
{
	text_add(text, " 0x%llx", (unsigned long long)value);
}

int proc_make_syscall(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);
	const struct trap_frame *frame;

	if (error || !rights_may_look(subject.process))
		return error;
	if (!subject.task || subject.task->state == TASK_NEW || subject.task->state == TASK_DEAD)
		return -ESRCH;
	if (subject.task->state == TASK_RUNNABLE) {
		text_add_string(ret, "running\n");
		return 0;
	}
	frame = task_frame(subject.task);
	if (frame->vector == TRAP_SYSCALL && (int64_t)frame->error >= 0) {
		text_add(ret, "%lld", (long long)frame->error);
		add_hex(ret, frame->rdi);
		add_hex(ret, frame->rsi);
		add_hex(ret, frame->rdx);
		add_hex(ret, frame->r10);
		add_hex(ret, frame->r8);
		add_hex(ret, frame->r9);
	} else {
		text_add_string(ret, "-1");
	}
	add_hex(ret, frame->rsp);
	add_hex(ret, frame->rip);
	text_add_char(ret, '\n');
	return 0;
}
