/*
 * The panic page's part on whose fault it may be: the task, its program and its memory.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/types.h"

/*
 * Which task, of which process, in which system call; and of its areas those next to `va`, six lines in all at the most.
 * Nothing before there are tasks. Believes the kernel's structures: a broken one costs the rest of it.
 */
void panic_print_task(print_fn *print, vaddr_t va);
