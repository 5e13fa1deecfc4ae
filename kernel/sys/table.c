/*
 * The table of system calls, generated from the list in kernel/sys/calls.h, and the function for missing calls.
 */
#include "kernel/lib/log.h"
#include "kernel/sys/calls.h"
#include "kernel/task/task.h"

/*
 * A bit for each missing call that was logged: each is logged only once.
 * Guard: tasks only, which the kernel does not preempt.
 */
static uint64_t missing_told[SYSCALL_TABLE / 64];

SYSCALL_0(missing)
{
	uint64_t number = task_frame(task_current())->error;

	if (!(missing_told[number / 64] >> number % 64 & 1)) {
		missing_told[number / 64] |= 1ULL << number % 64;
		log_info("%s[%d]: system call %llu is not there\n", task_current()->name, task_current()->tid,
			 (unsigned long long)number);
	}
	return -ENOSYS;
}

/*
 * Refuse to compile two calls with one number or one name: in the table the later one would silently replace the other.
 */
#define SYSCALL_ONCE(number, name) number_##number##_is_given_once, name_##name##_is_given_once,
enum { SYSCALL_LIST(SYSCALL_ONCE) };

#define SYSCALL_FUNCTION(number, name) [number] = sys_##name,
#define SYSCALL_NAME(number, name)     [number] = #name,

#pragma GCC diagnostic ignored "-Woverride-init"

syscall_fn *const syscall_functions[SYSCALL_TABLE] = { [0 ... SYSCALL_TABLE - 1] = sys_missing,
						       SYSCALL_LIST(SYSCALL_FUNCTION) };

#define SYSCALL_OPEN(number, name, function) [number] = function,

syscall_fn *const syscall_open_functions[SYSCALL_TABLE] = { SYSCALL_OPEN_LIST(SYSCALL_OPEN) };

/* Refuse to compile an open call with another number than in SYSCALL_LIST. */
#define SYSCALL_NUMBER(number, name)               name##_number = number,
#define SYSCALL_OPEN_CHECK(number, name, function) _Static_assert(number == name##_number, "the number of " #name);
enum { SYSCALL_LIST(SYSCALL_NUMBER) };
SYSCALL_OPEN_LIST(SYSCALL_OPEN_CHECK)

const char *const syscall_names[SYSCALL_TABLE] = { SYSCALL_LIST(SYSCALL_NAME) };
