/*
 * Reads and writes memory, registers and signals of a stopped tracee, for ptrace(2).
 */
#include "kernel/sys/ptrace_data.h"

#include "kernel/arch/fpu.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_foreign.h"
#include "kernel/sys/ptrace_requests.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/ptrace_debug.h"
#include "kernel/task/ptrace_registers.h"
#include "kernel/task/signal_internal.h"

/* ---- memory ---- */

/*
 * Return whether the tracer may access the tracee's memory. CAP_SYS_PTRACE is needed if the tracee's process is not
 * dumpable by its user, as with a program that the user may not read (prctl(2), PR_SET_DUMPABLE).
 */
static bool may_touch(const struct task *task)
{
	return task->process->rights.dumpable == DUMPABLE_USER || rights_can(CAP_SYS_PTRACE);
}

/*
 * Read or write a word at `va` of the tracee; `move` may write to code and constants, too. Returns 0, -EIO,
 * -ERESTART_MEMORY.
 */
static int move_word(const struct task *task, vaddr_t va, uint64_t *word, user_foreign_fn *move)
{
	HELD_SPACE struct user_space *space = NULL;
	enum status status;
	struct user_io io;
	size_t moved;

	if (!may_touch(task))
		return -EIO;
	user_io_init_kernel(&io, word, sizeof(*word));
	/*
	 * Take a reference, though the tracee is stopped: only a holder of one may touch the space (docs/locking.md).
	 */
	space = process_get_space(task->process);
	status = space ? move(space, va, &io, sizeof(*word), &moved) : ERR_FAULT;
	return status == OK ? 0 : status == ERR_NO_MEMORY ? -ERESTART_MEMORY : -EIO;
}

/* ---- the user area: Linux's struct user ---- */

#define USER_DEBUG 848 /* offset of u_debugreg in struct user */
#define USER_AREA  912 /* size of struct user in bytes */

static int peek_user(const struct task *task, uint64_t offset, uint64_t *ret)
{
	struct ptrace_registers registers;

	if (offset % 8 || offset >= USER_AREA)
		return -EIO;
	*ret = 0;
	if (offset < sizeof(registers)) {
		ptrace_get_registers(task, &registers);
		memcpy(ret, (const uint8_t *)&registers + offset, sizeof(*ret));
	} else if (offset >= USER_DEBUG) {
		*ret = ptrace_get_debug(task, (unsigned)(offset - USER_DEBUG) / 8);
	}
	return 0;
}

static int poke_user(struct task *task, uint64_t offset, uint64_t word)
{
	struct ptrace_registers registers;

	if (offset % 8 || offset >= USER_AREA)
		return -EIO;
	if (offset >= USER_DEBUG)
		return ptrace_set_debug(task, (unsigned)(offset - USER_DEBUG) / 8, word);
	if (offset >= sizeof(registers))
		return 0;
	ptrace_get_registers(task, &registers);
	memcpy((uint8_t *)&registers + offset, &word, sizeof(word));
	return ptrace_set_registers(task, &registers);
}

/* ---- sets of registers ---- */

#define NT_PRSTATUS   1
#define NT_PRFPREG    2
#define NT_X86_XSTATE 0x202

/* Copy `size` bytes of a set of registers to the tracer. Returns 0, -EFAULT, -ENOMEM. */
static int get_set(const struct task *task, uint32_t type, uint64_t to, size_t size)
{
	struct ptrace_registers registers;
	uint8_t *fpu;
	int error;

	if (type == NT_PRSTATUS) {
		ptrace_get_registers(task, &registers);
		return args_put(to, &registers, size);
	}
	fpu = kmalloc(ptrace_fpu_size());
	if (!fpu)
		return -ENOMEM;
	ptrace_get_fpu(task, fpu);
	error = args_put(to, fpu, size);
	kfree(fpu);
	return error;
}

/* Set the first `size` bytes of a set of registers. Returns 0, -EFAULT, -ENOMEM, -EIO, -EINVAL. */
static int set_set(struct task *task, uint32_t type, uint64_t from, size_t size)
{
	struct ptrace_registers registers;
	uint8_t *fpu;
	int error;

	if (type == NT_PRSTATUS) {
		ptrace_get_registers(task, &registers);
		error = args_get(&registers, from, size);
		return error ? error : ptrace_set_registers(task, &registers);
	}
	fpu = kmalloc(ptrace_fpu_size());
	if (!fpu)
		return -ENOMEM;
	ptrace_get_fpu(task, fpu);
	error = args_get(fpu, from, size);
	if (!error)
		error = ptrace_set_fpu(task, fpu, type == NT_PRFPREG ? FPU_LEGACY_SIZE : ptrace_fpu_size());
	kfree(fpu);
	return error;
}

