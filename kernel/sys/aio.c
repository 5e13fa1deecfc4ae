/*
 * Makes, finds and ends the contexts of io_setup(2), and keeps their events; sys_aio.c does the operations. As on Linux
 * a context holds at least as many events as fill a page, however few the program asks for. Guard of all state here:
 * tasks only, which the kernel does not preempt.
 */
#include "kernel/sys/aio.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/tree_insert.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/give_way.h"
#include "kernel/task/process.h"

#define LIMIT_AT_FIRST 65536
#define LEAST_CAPACITY 126
#define END_STEP       1024 /* most events freed at once; other tasks can run in between */

uint64_t aio_used;
uint64_t aio_limit = LIMIT_AT_FIRST;

static struct aio_context *context_in(const struct tree_node *node)
{
	return tree_item(node, struct aio_context, in_process);
}

/*
 * Order a process's contexts by id. Two contexts have the same id if the program has unmapped the page of the older
 * one: the newer one then stands first in the tree, and aio_get() finds that one.
 */
static bool is_behind(const struct tree_node *node, const struct tree_node *other)
{
	return context_in(node)->id > context_in(other)->id;
}

int aio_create(uint64_t id, uint32_t count, struct aio_context **ret)
{
	struct process *process = process_current();
	struct aio_context *context;

	if (count > aio_limit || aio_used > aio_limit - count)
		return -EAGAIN;
	context = kmalloc(sizeof(*context));
	if (!context)
		return -ENOMEM;
	*context = (struct aio_context){
		.id = id,
		.counted = count,
		.capacity = count < LEAST_CAPACITY ? LEAST_CAPACITY : count,
		.waiters = WAIT_QUEUE_INITIAL,
		.refs = 1,
	};
	list_init(&context->entries);
	tree_insert(&process->aio, &context->in_process, is_behind, NULL);
	aio_used += count;
	*ret = context;
	return 0;
}

struct aio_context *aio_get(uint64_t id)
{
	struct aio_context *found = NULL;
	enum tree_side side;

	for (struct tree_node *node = process_current()->aio; node; node = node->child[side]) {
		side = id > context_in(node)->id ? TREE_HIGH : TREE_LOW;
		if (context_in(node)->id == id)
			found = context_in(node);
	}
	if (found)
		found->refs++;
	return found;
}

/* Free up to END_STEP entries of the context. Returns whether there are more. */
static bool drop_some(struct aio_context *context)
{
	for (int i = 0; i < END_STEP && !list_is_empty(&context->entries); i++)
		aio_entry_cancel(context, list_item(context->entries.next, struct aio_entry, in_context));
	return !list_is_empty(&context->entries);
}

void aio_put(struct aio_context *context)
{
	if (--context->refs)
		return;
	while (drop_some(context))
		(void)task_give_way();
	kfree(context);
}

void aio_end(struct aio_context *context)
{
	if (context->gone)
		return;
	context->gone = true;
	tree_remove(&process_current()->aio, &context->in_process, NULL);
	aio_used -= context->counted;
	wait_queue_wake(&context->waiters);
	aio_put(context);
}

int aio_entry_create(struct aio_context *context, struct aio_entry **ret)
{
	struct aio_entry *entry;

	if (context->entry_count >= context->capacity)
		return -EAGAIN;
	entry = kmalloc(sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	list_init(&entry->in_context);
	context->entry_count++;
	*ret = entry;
	return 0;
}

void aio_entry_add(struct aio_context *context, struct aio_entry *entry)
{
	list_add_last(&context->entries, &entry->in_context);
	wait_queue_wake(&context->waiters);
}

void aio_entry_cancel(struct aio_context *context, struct aio_entry *entry)
{
	list_remove(&entry->in_context);
	context->entry_count--;
	kfree(entry);
}

void aio_process_end(struct process *process)
{
	/*
	 * There may be aio_limit contexts, so other tasks run in between. A task that must end does not stop here,
	 * since nobody else would end the contexts.
	 */
	while (process->aio) {
		aio_end(context_in(process->aio));
		(void)task_give_way();
	}
}

void aio_task_exit(struct task *task)
{
	struct process *process = task->process;

	if (process->ending >= process->task_count)
		aio_process_end(process);
}
