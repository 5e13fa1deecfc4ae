/*
 * The limits on pipes' capacities; see pipe.h.
 */
#include "kernel/fs/credentials.h"
#include "kernel/fs/pipe.h"

/* The limits, in pages and in bytes; see pipe.h. Guard: tasks only, which the kernel does not preempt. */
uint64_t pipe_pages_soft = 16384;
uint64_t pipe_most_size = 1 << 20;

uint64_t pipe_most_for(const struct credentials *who)
{
	return who && !credentials_can(who, CAP_SYS_RESOURCE) ? pipe_most_size : PIPE_MOST_SIZE;
}

uint64_t pipe_size_for(uint64_t bytes)
{
	uint64_t size = PAGE_SIZE;

	while (size < bytes)
		size <<= 1;
	return size;
}
