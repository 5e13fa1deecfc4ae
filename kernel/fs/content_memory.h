/*
 * The functions by which kernel/fs reaches memory: the kernel context, and frames for the bytes of files and pipes. In
 * host tests the frames are in an array of the test's (test/host/fs_machine.h).
 */
#pragma once

#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/space/hhdm.h"

/*
 * store_enter() loads the kernel context, the page tables that alone map the frames of contents; store_leave() loads
 * again the page tables that store_enter() has replaced. Calls nest.
 */
static inline context_token_t store_enter(void)
{
	return kernel_context_enter();
}

static inline void store_leave(context_token_t token)
{
	kernel_context_leave(token);
}

#ifdef HOST_TEST

extern uintptr_t store_host_direct;

static inline void *store_ptr(paddr_t pa)
{
	ASSERT(context_is_loaded(&kernel_context));
	return (void *)(store_host_direct + pa.raw);
}

#else

/* Return a pointer to the memory at `pa`. Call between store_enter and store_leave. */
static inline void *store_ptr(paddr_t pa)
{
	return hhdm_ptr(pa);
}

#endif

/*
 * Allocate a frame of zeros, with one reference. Call between store_enter and store_leave. Returns ERR_NO_MEMORY, and
 * *ret is then as before.
 */
MUST_CHECK static inline enum status store_alloc(paddr_t *ret)
{
	enum status status = frame_alloc_4k(frame_cache_here(), ret);

	if (status == OK)
		memset(store_ptr(*ret), 0, PAGE_SIZE);
	return status;
}

/* Drop one reference to a frame. Call between store_enter and store_leave. */
static inline void store_put(paddr_t pa)
{
	frame_put(frame_cache_here(), FRAME_4K, pa);
}
