/*
 * The writer of core files (kernel/task/core.h).
 */
#pragma once

/* Let processes that end by signals leave core files. Call once, at boot. */
void core_dump_init(void);
