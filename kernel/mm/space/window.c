/*
 * Windows: which virtual ranges of one fixed range are taken. Never maps anything, never locks, and never calls the
 * heap, which reserves its own addresses through this file.
 *
 * The whole range is always cut into pieces, each free or reserved, and no two free pieces touch. Each piece has a node
 * in a tree. Nodes lie in pages of their own, which come from the window_seam; a page with no node in use goes back,
 * unless its idle nodes are kept for the next windows.
 */
#include "kernel/mm/space/window.h"

#include "kernel/lib/panic.h"
#include "kernel/mm/space/window_tree.h"

#define ALIGN_MAX PAGE_SIZE_1G

/*
 * A page of nodes. This header lies in place of the page's first node, and is found from a node by masking its address.
 */
struct window_page {
	size_t used; /* nodes of this page that are in the tree */
};

#define NODES_PER_PAGE (PAGE_SIZE / sizeof(struct window_node) - 1)

/*
 * As many idle nodes are kept as a page has, so that reserving and releasing in turn does not allocate and free a page
 * each time.
 */
#define IDLE_KEPT NODES_PER_PAGE

_Static_assert(sizeof(struct window_page) <= sizeof(struct window_node), "the header fits the first node's place");

static struct window_page *page_of(struct window_node *node)
{
	return (struct window_page *)align_down((uintptr_t)node, PAGE_SIZE);
}

/*
 * Return a random priority, by xorshift (Marsaglia, "Xorshift RNGs"). The generator may be weak: the tree is balanced
 * as long as priorities do not follow the addresses.
 */
static uint32_t next_priority(struct windows *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 32);
}

static void make_idle(struct windows *w, struct window_node *node)
{
	node->left = NULL;
	node->right = w->idle;
	if (w->idle)
		w->idle->left = node;
	w->idle = node;
	w->idle_count++;
}

static void unlink_idle(struct windows *w, struct window_node *node)
{
	if (node->left)
		node->left->right = node->right;
	else
		w->idle = node->right;
	if (node->right)
		node->right->left = node->left;
	w->idle_count--;
}

/* Make sure that there are at least `count` idle nodes; count <= 2. Returns ERR_NO_MEMORY. */
static enum status have_idle(struct windows *w, size_t count)
{
	if (w->idle_count >= count)
		return OK;

	struct window_page *page = w->seam->page_alloc(w->seam->ctx);

	if (!page)
		return ERR_NO_MEMORY;
	page->used = 0;
	for (size_t i = NODES_PER_PAGE; i >= 1; i--)
		make_idle(w, (struct window_node *)page + i);
	return OK;
}

static void free_page(struct windows *w, struct window_page *page)
{
	for (size_t i = 1; i <= NODES_PER_PAGE; i++)
		unlink_idle(w, (struct window_node *)page + i);
	w->seam->page_free(w->seam->ctx, page);
}

/* Add a piece to the tree, with an idle node: call have_idle() before. */
static void add_piece(struct windows *w, vaddr_t base, uint64_t size, bool reserved, enum window_guard guard)
{
	struct window_node *node = w->idle;

	ASSERT(node);
	unlink_idle(w, node);
	page_of(node)->used++;
	node->base = base;
	node->size = size;
	node->reserved = reserved;
	node->guard = (uint8_t)guard;
	node->priority = next_priority(w);
	window_tree_insert(&w->root, node);
}

static void remove_piece(struct windows *w, struct window_node *node)
{
	struct window_page *page = page_of(node);

	window_tree_remove(&w->root, node);
	make_idle(w, node);
	if (--page->used == 0 && w->idle_count >= NODES_PER_PAGE + IDLE_KEPT)
		free_page(w, page);
}

enum status windows_init(struct windows *w, vaddr_t base, uint64_t size, const struct window_seam *seam)
{
	if (!is_aligned(base | size, PAGE_SIZE) || size == 0 || base + size < base)
		return ERR_RANGE;
	*w = (struct windows){
		.base = base,
		.size = size,
		.free_bytes = size,
		.random = 0x9e3779b97f4a7c15,
		.seam = seam,
	};

	enum status status = have_idle(w, 1);

	if (status)
		return status;
	add_piece(w, base, size, false, WINDOW_GUARD_NONE);
	return OK;
}

void windows_destroy(struct windows *w)
{
	while (w->root) {
		struct window_node *node = w->root;
		struct window_page *page = page_of(node);

		window_tree_remove(&w->root, node);
		make_idle(w, node);
		if (--page->used == 0)
			free_page(w, page);
	}
	while (w->idle)
		free_page(w, page_of(w->idle));
}

