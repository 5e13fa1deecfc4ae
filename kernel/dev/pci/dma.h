/*
 * Memory that devices read and write by themselves: whole frames. The address that a device is given has a type of its
 * own, dma_t, so that neither a pointer nor any other number is given to a device by mistake. Call in the kernel
 * context, never in an interrupt handler.
 */
#pragma once

#include "paging/types.h"

/* An address as a device uses it. Without an IOMMU that is the physical address. */
typedef struct {
	uint64_t raw;
} dma_t;

/* A frame for a device. Guard: fixed when made. */
struct dma_page {
	dma_t at;
	void *bytes; /* the frame in the direct map: for the kernel context only. NULL: there is no frame */
};

/* Return the address that is `bytes` behind `at`. */
static inline dma_t dma_add(dma_t at, uint64_t bytes)
{
	return (dma_t){ at.raw + bytes };
}

/*
 * Allocate a frame and fill it with zeros. `low`: the device reaches only the first 4 GiB. Returns OK or ERR_NO_MEMORY;
 * after the latter ret->bytes is NULL.
 */
MUST_CHECK enum status dma_page_alloc(bool low, struct dma_page *ret);

/* Free the page's frame, which the device must not use any more; do nothing when the page has none. */
void dma_page_free(struct dma_page *page);
