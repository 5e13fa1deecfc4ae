/*
 * Continue a system call that a signal has interrupted, to its old deadline. The program passed a time span to the
 * call, so making the call anew with the same span would wait too long. Each function returns what its system call
 * returns; -ERESTART_GO_ON when it is interrupted again.
 */
#pragma once

#include "kernel/task/task.h"

int64_t restart_sleep(const struct task_restart *restart);
int64_t restart_futex(const struct task_restart *restart);
int64_t restart_poll(const struct task_restart *restart);
