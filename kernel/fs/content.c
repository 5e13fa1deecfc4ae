/*
 * Reads and writes contents. A page of a file is in one of three places, looked for in this order: a frame of the page
 * tree; the archive; nowhere, which reads as zeros.
 */
#include "kernel/fs/content.h"

#include "kernel/fs/content_memory.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/user/user_io.h"

/* most bytes that are copied by way of the stack, which is cheaper then than walking the user's tables */
#define SMALL 256

/* Guard: the kernel, one CPU, not preempted. */
uint64_t content_frames;

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Return whether all of page `index` lies in place, page-aligned: then it can be mapped as it is. */
static bool is_whole_in_place(const struct content *content, uint64_t index)
{
	return is_aligned(content->place.raw, PAGE_SIZE) && index < content->place_size / PAGE_SIZE;
}

/* Give page `index`, which has none, a frame with its content. In the kernel context. ERR_RANGE: no space is left. */
static enum status make_frame(struct content *content, uint64_t index, paddr_t *ret)
{
	uint64_t start = index * PAGE_SIZE;
	struct fs *fs = content->node->fs;
	enum status status;
	paddr_t pa;

	if (fs->pages_max && fs->pages >= fs->pages_max)
		return ERR_RANGE;
	status = store_alloc(&pa);
	if (status != OK)
		return status;
	status = page_tree_insert(&content->pages, index, pa);
	if (status != OK) {
		store_put(pa);
		return status;
	}
	if (start < content->place_size)
		memcpy(store_ptr(pa), store_ptr(paddr_add(content->place, start)),
		       least(PAGE_SIZE, content->place_size - start));
	fs->pages++;
	content_frames++;
	*ret = pa;
	return OK;
}

/* Remove all pages from `first` on. In the kernel context. */
static void cut(struct content *content, uint64_t first)
{
	uint64_t before = content->pages.count;

	page_tree_cut(&content->pages, first, store_put);
	content->node->fs->pages -= before - content->pages.count;
	content_frames -= before - content->pages.count;
}

/* Return what page `index` can be mapped and written as: its frame, or itself where all of it lies in place; or 0. */
static paddr_t own_page(const struct content *content, uint64_t index)
{
	paddr_t frame = page_tree_find(&content->pages, index);

	if (!frame.raw && is_whole_in_place(content, index))
		frame = paddr_add(content->place, index * PAGE_SIZE);
	return frame;
}

/* Let the content have `size` bytes in place. */
static void set_place_size(struct content *content, uint64_t size)
{
	struct fs *fs = content->node->fs;

	fs->pages = fs->pages - content_pages(content->place_size) + content_pages(size);
	content->place_size = size;
}

void content_use_in_place(struct content *content, paddr_t pa, uint64_t size)
{
	content->place = pa;
	set_place_size(content, size);
	content->node->size = size;
}

static struct content *content_of(struct memory_object *object)
{
	return (struct content *)object;
}

static bool is_past_end(const struct content *content, uint64_t page)
{
	return page >= content_pages(content->node->size);
}

/*
 * Get page `page`, the same one for reading, for writing and for who copies it: all mappings and calls see the same bytes.
 * A page in place is immortal and has no references.
 */
static enum status object_frame(struct memory_object *object, uint64_t page, paddr_t *ret)
{
	struct content *content = content_of(object);
	enum status status = OK;
	paddr_t pa;

	if (is_past_end(content, page))
		return ERR_RANGE;
	pa = page_tree_find(&content->pages, page);
	if (!pa.raw && is_whole_in_place(content, page)) {
		*ret = paddr_add(content->place, page * PAGE_SIZE);
		return OK;
	}
	if (!pa.raw)
		status = make_frame(content, page, &pa);
	if (status == OK)
		status = frame_get(frame_cache_here(), FRAME_4K, pa);
	if (status == OK)
		*ret = pa;
	return status;
}

static enum status object_write_frame(struct memory_object *object, uint64_t page, paddr_t *ret)
{
	enum status status = object_frame(object, page, ret);
	struct node *node = content_of(object)->node;

	/* Only the first write through each mapping comes here; the CPU does later ones by itself. */
	if (status == OK)
		node->mtime = node->ctime = node_now();
	return status;
}

static bool object_has(struct memory_object *object, uint64_t page)
{
	const struct content *content = content_of(object);

	return !is_past_end(content, page) &&
	       (page < content_pages(content->place_size) || page_tree_find(&content->pages, page).raw);
}

static void object_get(struct memory_object *object)
{
	node_get(content_of(object)->node);
}

static void object_put(struct memory_object *object)
{
	node_put(content_of(object)->node);
}

static const struct memory_object_ops object_ops = {
	.frame = object_frame,
	.write_frame = object_write_frame,
	.get = object_get,
	.put = object_put,
	.has = object_has,
};

struct node *content_node(const struct memory_object *object)
{
	return object->ops == &object_ops ? ((const struct content *)object)->node : NULL;
}

void content_init(struct content *content, struct node *node)
{
	*content = (struct content){ .object = { .ops = &object_ops }, .node = node };
}

void content_free(struct content *content)
{
	context_token_t token;

	set_place_size(content, 0);
	if (!content->pages.root)
		return;
	token = store_enter();
	cut(content, 0);
	store_leave(token);
}

