/*
 * seccomp(2), and the check of each system call of tasks that have seccomp programs.
 */
#include "kernel/lib/log.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/seccomp_check.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/seccomp.h"
#include "kernel/task/signal_numbers.h"

#define ARCHITECTURE   0xc000003eU /* AUDIT_ARCH_X86_64 */
#define SYS_SECCOMP    1           /* SIGSYS's si_code */
#define ERRNO_GREATEST 4095

enum seccomp_request {
	SET_MODE_STRICT,
	SET_MODE_FILTER,
	GET_ACTION_AVAIL,
};

enum seccomp_flags {
	FLAG_TSYNC = 1, /* the program is for all threads of the process */
	FLAG_LOG = 2,
	FLAG_SPEC_ALLOW = 4,
	FLAG_TSYNC_ESRCH = 16, /* with FLAG_TSYNC: -ESRCH in place of a thread's number */
};

/* Linux's struct sock_fprog. */
struct program {
	uint16_t count;
	uint64_t instructions; /* user address of the program */
};

static int64_t set_strict(void)
{
	if (task_current()->rights.seccomp_mode == SECCOMP_FILTER)
		return -EINVAL;
	seccomp_be_strict();
	return 0;
}

/*
 * Get the structure that says where a program lies and how long it is. Returns 0, -EFAULT, -EINVAL (the program is
 * empty or too long).
 */
static int get_header(uint64_t from, struct program *ret)
{
	int error = args_get(ret, from, sizeof(*ret));

	return !error && (!ret->count || ret->count > BPF_MOST) ? -EINVAL : error;
}

/* Get a program from user memory and check it. Returns 0, -EINVAL, -EFAULT, -ENOMEM. */
static int get_program(const struct program *program, struct seccomp_filter **ret)
{
	struct seccomp_filter *filter;
	uint16_t *scratch;
	int error;

	filter = seccomp_create(program->count);
	scratch = kmalloc(program->count * sizeof(*scratch));
	error = filter && scratch ? 0 : -ENOMEM;
	if (!error)
		error = args_get(filter->program, program->instructions, program->count * sizeof(filter->program[0]));
	if (!error && !bpf_check(filter->program, program->count, sizeof(struct seccomp_data), scratch))
		error = -EINVAL;
	kfree(scratch);
	if (error)
		seccomp_put(filter);
	else
		*ret = filter;
	return error;
}

static int64_t set_filter(uint64_t flags, uint64_t from)
{
	struct seccomp_filter *filter;
	struct program program;
	int error;

	if (flags & ~(uint64_t)(FLAG_TSYNC | FLAG_LOG | FLAG_SPEC_ALLOW | FLAG_TSYNC_ESRCH))
		return -EINVAL;
	error = get_header(from, &program);
	if (error)
		return error;
	if (!task_current()->rights.no_new_rights && !rights_can(CAP_SYS_ADMIN))
		return -EACCES;
	error = get_program(&program, &filter);
	if (error)
		return error;
	if (task_current()->rights.seccomp_mode == SECCOMP_STRICT)
		error = -EINVAL;
	else
		error = flags & FLAG_TSYNC ? seccomp_add_for_all(filter) : seccomp_add(filter);
	if (error)
		seccomp_put(filter);
	return error > 0 && flags & FLAG_TSYNC_ESRCH ? -ESRCH : error;
}

/* Do SECCOMP_GET_ACTION_AVAIL. Returns 0 if the action at user address `from` is known, -EOPNOTSUPP, -EFAULT. */
static int64_t find_action(uint64_t from)
{
	uint32_t action;
	int error = args_get(&action, from, sizeof(action));

	if (error)
		return error;
	switch (action) {
	case SECCOMP_KILL_PROCESS:
	case SECCOMP_KILL_THREAD:
	case SECCOMP_TRAP:
	case SECCOMP_ERRNO:
	case SECCOMP_TRACE:
	case SECCOMP_LOG:
	case SECCOMP_ALLOW:
		return 0;
	}
	return -EOPNOTSUPP;
}

SYSCALL_3(seccomp, request, flags, from)
{
	switch ((uint32_t)request) {
	case SET_MODE_STRICT:
		return (uint32_t)flags || from ? -EINVAL : set_strict();
	case SET_MODE_FILTER:
		return set_filter((uint32_t)flags, from);
	case GET_ACTION_AVAIL:
		return (uint32_t)flags ? -EINVAL : find_action(from);
	}
	return -EINVAL;
}