/* A place for a reservation: it would start at `start` inside the free piece `node`, guards included. */
struct place {
	struct window_node *node;
	vaddr_t start;
};

/* Return whether a window of `whole` bytes fits into `node`, with `below` guard bytes before its aligned base. */
static bool fits(struct window_node *node, uint64_t whole, uint64_t align, uint64_t below, struct place *ret)
{
	vaddr_t start = align_up(node->base + below, align) - below;

	if (start < node->base || start - node->base > node->size || node->size - (start - node->base) < whole)
		return false;
	*ret = (struct place){ node, start };
	return true;
}

static bool find_place(struct windows *w, uint64_t whole, uint64_t align, uint64_t below, struct place *ret)
{
	/*
	 * A free piece that is larger than `whole` by align - PAGE_SIZE fits, whatever its base is: aligning skips no
	 * more.
	 */
	struct window_node *node = window_tree_fit(w->root, whole + align - PAGE_SIZE);

	if (node)
		return fits(node, whole, align, below, ret);
	for (node = window_tree_fit(w->root, whole); node; node = window_tree_next_fit(node, whole)) {
		if (fits(node, whole, align, below, ret))
			return true;
	}
	return false;
}

enum status window_reserve(struct windows *w, uint64_t size, uint64_t align, enum window_guard guard, vaddr_t *ret_base)
{
	uint64_t below = guard & WINDOW_GUARD_BELOW ? PAGE_SIZE : 0;
	uint64_t above = guard & WINDOW_GUARD_ABOVE ? PAGE_SIZE : 0;
	uint64_t whole = size + below + above;
	struct place place;

	if (size == 0 || !is_aligned(size, PAGE_SIZE))
		return ERR_RANGE;
	if (align < PAGE_SIZE || align > ALIGN_MAX || (align & (align - 1)) != 0)
		return ERR_RANGE;
	if (size > w->size)
		return ERR_NO_MEMORY;
	if (!find_place(w, whole, align, below, &place))
		return ERR_NO_MEMORY;

	enum status status = have_idle(w, 2);

	if (status)
		return status;

	/* The free piece's node keeps what lies before the window; when nothing does, it becomes the window's node. */
	struct window_node *node = place.node;
	uint64_t before = place.start - node->base;
	uint64_t after = node->size - before - whole;

	if (before) {
		node->size = before;
		window_tree_update(node);
		add_piece(w, place.start, whole, true, guard);
	} else {
		node->size = whole;
		node->reserved = true;
		node->guard = (uint8_t)guard;
		window_tree_update(node);
	}
	if (after)
		add_piece(w, place.start + whole, after, false, WINDOW_GUARD_NONE);
	w->free_bytes -= whole;
	w->count++;
	*ret_base = place.start + below;
	return OK;
}

static struct window window_of(const struct window_node *node)
{
	uint64_t below = node->guard & WINDOW_GUARD_BELOW ? PAGE_SIZE : 0;
	uint64_t above = node->guard & WINDOW_GUARD_ABOVE ? PAGE_SIZE : 0;

	return (struct window){ node->base + below, node->size - below - above, (enum window_guard)node->guard };
}

/* Return the reserved piece around `va`, or NULL. */
static struct window_node *reserved_at(const struct windows *w, vaddr_t va)
{
	struct window_node *node = window_tree_floor(w->root, va);

	return node && node->reserved && va - node->base < node->size ? node : NULL;
}

enum status window_release(struct windows *w, vaddr_t base)
{
	struct window_node *node = reserved_at(w, base);

	if (!node || window_of(node).base != base)
		return ERR_NOT_FOUND;
	node->reserved = false;
	node->guard = WINDOW_GUARD_NONE;
	w->free_bytes += node->size;
	w->count--;

	struct window_node *next = window_tree_next(node);
	struct window_node *previous = window_tree_previous(node);

	if (next && !next->reserved) {
		node->size += next->size;
		remove_piece(w, next);
	}
	if (previous && !previous->reserved) {
		previous->size += node->size;
		remove_piece(w, node);
		node = previous;
	}
	window_tree_update(node);
	return OK;
}

enum status window_find(const struct windows *w, vaddr_t va, struct window *ret)
{
	struct window_node *node = reserved_at(w, va);

	if (!node)
		return ERR_NOT_FOUND;
	*ret = window_of(node);
	return OK;
}

void window_visit(const struct windows *w, void (*see)(void *ctx, const struct window *window), void *ctx)
{
	for (struct window_node *node = window_tree_first(w->root); node; node = window_tree_next(node)) {
		if (!node->reserved)
			continue;

		struct window window = window_of(node);

		see(ctx, &window);
	}
}
