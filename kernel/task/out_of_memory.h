/*
 * When frames run out while a program's fault is served.
 */
#pragma once

#include "paging/types.h"

/*
 * Find memory: first what the kernel keeps for later, then by ending the process with most of it, of which a line in the
 * log tells. Returns true when the fault may be tried again; false: the current process is the one that ends.
 */
bool out_of_memory(void);
