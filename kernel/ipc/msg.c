/*
 * System V's message queues: sends messages, and gives them to the tasks that wait for their type; see msg.h.
 */
#include "kernel/ipc/msg.h"

#include "kernel/fs/errno.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/give_way.h"
#include "kernel/task/process.h"
#include "kernel/task/wait_until.h"

#define MSGMNI 32000
#define MSGMAX 8192
#define MSGMNB 16384

/*
 * Which message a receiver looks for: any; one whose type is, is not, or is at most receiver.type; or the one at the
 * place receiver.type in the queue (NUMBER).
 */
enum mode { ANY, EQUAL, NOT_EQUAL, AT_MOST, NUMBER };

/*
 * A task that waits for a message; lies on that task's kernel stack. Guard: tasks only, which the kernel does not
 * preempt.
 */
struct receiver {
	struct link link;
	enum mode mode;
	int64_t type;
	uint64_t most;               /* most bytes that it takes; UINT64_MAX: a message of any size, which is cut off */
	bool done;                   /* `message` or `error` is set, and the receiver is in no list */
	struct ipc_message *message; /* the message that the task gets */
	int error;                   /* -E2BIG, -EIDRM, or -EAGAIN: the task is to look at the queue again */
	struct task *task;
	int pid;
};

/* The table of queues, limits and totals; see msg.h. Guard: tasks only, which the kernel does not preempt. */
struct ipc_table msg_table = IPC_TABLE_INITIAL(MSGMNI);
int msg_max = MSGMAX, msg_queue_bytes = MSGMNB;
uint64_t msg_count, msg_bytes;

int msg_create(int key, unsigned flags)
{
	struct msg_queue *queue = kzalloc(sizeof(*queue));
	int id;

	if (!queue)
		return -ENOMEM;
	list_init(&queue->messages);
	list_init(&queue->receivers);
	wait_queue_init(&queue->room);
	queue->most_bytes = (uint64_t)msg_queue_bytes;
	id = ipc_add(&msg_table, &queue->ipc, key, flags);
	if (id < 0)
		kfree(queue);
	return id;
}

void msg_hold(struct msg_queue *queue)
{
	queue->ipc.refs++;
}

void msg_drop(struct msg_queue *queue)
{
	if (!--queue->ipc.refs)
		kfree(queue);
}

static void finish(struct receiver *receiver, struct ipc_message *message, int error)
{
	list_remove(&receiver->link);
	receiver->message = message;
	receiver->error = error;
	receiver->done = true;
	task_wake(receiver->task);
}

static void finish_all(struct msg_queue *queue, int error)
{
	LIST_EACH_LEAVING(&queue->receivers, struct receiver, link, receiver)
		finish(receiver, NULL, error);
	wait_queue_wake(&queue->room);
}

static void add(struct msg_queue *queue, struct link *behind, struct ipc_message *message)
{
	list_add_behind(behind, &message->link);
	queue->count++;
	queue->bytes += message->size;
	msg_count++;
	msg_bytes += message->size;
}

static void unlink(struct msg_queue *queue, struct ipc_message *message)
{
	list_remove(&message->link);
	queue->count--;
	queue->bytes -= message->size;
	msg_count--;
	msg_bytes -= message->size;
}

void msg_remove(struct msg_queue *queue)
{
	uint64_t work = 0;

	ipc_remove(&msg_table, &queue->ipc);
	finish_all(queue, -EIDRM);
	/* No call finds the queue any more, so other tasks may run while only a part of the messages is freed. */
	while (!list_is_empty(&queue->messages)) {
		struct ipc_message *message = list_item(queue->messages.next, struct ipc_message, link);

		unlink(queue, message);
		work += message_work(message);
		message_free(message);
		if (work < MESSAGE_WORK_AT_ONCE)
			continue;
		(void)task_give_way();
		work = 0;
	}
	msg_drop(queue);
}

void msg_look_again(struct msg_queue *queue)
{
	finish_all(queue, -EAGAIN);
}

/* ---- sending ---- */

static bool matches(const struct ipc_message *message, enum mode mode, int64_t type)
{
	switch (mode) {
	case ANY:
	case NUMBER:
		return true;
	case EQUAL:
		return message->type == type;
	case NOT_EQUAL:
		return message->type != type;
	case AT_MOST:
		return message->type <= type;
	}
	return false;
}

/*
 * Give a message to the first receiver that waits for it and has room; receivers before that one for which the message
 * is too long return -E2BIG. Returns whether a receiver has got it.
 */