int64_t seccomp_set(uint64_t mode, uint64_t from)
{
	if (mode == SECCOMP_STRICT)
		return set_strict();
	return mode == SECCOMP_FILTER ? set_filter(0, from) : -EINVAL;
}

/* ---- calls ---- */

/* End the task by `signal`; or the whole process, if `whole` is set or the task is its only one. */
static __attribute__((noreturn)) void end(int signal, bool whole)
{
	if (whole || process_current()->task_count == 1)
		process_exit(signal);
	process_exit_task(0);
}

static void tell(const struct trap_frame *frame, const char *what)
{
	const struct task *task = task_current();

	log_info("task %d (%s): system call %llu %s by its seccomp filter\n", task->tid, task->name,
		 (unsigned long long)frame->error, what);
}

static bool is_allowed_strictly(uint64_t number)
{
	enum { READ = 0, WRITE = 1, SIGRETURN = 15, EXIT = 60 };

	return number == READ || number == WRITE || number == SIGRETURN || number == EXIT;
}

/*
 * Do what the programs' answer to a call says. Returns whether the call is to be made; if not, *ret_result is its
 * result.
 */
static bool obey(const struct trap_frame *frame, uint32_t answer, int64_t *ret_result)
{
	const uint32_t value = SECCOMP_DATA(answer);
	/* The siginfo of SIGSYS has the data of the answer as si_errno. */
	const struct signal_info info = { .error = (int32_t)value,
					  .code = SYS_SECCOMP,
					  .call = { frame->rip, (int32_t)frame->error, ARCHITECTURE } };

	switch (SECCOMP_ACTION(answer)) {
	case SECCOMP_ALLOW:
		return true;
	case SECCOMP_LOG:
		tell(frame, "noted");
		return true;
	case SECCOMP_ERRNO:
		*ret_result = -(int64_t)(value < ERRNO_GREATEST ? value : ERRNO_GREATEST);
		return false;
	case SECCOMP_TRAP:
		signal_fault_as(SIGSYS, &info);
		*ret_result = (int64_t)frame->error;
		return false;
	}
	tell(frame, "refused");
	end(SIGSYS, SECCOMP_ACTION(answer) != SECCOMP_KILL_THREAD);
}

/* Return whether the task has a tracer that wants to decide about calls (PTRACE_O_TRACESECCOMP). */
static bool has_tracer(void)
{
	const struct tracee *tracee = task_current()->tracing.tracee;

	return tracee && tracee->options & 1U << PTRACE_EVENT_SECCOMP;
}

/*
 * Let the tracer decide about a call: it may change its number and arguments. Returns whether the call is to be made
 * then; if not, *ret_result is what it returns.
 */
static bool ask_tracer(const struct trap_frame *frame, uint32_t value, int64_t *ret_result)
{
	*ret_result = -ENOSYS;
	if (!has_tracer())
		return false;
	ptrace_event(PTRACE_EVENT_SECCOMP, value);
	if (task_must_end(task_current()))
		return false;
	*ret_result = (int64_t)frame->rax;
	return (int64_t)frame->error >= 0;
}

/* Return what the programs answer to the call of `frame`. */
static uint32_t ask(const struct trap_frame *frame)
{
	const struct seccomp_data data = {
		.number = (int32_t)frame->error,
		.architecture = ARCHITECTURE,
		.address = frame->rip,
		.arguments = { frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9 },
	};

	return seccomp_ask(&data);
}

static bool is_allowed(const struct trap_frame *frame, int64_t *ret_result)
{
	uint32_t answer = ask(frame);

	if (SECCOMP_ACTION(answer) == SECCOMP_TRACE) {
		if (!ask_tracer(frame, SECCOMP_DATA(answer), ret_result))
			return false;
		/* The tracer may have changed the call, so ask the programs again; but do not ask the tracer twice. */
		answer = ask(frame);
		if (SECCOMP_ACTION(answer) == SECCOMP_TRACE)
			return true;
	}
	return obey(frame, answer, ret_result);
}

bool seccomp_permits(const struct trap_frame *frame, int64_t *ret_result)
{
	switch (task_current()->rights.seccomp_mode) {
	case SECCOMP_OFF:
		return true;
	case SECCOMP_STRICT:
		if (is_allowed_strictly(frame->error))
			return true;
		tell(frame, "refused");
		end(SIGKILL, false);
	case SECCOMP_FILTER:
		break;
	}
	return is_allowed(frame, ret_result);
}
