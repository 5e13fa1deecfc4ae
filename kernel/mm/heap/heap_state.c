/*
 * Defines the heap's variables, in a file of their own: so each other file of the heap needs only files below it in the
 * order of heap_internal.h.
 */
#include "kernel/mm/heap/heap_internal.h"

struct heap heap;

/* Each CPU's free blocks. Guard: as struct heap_cpu says. */
PER_CPU struct heap_cpu heap_this_cpu;
