/*
 * What the tests of files share: a machine of frames, a heap that can fail, a user space with memory, and calls that
 * read and write through it as system calls do.
 */
#pragma once

#include <stdint.h>

extern uintptr_t store_host_direct;

/* The allocation from the heap that counts this down to 0 fails; 0: none. */
extern uint64_t fs_heap_fail_in;
/* Blocks handed out by now. */
extern uint64_t fs_heap_blocks;
