/*
 * Holes of contents (the bytes of regular files): finds them, fills them with memory, and zeros bytes without filling
 * them.
 */
#include "kernel/fs/content.h"
#include "kernel/fs/content_memory.h"

static bool is_inside(const struct content *content, int64_t offset)
{
	return offset >= 0 && (uint64_t)offset < content->node->size;
}

int64_t content_next_data(const struct content *content, int64_t offset)
{
	uint64_t page = (uint64_t)offset / PAGE_SIZE, next = page;

	if (!is_inside(content, offset))
		return -ENXIO;
	if (page >= content_pages(content->place_size))
		next = page_tree_next(&content->pages, page);
	if (next == page)
		return offset;
	return next >= content_pages(content->node->size) ? -ENXIO : (int64_t)(next * PAGE_SIZE);
}

int64_t content_next_hole(const struct content *content, int64_t offset)
{
	uint64_t page = (uint64_t)offset / PAGE_SIZE, next = page;

	if (!is_inside(content, offset))
		return -ENXIO;
	if (next < content_pages(content->place_size))
		next = content_pages(content->place_size);
	next = page_tree_next_hole(&content->pages, next);
	if (next == page)
		return offset;
	return (int64_t)(next >= content_pages(content->node->size) ? content->node->size : next * PAGE_SIZE);
}

int content_fill_some(struct content *content, uint64_t *next, uint64_t end)
{
	context_token_t token = store_enter();
	enum status status = OK;
	paddr_t pa;

	for (unsigned left = CONTENT_STEP; left && *next < end && status == OK; left--) {
		status = content_own_page(content, *next, &pa);
		*next += status == OK;
	}
	store_leave(token);
	return content_errno(status);
}

int content_zero(struct content *content, uint64_t offset, uint64_t size)
{
	const uint64_t page = offset / PAGE_SIZE;
	context_token_t token;
	enum status status;
	paddr_t pa;

	if (page >= content_pages(content->place_size) && !page_tree_find(&content->pages, page).raw)
		return 0;
	token = store_enter();
	status = content_own_page(content, page, &pa);
	if (status == OK)
		memset(store_ptr(paddr_add(pa, offset % PAGE_SIZE)), 0, size);
	store_leave(token);
	return content_errno(status);
}
