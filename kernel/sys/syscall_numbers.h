/*
 * How many numbers of system calls there are, and the error for a call that does not exist, for C and assembly.
 */
#pragma once

/* Numbers from 0 up that have an entry in kernel/sys/table.c. A number beyond is answered with -ENOSYS at once. */
#define SYSCALL_TABLE 512
#define LINUX_ENOSYS  38
