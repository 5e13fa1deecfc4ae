/*
 * The heap's one state, and this CPU's store of blocks. This file lies below all files that work on them, so that each
 * of those needs only the files under it.
 */
#include "kernel/mm/heap/heap_internal.h"

struct heap heap;

/* Guard: own CPU, interrupts off. */
PER_CPU struct heap_cpu heap_this_cpu;
