/* The function by which frame_init() and frame_add_range() make memory free. */
#pragma once

#include "kernel/mm/frame/frame_pool.h"

/*
 * Make [start, end) free (bytes, page-aligned; no part may have been added before), except frame 0 and, the first time,
 * a page below 1 MiB. Frames without metadata are counted in frames->left_out. Returns how many frames became free.
 */
uint64_t frame_add_managed(struct frames *frames, uint64_t start, uint64_t end);
