/*
 * Reads and writes file contents. A page's bytes are in its frame if the page tree has one; otherwise in the initramfs
 * archive, where files of the archive are used in place. A page that is in neither is a hole, and reads as zeros.
 */
#include "kernel/fs/content.h"

#include "kernel/fs/content_memory.h"
#include "kernel/lib/least.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/user/user_io.h"

/*
 * Reads of up to this many bytes are copied through a buffer on the stack: cheaper than walking the user's page tables.
 */
#define SMALL 256

/* The number of frames of all contents together. Guard: tasks only, which the kernel does not preempt. */
uint64_t content_frames;

/* Return whether all of page `index` is in the archive, page-aligned: then it can be mapped where it is. */
static bool is_whole_in_place(const struct content *content, uint64_t index)
{
	return is_aligned(content->place.raw, PAGE_SIZE) && index < content->place_size / PAGE_SIZE;
}

/*
 * Allocate a frame for page `index`, which must not have one, and fill it with the page's bytes. Call between
 * store_enter() and store_leave(). Returns ERR_NO_MEMORY, or ERR_RANGE when the file system has reached its limit.
 */
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
	if (start < content->place_size)
		memcpy(store_ptr(pa), store_ptr(paddr_add(content->place, start)),
		       least(PAGE_SIZE, content->place_size - start));
	open_gate_close(&content->node->gate);
	status = page_tree_insert(&content->pages, index, pa);
	open_gate_open(&content->node->gate);
	if (status != OK) {
		store_put(pa);
		return status;
	}
	fs->pages++;
	content_frames++;
	*ret = pa;
	return OK;
}

/* Free the frames of all pages from `first` on. Call between store_enter() and store_leave(). */
static void cut(struct content *content, uint64_t first)
{
	uint64_t before = content->pages.count;

	page_tree_cut(&content->pages, first, store_put);
	content->node->fs->pages -= before - content->pages.count;
	content_frames -= before - content->pages.count;
}

/*
 * Return the physical page that holds page `index` and nothing else, and so can be mapped and written: its frame, or
 * its page in the archive if the archive has all of it, page-aligned; 0 when there is none.
 */
static paddr_t own_page(const struct content *content, uint64_t index)
{
	paddr_t frame = page_tree_find(&content->pages, index);

	if (!frame.raw && is_whole_in_place(content, index))
		frame = paddr_add(content->place, index * PAGE_SIZE);
	return frame;
}

/* Set place_size, the number of bytes that are used in the archive, and correct the file system's page count. */
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
 * Get the physical page that holds the file's page `page`, with a reference. Reads, writes and mappings all get the
 * same physical page, so that they see the same bytes. A page in the archive is never freed, and its references are not
 * counted.
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

	/*
	 * A page fault calls this when a write through a shared mapping is the first access to its page. Later writes
	 * cause no fault, so they do not change the times; nor do they on Linux.
	 */
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

static void object_count_writer(struct memory_object *object, int change)
{
	struct node *node = content_of(object)->node;

	node->writers += (uint64_t)(int64_t)change;
	node->fs->writers += (uint64_t)(int64_t)change;
}

/*
 * Zero the bytes of pages [first, end) that lie in the archive: these pages become visible again when object_take()
 * removes the frames that were used in place of them. Processes that have mapped a page of the archive see the zeros at
 * once.
 */
static void clear_in_place(const struct content *content, uint64_t first, uint64_t end)
{
	uint64_t start = first * PAGE_SIZE, most = content->place_size > start ? content->place_size - start : 0;

	if (most)
		memset(store_ptr(paddr_add(content->place, start)), 0, least(most, (end - first) * PAGE_SIZE));
}

static void object_take(struct memory_object *object, uint64_t *first, uint64_t end, struct object_taken *ret)
{
	struct content *content = content_of(object);
	const uint64_t most = *first + OBJECT_TAKEN_MOST;
	uint64_t page = *first, stop = end < most ? end : most;

	open_gate_close(&content->node->gate);
	content->node->mtime = content->node->ctime = node_now();
	clear_in_place(content, page, stop);
	for (page = page_tree_next(&content->pages, page); page < stop; page = page_tree_next(&content->pages, page)) {
		object_taken_add(ret, page, page_tree_remove(&content->pages, page));
		content->node->fs->pages--;
		content_frames--;
	}
	/* The next call begins behind the hole that follows, unless pages in the archive must be zeroed before that. */
	*first = stop < content_pages(content->place_size) ? stop : least(page > stop ? page : stop, end);
	open_gate_open(&content->node->gate);
}

