/*
 * When frames run out while a program's access to its memory is served. Called where nothing is held: user_return.c.
 */
#pragma once

#include "paging/types.h"

/*
 * Find memory: first what the kernel keeps for later, then by ending the process with most of it, of which a line in the
 * log tells. attempt: how often this access has been tried again already. Returns true when it may be tried again; false:
 * the current process is the one that ends.
 */
bool out_of_memory(unsigned attempt);

/* Give back what is kept for speed only. Returns how many frames are free now. */
uint64_t memory_trim(void);
