/*
 * Writes core files, when kernel/task/core.h demands one.
 */
#pragma once

/* Let processes that end by signals leave core files. Call once, at boot. */
void core_dump_init(void);
