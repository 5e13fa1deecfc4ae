/*
 * What frame_init and frame_add_range share.
 */
#pragma once

#include "kernel/mm/frame/frame_pool.h"

/*
 * Make [start, end) free (bytes, page-aligned; none of it was added before), but for frame 0 and, once, the
 * page below 1 MiB. What has no metadata is counted in frames->left_out. Returns how many frames that gave.
 */
uint64_t frame_add_managed(struct frames *frames, uint64_t start, uint64_t end);