static bool object_is_long(const struct memory_object *object)
{
	const struct content *content = (const struct content *)object;

	return content->pages.count > CONTENT_STEP && content->node->refs == 1;
}

static const struct memory_object_ops object_ops = {
	.frame = object_frame,
	.write_frame = object_write_frame,
	.same_frame = true,
	.get = object_get,
	.put = object_put,
	.count_writer = object_count_writer,
	.take = object_take,
	.has = object_has,
	.is_long = object_is_long,
};

struct node *content_node(const struct memory_object *object)
{
	return object && object->ops == &object_ops ? ((const struct content *)object)->node : NULL;
}

void content_init(struct content *content, struct node *node)
{
	/*
	 * As on Linux only files of memfd_create(2) can be sealed: all others start with F_SEAL_SEAL, which forbids
	 * further seals.
	 */
	*content = (struct content){ .object = { .ops = &object_ops }, .node = node, .seals = F_SEAL_SEAL };
}

/*
 * Find the physical address of the byte at `offset`: *ret_pa, or 0 in a hole. Returns how many bytes, at most `most`,
 * follow one another from that address on, or are in the hole.
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

/*
 * Return whether a transfer of io->left bytes at `offset` would end beyond the largest file offset, which is an error.
 */
static bool passes_last_offset(const struct user_io *io, uint64_t offset)
{
	return offset > INT64_MAX - io->left;
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
		return passes_last_offset(io, *offset) ? -EINVAL : 0;
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
 * Zero the bytes behind the file's end in its last page, where a mapping may have written: if the file grows, they must
 * read as zeros.
 */
static void clear_tail(struct content *content)
{
	uint64_t inside = content->node->size % PAGE_SIZE;
	paddr_t frame = own_page(content, content->node->size / PAGE_SIZE);

	if (inside && frame.raw)
		memset((uint8_t *)store_ptr(frame) + inside, 0, PAGE_SIZE - inside);
}

enum status content_own_page(struct content *content, uint64_t index, paddr_t *ret)
{
	paddr_t frame = own_page(content, index);

	if (!frame.raw)
		return make_frame(content, index, ret);
	*ret = frame;
	return OK;
}

int64_t content_write(struct content *content, struct user_io *io, uint64_t *offset)
{
	struct node *node = content->node;
	uint64_t size = io->left, done = 0;
	context_token_t token;
	int error = 0;

	if (!size)
		return 0;
	if (passes_last_offset(io, *offset))
		return -EINVAL;
	token = store_enter();
	if (*offset > node->size)
		clear_tail(content);
	while (done < size && !error) {
		uint64_t at = *offset + done, piece = least(size - done, PAGE_SIZE - at % PAGE_SIZE);
		size_t moved = 0;
		paddr_t pa;

		if (unlikely(content->seals & ~(unsigned)F_SEAL_SEAL))
			error = content_seals_permit_write(content, at, piece);
		if (!error)
			error = content_errno(content_own_page(content, at / PAGE_SIZE, &pa));
		if (error)
			break;
		error = copy_errno(user_io_get_bulk(io, store_ptr(paddr_add(pa, at % PAGE_SIZE)), piece, &moved));
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
	open_gate_close(&content->node->gate);
	if (size > node->size) {
		clear_tail(content);
	} else {
		/*
		 * If the size stays as it is, there is nothing to unmap: no process maps pages beyond the file's end.
		 * But the page tree may have pages there, from a write that failed, so cut() is called in any case.
		 */
		if (size < node->size)
			memory_object_cut(&content->object, content_pages(size));
		cut(content, content_pages(size));
	}
	/*
	 * A page that lies in the archive as a whole may be mapped from there. If the new end is inside such a page,
	 * all of the page stays in use, and clear_tail zeroes its bytes behind the end.
	 */
	if (content->place_size > size)
		set_place_size(content,
			       is_whole_in_place(content, size / PAGE_SIZE) ? align_up(size, PAGE_SIZE) : size);
	node->size = size;
	clear_tail(content);
	open_gate_open(&content->node->gate);
	store_leave(token);
	node->mtime = node->ctime = node_now();
	return 0;
}