/* Return how many bytes the set of registers `type` has; 0: there is no such set. */
static size_t set_size(uint32_t type)
{
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct ptrace_registers);
	case NT_PRFPREG:
		return FPU_LEGACY_SIZE;
	case NT_X86_XSTATE:
		return fpu_has_header() ? ptrace_fpu_size() : 0;
	}
	return 0;
}

/* Do PTRACE_GETREGSET or PTRACE_SETREGSET; `data` is the address of a struct iovec, which gets the size. */
static int64_t move_set(struct task *task, uint64_t request, uint32_t type, uint64_t data)
{
	const size_t size = set_size(type);
	struct user_iovec piece;
	int error = args_get(&piece, data, sizeof(piece));

	if (error)
		return error;
	/* As on Linux, a CPU without XSAVE lacks this set, which is another error than an unknown set. */
	if (!size && type == NT_X86_XSTATE)
		return -ENODEV;
	if (!size || piece.size % (type == NT_PRFPREG ? 4 : 8))
		return -EINVAL;
	if (piece.size > size)
		piece.size = size;
	if (request == PTRACE_SETREGSET && type == NT_X86_XSTATE && piece.size != size)
		return -EFAULT;
	error = request == PTRACE_GETREGSET ? get_set(task, type, piece.base, piece.size)
					    : set_set(task, type, piece.base, piece.size);
	return error ? error : args_put(data + offsetof(struct user_iovec, size), &piece.size, sizeof(piece.size));
}

/* ---- signals ---- */

#define SIGINFO_SIZE 128 /* bytes of Linux's siginfo_t */

static int64_t get_siginfo(const struct task *task, uint64_t to)
{
	uint8_t info[SIGINFO_SIZE] = { 0 };

	if (!task->tracing.info)
		return -EINVAL;
	memcpy(info, task->tracing.info, sizeof(*task->tracing.info));
	return args_put(to, info, sizeof(info));
}

static int64_t set_siginfo(const struct task *task, uint64_t from)
{
	struct signal_info info;
	int error = args_get(&info, from, sizeof(info));

	if (!error && !task->tracing.info)
		error = -EINVAL;
	if (!error)
		*task->tracing.info = info;
	return error;
}

static int64_t set_mask(struct task *task, uint64_t size, uint64_t from)
{
	uint64_t mask, flags;
	int error = size == sizeof(mask) ? args_get(&mask, from, sizeof(mask)) : -EINVAL;

	if (error)
		return error;
	flags = lock_take(&signal_lock);
	task->signals.blocked = mask & ~SIGNALS_UNSTOPPABLE;
	signal_recompute_held(task);
	lock_release(&signal_lock, flags);
	return 0;
}

/* Linux's struct ptrace_peeksiginfo_args. */
struct peek_arguments {
	uint64_t first;
	uint32_t flags;
	int32_t count;
};

#define PEEK_SHARED 1 /* the signals sent to the process, in place of those sent to the task */
#define PEEK_MOST   8 /* siginfos that one call copies; the tracer asks again for those behind them */

/*
 * Do PTRACE_PEEKSIGINFO: copy the siginfos of pending signals. Returns how many, which may be fewer than there are;
 * -EINVAL, -EFAULT.
 */
static int64_t peek_siginfo(const struct task *task, uint64_t arguments, uint64_t to)
{
	struct signal_info found[PEEK_MOST];
	struct peek_arguments a;
	int error = args_get(&a, arguments, sizeof(a));
	const struct signal_set *set;
	unsigned count;
	uint64_t flags;

	if (error)
		return error;
	if (a.flags & ~(uint32_t)PEEK_SHARED || a.count < 0)
		return -EINVAL;
	set = a.flags ? &task->process->signals.set : &task->signals.set;
	flags = lock_take(&signal_lock);
	count = signal_set_peek(set, a.first, found, a.count < PEEK_MOST ? (unsigned)a.count : PEEK_MOST);
	lock_release(&signal_lock, flags);
	for (unsigned i = 0; i < count; i++) {
		uint8_t info[SIGINFO_SIZE] = { 0 };

		memcpy(info, &found[i], sizeof(found[i]));
		error = args_put(to + (uint64_t)i * SIGINFO_SIZE, info, sizeof(info));
		if (error)
			return i ? (int64_t)i : error;
	}
	return count;
}

