/*
 * Writes a core file, from its first byte to its last, with at most as many bytes as RLIMIT_CORE allows.
 */
#pragma once

#include "kernel/fs/file.h"

/* A core file that is written, or whose size is only measured. Guard: the task that writes it. */
struct core_file {
	struct file *file; /* a reference; NULL: nothing is written, and `at` alone advances, to measure the file */
	uint64_t at;       /* where the next byte goes */
	uint64_t limit;    /* most bytes that the file may have */
	bool failed; /* `limit` is reached, or a write failed, as on a full file system: nothing more is written */
};

/* Add bytes of the kernel's memory, at an address that is mapped in every context. */
void core_put(struct core_file *to, const void *bytes, size_t size);

/*
 * Add the first `size` bytes, a number of pages, of an area of the current process. Pages that are not in memory, or
 * cannot be read, become holes, whose bytes read as zeros. Lets other tasks run in between: nobody may change the
 * areas meanwhile.
 */
struct area;
void core_put_memory(struct core_file *to, const struct area *area, uint64_t size);

/* Leave a hole from the present place up to byte `at` of the file. */
void core_skip_to(struct core_file *to, uint64_t at);

/*
 * Make the file that /proc/sys/kernel/core_pattern names for the current process, which `signal` ends. Returns 0, and
 * the caller puts to->file; or an error, with nothing made.
 */
int core_open(struct core_file *to, int signal);
