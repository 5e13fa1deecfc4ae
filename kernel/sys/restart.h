/*
 * Continue a system call that was given a time span and that a signal has interrupted, to the deadline that it had.
 * Each function returns what its system call returns; -ERESTART_GO_ON when it is interrupted again.
 */
#pragma once

#include "kernel/task/task.h"

int64_t restart_sleep(const struct task_restart *restart);
int64_t restart_futex(const struct task_restart *restart);
int64_t restart_poll(const struct task_restart *restart);
