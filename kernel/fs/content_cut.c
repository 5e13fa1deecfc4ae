/* Frees in steps the frames of a content (the bytes of a regular file) that is deleted or becomes shorter. */
#include "kernel/fs/content.h"
#include "kernel/fs/content_memory.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/late_work.h"

/*
 * The pages of a file that has been freed. They are freed in steps as late work, which a task does on its way back to
 * user mode (kernel/sync/late_work.h). Guard: tasks only, which the kernel does not preempt.
 */
struct left_pages {
	struct late_work work; /* must be the first member: free_left() gets a pointer to it */
	struct page_tree pages;
};

/* Free at most CONTENT_STEP of a tree's pages from `first` on. Returns whether there may be more. */
static bool cut_piece(struct page_tree *pages, uint64_t first)
{
	const uint64_t before = pages->count;
	context_token_t token = store_enter();
	bool more = page_tree_cut_some(pages, first, CONTENT_STEP, store_put);

	store_leave(token);
	content_frames -= before - pages->count;
	return more;
}

static bool free_left(struct late_work *work)
{
	struct left_pages *left = (struct left_pages *)work;

	if (cut_piece(&left->pages, 0))
		return false;
	kfree(left);
	return true;
}

void content_free(struct content *content)
{
	struct left_pages *left = NULL;

	content->node->fs->pages -= content_pages(content->place_size) + content->pages.count;
	content->place_size = 0;
	/*
	 * Free pages here until kmalloc() returns memory for *left, which free_left() needs to free the rest: if memory
	 * is short, the heap may get the frames that have just been freed.
	 */
	while (cut_piece(&content->pages, 0) && !left)
		left = kmalloc(sizeof(*left));
	if (!left)
		return;
	*left = (struct left_pages){ .work.step = free_left, .pages = content->pages };
	content->pages = (struct page_tree){ 0 };
	late_work_add(&left->work);
}

struct content *node_content(struct node *node)
{
	return node_is(node, S_IFREG) && node->ops->content ? node->ops->content(node) : NULL;
}

void content_cut_begin(struct content *content, uint64_t size, struct object_cut *cut)
{
	content->node->size = size;
	object_cut_begin(cut, &content->object, content_pages(size));
}

bool content_cut_piece(struct content *content, struct object_cut *cut)
{
	const uint64_t before = content->pages.count;
	bool more;

	/* Each page must be unmapped from all processes before its frame is freed. */
	if (object_cut_piece(cut))
		return true;
	open_gate_close(&content->node->gate);
	more = cut_piece(&content->pages, cut->first);
	open_gate_open(&content->node->gate);
	content->node->fs->pages -= before - content->pages.count;
	return more;
}
