/*
 * Setting a file's size; see file_resize.h. Once some pages of a file that becomes shorter are unmapped, all must be: a
 * task that is killed in the middle leaves the rest to late work, which the end of the task does, so that it begins to
 * end at once.
 */
#include "kernel/sys/file_resize.h"

#include "kernel/fs/content.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/notify.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/late_work.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/task/give_way.h"
#include "kernel/task/rights.h"
#include "kernel/task/turn.h"

/* A file whose pages late work takes away. Guard: the task that does it, which has the node's turn. */
struct shortening {
	struct late_work work; /* must be the first member: finish_late() gets a pointer to it */
	struct node *node;     /* a counted reference */
	uint64_t size;
	struct object_cut cut;
	struct turn_holder writing;
};

/* Do what is left when no page of the file lies beyond `size`. The caller has the node's turn. */
static int64_t set_size(struct node *node, uint64_t size)
{
	int64_t result = node_truncate(node, size);

	if (!result) {
		node_written(node, rights_current());
		notify_node(node, IN_MODIFY);
	}
	return result;
}

/* Do a piece; after the last one give up the turn and the node, and free the shortening. */
static bool finish_late(struct late_work *work)
{
	struct shortening *s = (struct shortening *)work;

	if (content_cut_piece(node_content(s->node), &s->cut))
		return false;
	object_cut_end(&s->cut);
	(void)set_size(s->node, s->size);
	turn_end(&s->node->writing, &s->writing);
	node_put(s->node);
	kfree(s);
	return true;
}

/*
 * Leave the rest of `cut`, which makes the file shorter, to late work. `writing`: the holder of the node's turn, which
 * the late work gives up. Returns false if there is no memory for that: nothing has changed.
 */
static bool leave_rest(struct node *node, uint64_t size, struct object_cut *cut, struct turn_holder *writing)
{
	struct shortening *s = kmalloc(sizeof(*s));

	if (!s)
		return false;
	object_cut_end(cut);
	s->work.step = finish_late;
	s->node = node_get(node);
	s->size = size;
	turn_hand_on(&node->writing, writing, &s->writing);
	content_cut_begin(node_content(node), size, &s->cut);
	late_work_add(&s->work);
	return true;
}

/*
 * Make a regular file shorter in pieces, between which other tasks run, so that node_truncate() has little left to do.
 * Returns false when the task must end and leave_rest() was called.
 */
static bool shorten(struct node *node, uint64_t size, struct turn_holder *writing)
{
	struct content *content = node_content(node);
	struct object_cut cut;

	content_cut_begin(content, size, &cut);
	while (content_cut_piece(content, &cut))
		if (task_give_way() && leave_rest(node, size, &cut, writing))
			return false;
	object_cut_end(&cut);
	return true;
}

int64_t file_resize(struct node *node, uint64_t size)
{
	const struct content *content = node_content(node);
	struct turn_holder writing;
	int64_t result = turn_take(&node->writing, &writing);

	if (result)
		return result;
	if (node_is(node, S_IFREG) && size > node->size)
		result = file_size_check(size);
	if (!result && content)
		result = content_seals_permit_size(content, size);
	if (!result && content && size < node->size && node_resize_check(node) == 0 && !shorten(node, size, &writing))
		return -EINTR;
	if (!result)
		result = set_size(node, size);
	turn_end(&node->writing, &writing);
	return result;
}

int64_t file_resize_unopened(struct node *node, uint64_t size)
{
	int error = node_resize_check(node);

	if (!error && node->runners)
		error = -ETXTBSY;
	return error ? error : file_resize(node, size);
}
