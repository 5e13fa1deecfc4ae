/*
 * Contiguous memory for ever: frames that stop being the allocator's.
 */
#pragma once

#include "kernel/mm/frame/frame.h"

/*
 * Take `bytes` of free memory, rounded up to pages, in one piece out of `frames`: from then on it is like memory that
 * was never added, no frame of it can be freed, and frame_add_range gives what is not needed back. From the highest
 * place there is. Its cost grows with the free memory looked at, so it is for the boot; one caller, and nobody
 * allocates beside it. Its content is whatever was there.
 * Returns ERR_NO_MEMORY (no such piece of whole free 2 MiB blocks), ERR_RANGE (no bytes). Nothing has changed then.
 */
MUST_CHECK enum status frame_withdraw(struct frame_cache *cache, uint64_t bytes, paddr_t *ret);
