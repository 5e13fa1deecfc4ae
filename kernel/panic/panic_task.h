/*
 * The part of the panic page about the running task, its program and its memory.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/types.h"

/*
 * Print the task, its process and its system call, and its areas next to `va`: six lines at the most. Prints nothing
 * while there are no tasks. Believes the kernel's structures: a broken one costs the rest of these lines.
 */
void panic_print_task(print_fn *print, vaddr_t va);
