/*
 * How many system calls there can be, and the error for those that are not there, for C and assembly.
 */
#pragma once

/* Numbers of system calls that have an entry in kernel/sys/table.c. What is beyond is answered at once. */
#define SYSCALL_TABLE 512
#define LINUX_ENOSYS  38
