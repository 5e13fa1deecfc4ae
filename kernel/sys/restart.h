/*
 * Continue system calls with a time span that a signal has interrupted, to the deadline that they had. Each function returns
 * what its system call returns: -ERESTART_GO_ON when it is interrupted again.
 */
#pragma once

#include "kernel/task/task.h"

int64_t restart_sleep(const struct task_restart *restart);
int64_t restart_futex(const struct task_restart *restart);
int64_t restart_poll(const struct task_restart *restart);
