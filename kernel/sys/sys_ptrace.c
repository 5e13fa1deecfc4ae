/*
 * ptrace(2): begins and ends tracing, and resumes tracees. ptrace_data.c has the requests that read and write a
 * tracee's registers, memory and signals.
 */
#include "kernel/sys/ptrace_data.h"
#include "kernel/sys/ptrace_requests.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/signal_internal.h"

#define O_SUSPEND_SECCOMP (1U << 21)

/* Check a mask of options. Returns 0 or -EINVAL. */
static int check_options(uint64_t options)
{
	if (options & O_SUSPEND_SECCOMP)
		return refuse_feature(-EINVAL, "ptrace: PTRACE_O_SUSPEND_SECCOMP", 0);
	return options & ~(uint64_t)PTRACE_O_KNOWN ? -EINVAL : 0;
}

/*
 * Do PTRACE_ATTACH or PTRACE_SEIZE. Returns 0, -ESRCH, -EPERM, -ENOMEM; for PTRACE_SEIZE also -EIO: an address, or
 * options that are not known.
 */
static int64_t attach(struct task *task, uint64_t request, uint64_t address, uint64_t options)
{
	if (request == PTRACE_ATTACH)
		return ptrace_attach(task);
	if (address)
		return -EIO;
	return check_options(options) ? -EIO : ptrace_seize(task, (unsigned)options);
}

/* Do PTRACE_CONT, PTRACE_SYSCALL or PTRACE_SINGLESTEP. Returns 0, or -EIO: `signal` is no signal. */
static int64_t resume(struct tracee *tracee, enum ptrace_run run, uint64_t signal)
{
	if (signal > SIGNALS)
		return -EIO;
	ptrace_resume(tracee, run, (int)signal);
	return 0;
}

static int64_t detach(struct tracee *tracee, uint64_t signal)
{
	if (signal > SIGNALS)
		return -EIO;
	ptrace_detach(tracee, (int)signal);
	return 0;
}

static int64_t interrupt(struct tracee *tracee)
{
	if (!tracee->seized)
		return -EIO;
	ptrace_call_to_stop(tracee->task);
	if (tracee->listening)
		ptrace_resume(tracee, PTRACE_RUN_FREE, 0);
	return 0;
}

static int64_t listen(struct tracee *tracee)
{
	if (!tracee->seized || tracee->stop_code >> 8 != PTRACE_EVENT_STOP)
		return -EIO;
	tracee->listening = true;
	/* A stop that was asked for since the tracee stopped is reported at once. */
	if (tracee->task->signals.stop_wanted)
		ptrace_resume(tracee, PTRACE_RUN_FREE, 0);
	return 0;
}

static int64_t set_options(struct tracee *tracee, uint64_t options)
{
	int error = check_options(options);

	if (!error)
		tracee->options = (unsigned)options;
	return error;
}

/* Do a request for a tracee that is stopped. */
static int64_t request_stopped(struct tracee *tracee, uint64_t request, uint64_t address, uint64_t data)
{
	uint64_t message = tracee->message;

	switch (request) {
	case PTRACE_CONT:
		return resume(tracee, PTRACE_RUN_FREE, data);
	case PTRACE_SYSCALL:
		return resume(tracee, PTRACE_RUN_CALLS, data);
	case PTRACE_SINGLESTEP:
		return resume(tracee, PTRACE_RUN_STEP, data);
	case PTRACE_DETACH:
		return detach(tracee, data);
	case PTRACE_LISTEN:
		return listen(tracee);
	case PTRACE_SETOPTIONS:
	case PTRACE_OLDSETOPTIONS:
		return set_options(tracee, data);
	case PTRACE_GETEVENTMSG:
		return args_put(data, &message, sizeof(message));
	}
	return ptrace_data_request(tracee, request, address, data);
}

SYSCALL_4(ptrace, request, pid, address, data)
{
	HELD_TASK struct task *task = NULL;
	struct tracee *tracee;

	if (request == PTRACE_TRACEME)
		return ptrace_me();
	task = task_find((int)pid);
	if (!task)
		return -ESRCH;
	if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
		return attach(task, request, address, data);
	tracee = task->tracing.tracee;
	if (!tracee || tracee->tracer != task_current())
		return -ESRCH;
	if (request == PTRACE_KILL) {
		(void)signal_send_task(task, SIGKILL, NULL);
		return 0;
	}
	if (request == PTRACE_INTERRUPT)
		return interrupt(tracee);
	/*
	 * The tracee sets `stopped` itself, and keeps the kernel lock from there until it has left its CPU: so a tracee
	 * that is `stopped` runs on no CPU.
	 */
	if (!tracee->stopped || tracee->listening)
		return -ESRCH;
	return request_stopped(tracee, request, address, data);
}
