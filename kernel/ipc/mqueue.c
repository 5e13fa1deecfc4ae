/* POSIX message queues: sends and receives messages, and tells processes that a message has come; see mqueue.h. */
#include "kernel/ipc/mqueue.h"

#include "kernel/fs/errno.h"
#include "kernel/ipc/mqueue_account.h"
#include "kernel/lib/tree_change.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/find.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/wait_until.h"

/*
 * A task that waits for a message; lies on that task's kernel stack. Guard: tasks only, which the kernel does not
 * preempt.
 */
struct mqueue_receiver {
	struct link link;            /* place in queue->receivers, until the task has a message */
	struct ipc_message *message; /* the message that the task gets; NULL: none yet */
	struct task *task;
};

struct mqueue_limits mqueue_limits = {
	.queues = 256, .most = 10, .most_size = 8192, .default_most = 10, .default_most_size = 8192
};

/* ---- life ---- */

static int check_size(const struct mqueue_size *size)
{
	const bool more = rights_can(CAP_SYS_RESOURCE);

	if (size->most <= 0 || size->most_size <= 0)
		return -EINVAL;
	if (size->most > (more ? MQUEUE_MOST_HARD : mqueue_limits.most) ||
	    size->most_size > (more ? MQUEUE_SIZE_HARD : mqueue_limits.most_size))
		return -EINVAL;
	return 0;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

int mqueue_create(const struct mqueue_size *size, struct mqueue **ret)
{
	const struct mqueue_size usual = { least(mqueue_limits.default_most, mqueue_limits.most),
					   least(mqueue_limits.default_most_size, mqueue_limits.most_size) };
	struct mqueue *queue;
	int error;

	if (!size)
		size = &usual;
	error = check_size(size);
	if (error)
		return error;
	queue = kzalloc(sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->size = *size;
	list_init(&queue->receivers);
	wait_queue_init(&queue->queue);
	error = mqueue_account(queue);
	if (error)
		kfree(queue);
	else
		*ret = queue;
	return error;
}

static struct ipc_message *message_of(struct tree_node *node)
{
	return node ? tree_item(node, struct ipc_message, in_tree) : NULL;
}

static struct ipc_message *first(const struct mqueue *queue)
{
	return message_of(tree_outermost(queue->messages, TREE_LOW));
}

static bool end_some(struct late_work *work)
{
	struct mqueue *queue = (struct mqueue *)work;
	struct tree_node *at = NULL;

	for (uint64_t freed = 0; freed < MESSAGE_WORK_AT_ONCE && queue->messages;) {
		struct ipc_message *message = message_of(tree_take_leaf(&queue->messages, &at));

		freed += message_work(message);
		message_free(message);
	}
	if (queue->messages)
		return false;
	kfree(queue);
	return true;
}

void mqueue_end(struct mqueue *queue)
{
	mqueue_unaccount(queue);
	if (queue->owner)
		process_put(queue->owner);
	queue->end.step = end_some;
	late_work_add(&queue->end);
}

/* ---- messages ---- */

/* Add a message behind those of its priority, or, if `before`, in front of them. */
static void insert(struct mqueue *queue, struct ipc_message *message, bool before)
{
	struct tree_node *parent = NULL;
	enum tree_side side = TREE_LOW;

	for (struct ipc_message *at = message_of(queue->messages); at; at = message_of(parent->child[side])) {
		parent = &at->in_tree;
		side = message->type > at->type || (before && message->type == at->type) ? TREE_LOW : TREE_HIGH;
	}
	tree_add(&queue->messages, parent, side, &message->in_tree, NULL);
	queue->count++;
	queue->bytes += message->size;
}

/* If a process has called mqueue_notify(), tell it that a message has come, and forget it. */
static void tell(struct mqueue *queue)
{
	struct process *owner = queue->owner;
	struct signal_info info = { .signal = queue->notice.signal, .code = SI_MESGQ };

	if (!owner)
		return;
	info.sender.pid = process_current()->pid;
	info.sender.uid = rights_current()->uid.real;
	info.sender.value = queue->notice.value;
	if (queue->notice.how == SIGEV_SIGNAL && owner->fds && queue->notice.signal)
		(void)signal_send_process(owner, queue->notice.signal, &info);
	queue->owner = NULL;
	process_put(owner);
}

/* Give a message to the task that has waited for one longest. Returns whether any task waits. */
static bool give(struct mqueue *queue, struct ipc_message *message)
{
	struct mqueue_receiver *receiver;

	if (list_is_empty(&queue->receivers))
		return false;
	receiver = list_item(queue->receivers.next, struct mqueue_receiver, link);
	list_remove(&receiver->link);
	receiver->message = message;
	task_wake(receiver->task);
	return true;
}

static bool has_room(const struct mqueue *queue)
{
	return queue->count < (uint64_t)queue->size.most;
}

int mqueue_send(struct mqueue *queue, struct ipc_message *message, bool at_once, uint64_t deadline_ns)
{
	struct task_waiter waiter;
	int error = 0;

	if (!has_room(queue)) {
		if (at_once)
			return -EAGAIN;
		task_waiter_init(&waiter);
		wait_queue_add(&queue->queue, &waiter.waiter);
		error = WAIT_UNTIL_BY(TIMER_WALL, has_room(queue), deadline_ns);
		wait_queue_remove(&waiter.waiter);
	}
	if (error || give(queue, message))
		return error;
	insert(queue, message, false);
	if (queue->count == 1)
		tell(queue);
	wait_queue_wake(&queue->queue);
	return 0;
}

int mqueue_receive(struct mqueue *queue, bool at_once, uint64_t deadline_ns, struct ipc_message **ret, bool *ret_queued)
{
	struct mqueue_receiver receiver = { .task = task_current() };
	int error;

	*ret_queued = queue->count;
	if (queue->count) {
		*ret = first(queue);
		return 0;
	}
	if (at_once)
		return -EAGAIN;
	list_add_last(&queue->receivers, &receiver.link);
	error = WAIT_UNTIL_BY(TIMER_WALL, receiver.message, deadline_ns);
	if (error)
		list_remove(&receiver.link);
	else
		*ret = receiver.message;
	return error;
}

void mqueue_take(struct mqueue *queue, struct ipc_message *message)
{
	tree_remove(&queue->messages, &message->in_tree, NULL);
	queue->count--;
	queue->bytes -= message->size;
	wait_queue_wake(&queue->queue);
}

void mqueue_put_back(struct mqueue *queue, struct ipc_message *message)
{
	if (give(queue, message))
		return;
	insert(queue, message, true);
	wait_queue_wake(&queue->queue);
}

unsigned mqueue_poll(const struct mqueue *queue)
{
	return (queue->count ? POLLIN | POLLRDNORM : 0) | (has_room(queue) ? POLLOUT | POLLWRNORM : 0);
}

/* ---- telling ---- */

int mqueue_notify(struct mqueue *queue, const struct mqueue_notice *notice)
{
	if (queue->owner)
		return -EBUSY;
	queue->owner = process_get(process_current());
	queue->notice = *notice;
	return 0;
}

void mqueue_notify_no_more(struct mqueue *queue)
{
	if (queue->owner != process_current())
		return;
	queue->owner = NULL;
	process_put(process_current());
}
