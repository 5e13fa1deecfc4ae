/*
 * The part of the panic page about the running task, its process and its memory.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/types.h"

/*
 * Print the running task, its process and system call, and the areas of its memory next to `va`. Prints nothing while
 * there are no tasks. The kernel's structures are read unchecked: a broken one makes this function fault, and the panic
 * page goes on without the rest of these lines.
 */
void panic_print_task(print_fn *print, vaddr_t va);
