/*
 * Contexts, tried on the real CPU: what it caches is its own, whatever the model of the host test says.
 */
#pragma once

#include "paging/types.h"

/*
 * Run all checks and call `result` for each, with what was tried and whether it held. Needs the kernel context, and
 * some hundred free frames. Leaves no context behind, and no frame taken but by the heap.
 */
void context_selftest(void (*result)(const char *name, bool good));