static bool give(struct msg_queue *queue, struct ipc_message *message)
{
	LIST_EACH_LEAVING(&queue->receivers, struct receiver, link, receiver) {
		if (!matches(message, receiver->mode, receiver->type))
			continue;
		if (receiver->most < message->size) {
			finish(receiver, NULL, -E2BIG);
			continue;
		}
		queue->receiver_pid = receiver->pid;
		queue->receive_time = ipc_now();
		finish(receiver, message, 0);
		return true;
	}
	return false;
}

static bool fits(const struct msg_queue *queue, uint64_t size)
{
	return queue->count < queue->most_bytes && queue->count < MSG_COUNT_MOST && size <= queue->most_bytes &&
	       queue->bytes <= queue->most_bytes - size;
}

int msg_send(struct msg_queue *queue, struct ipc_message *message, unsigned flags)
{
	int error;

	for (;;) {
		if (queue->ipc.gone)
			return -EIDRM;
		error = ipc_permits(&queue->ipc, IPC_WRITE);
		if (error)
			return error;
		if (fits(queue, message->size))
			break;
		if (flags & IPC_NOWAIT)
			return -EAGAIN;
		error = WAIT_IN_QUEUE(&queue->room, queue->ipc.gone || fits(queue, message->size), TASK_NO_DEADLINE);
		if (error)
			return error;
	}
	queue->sender_pid = process_current()->pid;
	queue->send_time = ipc_now();
	if (!give(queue, message))
		add(queue, queue->messages.prev, message);
	return 0;
}

/* ---- receiving ---- */

/* Return a receiver for the current task that looks for what msgrcv(2)'s type and flags, in `wish`, mean. */
static struct receiver make_receiver(const struct msg_wish *wish)
{
	struct receiver receiver = { .mode = EQUAL,
				     .type = wish->type,
				     .most = wish->flags & MSG_NOERROR ? UINT64_MAX : wish->most,
				     .task = task_current(),
				     .pid = process_current()->pid };

	if (wish->flags & MSG_COPY) {
		receiver.mode = NUMBER;
	} else if (!wish->type) {
		receiver.mode = ANY;
	} else if (wish->type < 0) {
		receiver.mode = AT_MOST;
		receiver.type = wish->type == INT64_MIN ? INT64_MAX : -wish->type;
	} else if (wish->flags & MSG_EXCEPT) {
		receiver.mode = NOT_EQUAL;
	}
	return receiver;
}

/* Return the message in the queue that the receiver is to get; NULL: none. */
static struct ipc_message *find(const struct msg_queue *queue, const struct receiver *receiver)
{
	struct ipc_message *found = NULL;
	int64_t number = 0, most = receiver->type;

	LIST_EACH(&queue->messages, struct ipc_message, link, message) {
		if (receiver->mode == NUMBER && number++ != receiver->type)
			continue;
		if (!matches(message, receiver->mode, most))
			continue;
		found = message;
		/*
		 * Of the messages with a type up to the given one those with the lowest type count, and of these the
		 * oldest.
		 */
		if (receiver->mode != AT_MOST || message->type == 1)
			break;
		most = message->type - 1;
	}
	return found;
}

int msg_receive(struct msg_queue *queue, const struct msg_wish *wish, struct ipc_message **ret, bool *ret_queued)
{
	struct receiver receiver = make_receiver(wish);
	struct ipc_message *found;
	int error;

	for (;;) {
		if (queue->ipc.gone)
			return -EIDRM;
		error = ipc_permits(&queue->ipc, IPC_READ);
		if (error)
			return error;
		found = find(queue, &receiver);
		if (found) {
			*ret = found;
			*ret_queued = true;
			return receiver.most < found->size ? -E2BIG : 0;
		}
		if (wish->flags & IPC_NOWAIT)
			return -ENOMSG;
		receiver.done = false;
		list_add_last(&queue->receivers, &receiver.link);
		error = WAIT_UNTIL(receiver.done, TASK_NO_DEADLINE);
		if (error) {
			list_remove(&receiver.link);
			return error;
		}
		if (receiver.message) {
			*ret = receiver.message;
			*ret_queued = false;
			return 0;
		}
		if (receiver.error != -EAGAIN)
			return receiver.error;
	}
}

void msg_take(struct msg_queue *queue, struct ipc_message *message)
{
	unlink(queue, message);
	queue->receiver_pid = process_current()->pid;
	queue->receive_time = ipc_now();
	wait_queue_wake(&queue->room);
}

void msg_put_back(struct msg_queue *queue, struct ipc_message *message)
{
	if (queue->ipc.gone)
		message_free(message);
	else if (!give(queue, message))
		add(queue, &queue->messages, message);
}
