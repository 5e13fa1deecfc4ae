/*
 * The system calls of POSIX message queues, mq_overview(7): check arguments and convert structures. kernel/ipc/mqueue.c
 * has the queues.
 */
#include "kernel/ipc/mqueue_fs.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/signal_numbers.h"

/* Linux's struct mq_attr. */
struct linux_mq_attr {
	int64_t flags, most, most_size, count, unused[4];
};

/* Linux's struct sigevent. */
struct linux_sigevent {
	uint64_t value;
	int32_t signal, how;
	uint64_t rest[6];
};

_Static_assert(sizeof(struct linux_sigevent) == 64, "Linux's struct sigevent");

SYSCALL_4(mq_open, name_at, flags, mode, attributes_at)
{
	struct linux_mq_attr attributes;
	struct mqueue_size size;
	struct file *file;
	char *name;
	int error = args_get_if(&attributes, attributes_at, sizeof(attributes));

	if (!error)
		error = args_path(name_at, &name);
	if (error)
		return error;
	if (attributes_at)
		size = (struct mqueue_size){ attributes.most, attributes.most_size };
	/* Look for a free descriptor first, so that no queue is made in vain. */
	error = fd_has_room(process_current()->fds) ? 0 : -EMFILE;
	if (!error)
		error = mqueue_open(name, (unsigned)flags, (uint32_t)mode & ~process_current()->paths.umask,
				    attributes_at ? &size : NULL, &file);
	kfree(name);
	return error ? error : args_install(file, O_CLOEXEC);
}

SYSCALL_1(mq_unlink, name_at)
{
	char *name;
	int error = args_path(name_at, &name);

	if (error)
		return error;
	error = mqueue_unlink(name);
	kfree(name);
	return error;
}

/* Get the deadline, by the wall clock, from user address `from`; 0: there is none. */
static int get_deadline(uint64_t from, uint64_t *ret)
{
	*ret = TASK_NO_DEADLINE;
	return from ? args_time(from, ret) : 0;
}

static int64_t restart_if(int64_t error)
{
	return error == -EINTR ? -ERESTARTSYS : error;
}

SYSCALL_5(mq_timedsend, fd, from, size, priority, deadline_at)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct mqueue *queue = mqueue_of_file(file);
	struct ipc_message *message;
	struct user_io io;
	uint64_t deadline;
	int error = get_deadline(deadline_at, &deadline);

	if (error)
		return error;
	if ((uint32_t)priority >= MQUEUE_PRIORITIES)
		return -EINVAL;
	if (!queue || !file_writes(file))
		return -EBADF;
	if (size > (uint64_t)queue->size.most_size)
		return -EMSGSIZE;
	message = message_create(size);
	if (!message)
		return -ENOMEM;
	message->type = (uint32_t)priority;
	user_io_init(&io, process_current()->space, from, size);
	error = message_get(message, &io);
	if (!error)
		error = mqueue_send(queue, message, file->flags & O_NONBLOCK, deadline);
	if (error)
		message_free(message);
	return restart_if(error);
}

/* Copy a message, and its priority, to the user. Returns the message's size in bytes, or an error. */
static int64_t put_message(const struct ipc_message *message, uint64_t to, uint64_t priority_at)
{
	const uint32_t priority = (uint32_t)message->type;
	struct user_io io;
	int error = priority_at ? args_put(priority_at, &priority, sizeof(priority)) : 0;

	user_io_init(&io, process_current()->space, to, message->size);
	if (!error)
		error = message_put(message, &io, message->size);
	return error ? error : (int64_t)message->size;
}

static int64_t receive(struct mqueue *queue, bool at_once, uint64_t deadline, uint64_t to, uint64_t priority_at)
{
	struct ipc_message *message;
	bool queued;
	int64_t result = mqueue_receive(queue, at_once, deadline, &message, &queued);

	if (result)
		return result;
	result = put_message(message, to, priority_at);
	if (result >= 0) {
		if (queued)
			mqueue_take(queue, message);
		message_free(message);
	} else if (!queued) {
		mqueue_put_back(queue, message);
	}
	return result;
}

SYSCALL_5(mq_timedreceive, fd, to, size, priority_at, deadline_at)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct mqueue *queue = mqueue_of_file(file);
	uint64_t deadline;
	int error = get_deadline(deadline_at, &deadline);

	if (error)
		return error;
	if (!queue || !file_reads(file))
		return -EBADF;
	if (size < (uint64_t)queue->size.most_size)
		return -EMSGSIZE;
	return restart_if(receive(queue, file->flags & O_NONBLOCK, deadline, to, priority_at));
}

SYSCALL_2(mq_notify, fd, event_at)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct mqueue *queue = mqueue_of_file(file);
	struct linux_sigevent event;
	int error = args_get_if(&event, event_at, sizeof(event));

	if (error)
		return error;
	if (!event_at) {
		if (!queue)
			return -EBADF;
		mqueue_notify_no_more(queue);
		return 0;
	}
	/*
	 * C libraries do SIGEV_THREAD by a netlink socket, to which the kernel sends the notice, and then start the
	 * thread themselves. There are no such sockets here.
	 */
	if (event.how == SIGEV_THREAD)
		return refuse_feature(-EINVAL, "mq_notify: SIGEV_THREAD, which needs a netlink socket", SIGEV_THREAD);
	if (event.how != SIGEV_SIGNAL && event.how != SIGEV_NONE)
		return -EINVAL;
	if (event.how == SIGEV_SIGNAL && (event.signal < 0 || event.signal > SIGNALS))
		return -EINVAL;
	if (!queue)
		return -EBADF;
	return mqueue_notify(queue, &(struct mqueue_notice){ event.how, event.signal, event.value });
}

SYSCALL_3(mq_getsetattr, fd, new_at, old_at)
{
	HELD_FILE struct file *file = args_file_get(fd);
	const struct mqueue *queue = mqueue_of_file(file);
	struct linux_mq_attr new, old;
	int error = args_get_if(&new, new_at, sizeof(new));

	if (error)
		return error;
	if (new_at && new.flags & ~(int64_t)O_NONBLOCK)
		return -EINVAL;
	if (!queue)
		return -EBADF;
	old = (struct linux_mq_attr){ .flags = file->flags & O_NONBLOCK,
				      .most = queue->size.most,
				      .most_size = queue->size.most_size,
				      .count = (int64_t)queue->count };
	error = old_at ? args_put(old_at, &old, sizeof(old)) : 0;
	if (!error && new_at)
		file->flags = (file->flags & ~(unsigned)O_NONBLOCK) | ((unsigned)new.flags &O_NONBLOCK);
	return error;
}
