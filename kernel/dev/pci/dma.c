/*
 * Allocates and frees frames for devices; see dma.h.
 */
#include "kernel/dev/pci/dma.h"

#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/space/hhdm.h"

enum status dma_page_alloc(bool low, struct dma_page *ret)
{
	struct frame_cache *cache = frame_cache_here();
	paddr_t pa;
	enum status status = low ? frame_alloc_low(cache, &pa) : frame_alloc_4k(cache, &pa);

	*ret = (struct dma_page){ 0 };
	if (status != OK)
		return status;
	*ret = (struct dma_page){ .at = { pa.raw }, .bytes = hhdm_ptr(pa) };
	memset(ret->bytes, 0, PAGE_SIZE);
	return OK;
}

void dma_page_free(struct dma_page *page)
{
	if (page->bytes)
		frame_free_4k(frame_cache_here(), hhdm_paddr(page->bytes));
	*page = (struct dma_page){ 0 };
}
