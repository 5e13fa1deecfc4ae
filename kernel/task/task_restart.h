/*
 * What restart_syscall(2) continues: a structure without functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A system call that a signal has interrupted and that restart_syscall(2) continues, to the same deadline. Guard: the
 * task itself.
 */
struct task_restart {
	enum { RESTART_NONE, RESTART_SLEEP, RESTART_FUTEX, RESTART_POLL } call;
	uint64_t deadline_ns; /* by the monotonic clock */
	uint64_t at;          /* user address: nanosleep(2)'s remaining time or 0; the futex; poll(2)'s entries */
	uint32_t value;       /* futex(2)'s `val`, or how many entries poll(2) has */
	bool private;         /* futex(2)'s FUTEX_PRIVATE_FLAG */
};