/*
 * Find where the bytes from `offset` on lie: *ret_pa, 0 for a hole. Returns how many of them lie together there, `most`
 * at the most.
 */
static uint64_t find_bytes(const struct content *content, uint64_t offset, uint64_t most, paddr_t *ret_pa)
{
	uint64_t inside = offset % PAGE_SIZE;
	paddr_t frame = page_tree_find(&content->pages, offset / PAGE_SIZE);

	most = least(most, PAGE_SIZE - inside);
	if (frame.raw) {
		*ret_pa = paddr_add(frame, inside);
	} else if (offset < content->place_size) {
		*ret_pa = paddr_add(content->place, offset);
		most = least(most, content->place_size - offset);
	} else {
		*ret_pa = paddr(0);
	}
	return most;
}

static int64_t read_small(struct content *content, struct user_io *io, uint64_t *offset, uint64_t size)
{
	_Alignas(8) uint8_t bytes[SMALL];
	context_token_t token = store_enter();
	enum status status;
	size_t moved = 0;

	while (moved < size) {
		paddr_t pa;
		uint64_t piece = find_bytes(content, *offset + moved, size - moved, &pa);

		if (pa.raw)
			memcpy(bytes + moved, store_ptr(pa), piece);
		else
			memset(bytes + moved, 0, piece);
		moved += piece;
	}
	store_leave(token);
	status = user_io_put(io, bytes, size, &moved);
	wipe(bytes, size);
	if (status != OK && !moved)
		return copy_errno(status);
	*offset += moved;
	return (int64_t)moved;
}

int64_t content_read(struct content *content, struct user_io *io, uint64_t *offset)
{
	uint64_t size = *offset < content->node->size ? least(io->left, content->node->size - *offset) : 0;
	enum status status = OK;
	uint64_t done = 0;
	context_token_t token;

	if (!size)
		return 0;
	if (size <= SMALL)
		return read_small(content, io, offset, size);
	token = store_enter();
	while (done < size && status == OK) {
		size_t moved = 0;
		paddr_t pa;
		uint64_t piece = find_bytes(content, *offset + done, size - done, &pa);

		if (pa.raw)
			status = user_io_put_bulk(io, store_ptr(pa), piece, &moved);
		else
			status = user_io_zero_bulk(io, piece, &moved);
		done += moved;
	}
	store_leave(token);
	if (!done)
		return copy_errno(status);
	*offset += done;
	return (int64_t)done;
}

/*
 * Zero the bytes behind the end in the last page: they may have been written through a mapping, and must read as zeros.
 */
static void clear_tail(struct content *content)
{
	uint64_t inside = content->node->size % PAGE_SIZE;
	paddr_t frame = own_page(content, content->node->size / PAGE_SIZE);

	if (inside && frame.raw)
		memset((uint8_t *)store_ptr(frame) + inside, 0, PAGE_SIZE - inside);
}

/* Get the place where `offset` can be written, up to the end of its page. -ENOMEM, -ENOSPC. */
static int writable_bytes(struct content *content, uint64_t offset, paddr_t *ret)
{
	uint64_t index = offset / PAGE_SIZE;
	paddr_t frame = own_page(content, index);
	enum status status = OK;

	if (!frame.raw)
		status = make_frame(content, index, &frame);
	if (status != OK)
		return status == ERR_NO_MEMORY ? -ENOMEM : -ENOSPC;
	*ret = paddr_add(frame, offset % PAGE_SIZE);
	return 0;
}

int64_t content_write(struct content *content, struct user_io *io, uint64_t *offset)
{
	struct node *node = content->node;
	uint64_t size = io->left, done = 0;
	context_token_t token;
	int error = 0;

	if (!size)
		return 0;
	if (*offset >= CONTENT_MAX)
		return -EFBIG;
	size = least(size, CONTENT_MAX - *offset);
	token = store_enter();
	if (*offset > node->size)
		clear_tail(content);
	while (done < size && !error) {
		uint64_t at = *offset + done;
		size_t moved = 0;
		paddr_t pa;

		error = writable_bytes(content, at, &pa);
		if (error)
			break;
		error = copy_errno(
			user_io_get_bulk(io, store_ptr(pa), least(size - done, PAGE_SIZE - at % PAGE_SIZE), &moved));
		done += moved;
	}
	store_leave(token);
	if (!done)
		return error;
	*offset += done;
	if (*offset > node->size)
		node->size = *offset;
	node->mtime = node->ctime = node_now();
	return (int64_t)done;
}

int content_set_size(struct content *content, uint64_t size)
{
	struct node *node = content->node;
	context_token_t token;

	if (size > CONTENT_MAX)
		return -EFBIG;
	token = store_enter();
	if (size > node->size) {
		clear_tail(content);
	} else {
		memory_object_cut(&content->object, content_pages(size));
		cut(content, content_pages(size));
	}
	/* A whole page in place stays one, as it may be mapped: clear_tail takes care of what lies behind the end. */
	if (content->place_size > size)
		set_place_size(content,
			       is_whole_in_place(content, size / PAGE_SIZE) ? align_up(size, PAGE_SIZE) : size);
	node->size = size;
	clear_tail(content);
	store_leave(token);
	node->mtime = node->ctime = node_now();
	return 0;
}