/* ---- system calls ---- */

#define ARCHITECTURE 0xc000003eU /* AUDIT_ARCH_X86_64 */

/* Linux's struct ptrace_syscall_info. */
struct call_info {
	uint8_t kind;
	uint8_t pad[3];
	uint32_t architecture;
	uint64_t rip, rsp;
	union {
		struct {
			uint64_t number, arguments[6];
			uint32_t data; /* the value that the seccomp program has returned; for CALL_SECCOMP only */
		} begins;
		struct {
			int64_t result;
			uint8_t is_error;
		} ends;
	};
};

enum call_kind { CALL_NONE, CALL_BEGINS, CALL_ENDS, CALL_SECCOMP };

static enum call_kind kind_of(const struct tracee *tracee)
{
	if (tracee->stop_code == (SIGTRAP | 0x80))
		return tracee->message == PTRACE_CALL_BEGINS ? CALL_BEGINS : CALL_ENDS;
	return tracee->stop_code >> 8 == PTRACE_EVENT_SECCOMP ? CALL_SECCOMP : CALL_NONE;
}

/* Do PTRACE_GET_SYSCALL_INFO. Returns the size of the information, of which `size` bytes at most are copied. */
static int64_t get_call(const struct tracee *tracee, uint64_t size, uint64_t to)
{
	const struct trap_frame *frame = task_frame(tracee->task);
	struct call_info info;
	size_t actual = offsetof(struct call_info, begins);
	int error;

	memset(&info, 0, sizeof(info));
	info.kind = (uint8_t)kind_of(tracee);
	info.architecture = ARCHITECTURE;
	info.rip = frame->rip;
	info.rsp = frame->rsp;
	if (info.kind == CALL_BEGINS || info.kind == CALL_SECCOMP) {
		const uint64_t arguments[] = { frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9 };

		info.begins.number = frame->error;
		memcpy(info.begins.arguments, arguments, sizeof(arguments));
		info.begins.data = (uint32_t)tracee->message;
		actual = offsetof(struct call_info, begins.data);
		if (info.kind == CALL_SECCOMP)
			actual += sizeof(info.begins.data);
		else
			info.begins.data = 0;
	} else if (info.kind == CALL_ENDS) {
		struct ptrace_registers registers;

		ptrace_get_registers(tracee->task, &registers);
		info.ends.result = (int64_t)registers.rax;
		info.ends.is_error = registers.rax >= (uint64_t)-4095;
		actual = offsetof(struct call_info, ends.is_error) + 1;
	}
	error = args_put(to, &info, size < actual ? size : actual);
	return error ? error : (int64_t)actual;
}

/* ---- requests ---- */

int64_t ptrace_data_request(struct tracee *tracee, uint64_t request, uint64_t address, uint64_t data)
{
	struct task *task = tracee->task;
	uint64_t word;
	int error;

	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		error = move_word(task, address, &word, user_foreign_get);
		return error ? error : args_put(data, &word, sizeof(word));
	case PTRACE_PEEKUSER:
		error = peek_user(task, address, &word);
		return error ? error : args_put(data, &word, sizeof(word));
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return move_word(task, address, &data, user_foreign_force);
	case PTRACE_POKEUSER:
		return poke_user(task, address, data);
	case PTRACE_GETREGS:
		return get_set(task, NT_PRSTATUS, data, sizeof(struct ptrace_registers));
	case PTRACE_SETREGS:
		return set_set(task, NT_PRSTATUS, data, sizeof(struct ptrace_registers));
	case PTRACE_GETFPREGS:
		return get_set(task, NT_PRFPREG, data, FPU_LEGACY_SIZE);
	case PTRACE_SETFPREGS:
		return set_set(task, NT_PRFPREG, data, FPU_LEGACY_SIZE);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return move_set(task, request, (uint32_t)address, data);
	case PTRACE_GETSIGINFO:
		return get_siginfo(task, data);
	case PTRACE_SETSIGINFO:
		return set_siginfo(task, data);
	case PTRACE_PEEKSIGINFO:
		return peek_siginfo(task, address, data);
	case PTRACE_GETSIGMASK:
		return address == sizeof(uint64_t) ? args_put(data, &task->signals.blocked, sizeof(uint64_t)) : -EINVAL;
	case PTRACE_SETSIGMASK:
		return set_mask(task, address, data);
	case PTRACE_GET_SYSCALL_INFO:
		return get_call(tracee, address, data);
	}
	return -EIO;
}
