/*
 * The MMIO window as an object: does what kernel/mm/space/mmio.h promises, for any space and any memory map, so that
 * host tests can try it on theirs. Has no lock: one caller at a time.
 */
#pragma once

#include "kernel/boot/memmap.h"
#include "kernel/mm/space/window.h"
#include "paging/space.h"

struct mmio_window {
	struct windows windows;
	struct space *space;      /* where device memory is mapped */
	const struct memmap *map; /* says what is RAM */
	uint64_t limit;           /* physical addresses end here: 2^MAXPHYADDR, at most 2^52 */
	/* Invalidates the TLB entries that the flush names, and gives back the tables that it carries. */
	void (*flush)(struct tlb_flush *flush);
};

/*
 * Start with nothing mapped in the MMIO range of paging/layout.h. Set `space`, `map`, `limit` and `flush` before;
 * `seam` must stay valid. Returns ERR_NO_MEMORY; `w` is unusable then.
 */
MUST_CHECK enum status mmio_window_init(struct mmio_window *w, const struct window_seam *seam);

/* Do what mmio_map() and mmio_unmap() of kernel/mm/space/mmio.h say, in `w`. */
MUST_CHECK enum status mmio_window_map(struct mmio_window *w, paddr_t pa, uint64_t size, enum page_prot type,
				       void **ret);
void mmio_window_unmap(struct mmio_window *w, void *p);
