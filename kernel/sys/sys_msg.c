/*
 * msgget(2), msgsnd(2), msgrcv(2), msgctl(2): check arguments and convert structures. kernel/ipc/msg.c has the queues.
 */
#include "kernel/ipc/msg.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sys/ipc_args.h"

#define MSG_STAT     11
#define MSG_INFO     12
#define MSG_STAT_ANY 13

#define MSGSSZ 16
#define MSGSEG 0xffff

/* Linux's struct msqid64_ds and msginfo. */
struct linux_msqid {
	struct linux_ipc_perm perm;
	int64_t send_time, receive_time, change_time;
	uint64_t bytes, count, most_bytes;
	int32_t sender_pid, receiver_pid;
	uint64_t unused1, unused2;
};

struct linux_msg_info {
	int32_t pool, map, max, mnb, mni, ssz, tql;
	uint16_t seg, unused;
};

_Static_assert(sizeof(struct linux_msqid) == 120, "Linux's struct msqid64_ds");

SYSCALL_2(msgget, key, flags)
{
	struct ipc_object *found;
	int error = ipc_look_up(&msg_table, (int)key, (unsigned)flags, &found);

	if (error)
		return error;
	if (!found)
		return msg_create((int)key, (unsigned)flags);
	error = ipc_permits(found, (unsigned)flags);
	return error ? error : ipc_id(found);
}

/* Return what a call returns: as on Linux one that waited is restarted only if no handler runs. */
static int64_t restart_if(int64_t error)
{
	return error == -EINTR ? -ERESTARTNOHAND : error;
}

/* Send the `size` bytes at user address `from` as a message. Returns 0 or an error. */
static int send(int id, uint64_t from, uint64_t size, int64_t type, unsigned flags)
{
	struct ipc_message *message = message_create(size);
	struct msg_queue *queue;
	struct user_io io;
	int error;

	if (!message)
		return -ENOMEM;
	message->type = type;
	user_io_init(&io, process_current()->space, from, size);
	error = message_get(message, &io);
	queue = error ? NULL : msg_of(ipc_find(&msg_table, id));
	if (!error && !queue)
		error = -EINVAL;
	if (!error) {
		msg_hold(queue);
		error = msg_send(queue, message, flags);
		msg_drop(queue);
	}
	if (error)
		message_free(message);
	return error;
}

SYSCALL_4(msgsnd, id, from, size, flags)
{
	int64_t type;
	int error = args_get(&type, from, sizeof(type));

	if (error)
		return error;
	if (size > (uint64_t)msg_max || (int)id < 0 || type < 1)
		return -EINVAL;
	return restart_if(send((int)id, from + sizeof(type), size, type, (unsigned)flags));
}

/* Copy at most `most` bytes of a message to the user. Returns how many bytes were copied, or an error. */
static int64_t put_message(const struct ipc_message *message, uint64_t to, uint64_t most)
{
	const uint64_t size = message->size < most ? message->size : most;
	struct user_io io;
	int error = args_put(to, &message->type, sizeof(message->type));

	user_io_init(&io, process_current()->space, to + sizeof(message->type), size);
	if (!error)
		error = message_put(message, &io, size);
	return error ? error : (int64_t)size;
}

static int64_t receive(struct msg_queue *queue, const struct msg_wish *wish, uint64_t to)
{
	struct ipc_message *message;
	bool queued;
	int64_t result = msg_receive(queue, wish, &message, &queued);

	if (result)
		return result;
	result = put_message(message, to, wish->most);
	if (queued && (result < 0 || wish->flags & MSG_COPY))
		return result;
	if (queued)
		msg_take(queue, message);
	if (result < 0)
		msg_put_back(queue, message);
	else
		message_free(message);
	return result;
}

SYSCALL_5(msgrcv, id, to, size, type, flags)
{
	const struct msg_wish wish = { .type = (int64_t)type, .most = size, .flags = (unsigned)flags };
	struct msg_queue *queue;
	int64_t result;

	if ((int)id < 0 || (int64_t)size < 0)
		return -EINVAL;
	if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	queue = msg_of(ipc_find(&msg_table, (int)id));
	if (!queue)
		return -EINVAL;
	msg_hold(queue);
	result = receive(queue, &wish, to);
	msg_drop(queue);
	return restart_if(result);
}

/* ---- msgctl ---- */

static int64_t put_limits(uint64_t to, bool info)
{
	const struct linux_msg_info limits = { .pool = info ? (int32_t)msg_table.count : 512000,
					       .map = info ? (int32_t)msg_count : 16384,
					       .max = msg_max,
					       .mnb = msg_queue_bytes,
					       .mni = msg_table.most,
					       .ssz = MSGSSZ,
					       .tql = info ? (int32_t)msg_bytes : 16384,
					       .seg = MSGSEG };
	int error = args_put(to, &limits, sizeof(limits));

	return error ? error : ipc_top(&msg_table);
}

/* Do IPC_STAT, MSG_STAT or MSG_STAT_ANY. `by` says whether `number` is an id or an index. */
static int64_t put_state(int number, enum ipc_stat_by by, uint64_t to)
{
	struct ipc_object *object;
	const struct msg_queue *queue;
	struct linux_msqid state;
	int error = ipc_find_to_stat(&msg_table, number, by, &object);

	if (error)
		return error;
	queue = msg_of(object);
	state = (struct linux_msqid){ .perm = linux_ipc_perm(object),
				      .send_time = queue->send_time,
				      .receive_time = queue->receive_time,
				      .change_time = object->change_time,
				      .bytes = queue->bytes,
				      .count = queue->count,
				      .most_bytes = queue->most_bytes,
				      .sender_pid = queue->sender_pid,
				      .receiver_pid = queue->receiver_pid };
	error = args_put(to, &state, sizeof(state));
	return error ? error : by == IPC_BY_ID ? 0 : ipc_id(object);
}

static int64_t set_owner_and_size(int id, uint64_t from)
{
	struct linux_msqid wanted;
	struct ipc_object *object;
	int error = args_get(&wanted, from, sizeof(wanted));

	if (!error)
		error = ipc_find_owned(&msg_table, id, &object);
	if (!error && wanted.most_bytes > (uint64_t)msg_queue_bytes && !rights_can(CAP_SYS_RESOURCE))
		error = -EPERM;
	if (!error)
		error = ipc_set(object, wanted.perm.uid, wanted.perm.gid, wanted.perm.mode);
	if (error)
		return error;
	msg_of(object)->most_bytes = wanted.most_bytes;
	msg_look_again(msg_of(object));
	return 0;
}

static int64_t remove_queue(int id)
{
	struct ipc_object *object;
	int error = ipc_find_owned(&msg_table, id, &object);

	if (!error)
		msg_remove(msg_of(object));
	return error;
}

SYSCALL_3(msgctl, id, command, buffer)
{
	if ((int)id < 0 || (int)command < 0)
		return -EINVAL;
	switch ((uint32_t)command) {
	case IPC_INFO:
	case MSG_INFO:
		return put_limits(buffer, command == MSG_INFO);
	case IPC_STAT:
		return put_state((int)id, IPC_BY_ID, buffer);
	case MSG_STAT:
		return put_state((int)id, IPC_BY_INDEX, buffer);
	case MSG_STAT_ANY:
		return put_state((int)id, IPC_BY_INDEX_ANY, buffer);
	case IPC_SET:
		return set_owner_and_size((int)id, buffer);
	case IPC_RMID:
		return remove_queue((int)id);
	}
	return -EINVAL;
}
