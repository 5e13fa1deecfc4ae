/*
 * Memory that devices read and write by themselves: whole frames. Their addresses as devices take them have a type of
 * their own, so that neither a pointer nor any other number is given to a device by mistake. Call in the kernel
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

static inline dma_t dma_add(dma_t at, uint64_t bytes)
{
	return (dma_t){ at.raw + bytes };
}

/*
 * Take a frame of zeros. `low`: the device reaches only the first 4 GiB. Returns ERR_NO_MEMORY; *ret has no frame then.
 */
MUST_CHECK enum status dma_page_alloc(bool low, struct dma_page *ret);

/* Give the frame back, if there is one. The device must not use it any more. */
void dma_page_free(struct dma_page *page);
