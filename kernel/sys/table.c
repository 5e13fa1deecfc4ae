/*
 * The table of system calls. What is not in kernel/sys/calls.h is not there.
 */
#include "kernel/sys/calls.h"

#define SYSCALL_ENTRY(number, function) [number] = { .call = sys_##function, .name = #function },

const struct syscall syscalls[SYSCALLS] = { SYSCALL_LIST(SYSCALL_ENTRY) };
