/*
 * Takes contiguous memory out of the frame allocator, for ever.
 */
#pragma once

#include "kernel/mm/frame/frame.h"

/*
 * Take `bytes` of free memory, rounded up to pages, in one piece out of `frames`. From then on that memory is like
 * memory which was never added: none of its frames can be freed, and frame_add_range would add it again. The highest
 * place that is free is taken; the content is arbitrary. Meant for the boot, since the search takes longer the more
 * memory it has to look at. Call it while nobody else uses the allocator. Returns ERR_NO_MEMORY (no such piece of
 * wholly free 2 MiB blocks), ERR_RANGE (no bytes). Nothing has changed then.
 */
MUST_CHECK enum status frame_withdraw(struct frame_cache *cache, uint64_t bytes, paddr_t *ret);
