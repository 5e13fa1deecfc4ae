/*
 * The requests of ptrace(2) that read and write what a stopped tracee has: memory, registers, signals.
 */
#pragma once

#include "kernel/task/ptrace.h"

/*
 * Do a request of ptrace(2) on a stopped tracee. Returns the request's result; -EIO when there is no such request, or
 * nothing at that address; -EFAULT, -EINVAL, -ENOMEM, or -ERESTART_MEMORY.
 */
int64_t ptrace_data_request(struct tracee *tracee, uint64_t request, uint64_t address, uint64_t data);
