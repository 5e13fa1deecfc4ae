/*
 * The size of the table of system calls, and the error for calls that do not exist, for C and assembly.
 */
#pragma once

/* Number of entries of the table in kernel/sys/table.c. For a higher number the entry code returns -ENOSYS at once. */
#define SYSCALL_TABLE 512
#define LINUX_ENOSYS  38
