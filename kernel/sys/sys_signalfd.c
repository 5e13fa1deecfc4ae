/*
 * signalfd(2): files from which a program reads the signals that are pending for it.
 *
 * Such a file belongs to no process: a process that reads or polls it gets its own signals. So the file has no wait
 * queue either; a task that waits stands in a queue of its process.
 */
#include "kernel/fs/anonymous.h"
#include "kernel/fs/text.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/file_owner.h"
#include "kernel/task/signal_numbers.h"

#define MASK_SIZE sizeof(uint64_t)

/* What file->data of a signalfd points to. Guard: tasks only, which the kernel does not preempt. */
struct signalfd {
	uint64_t mask; /* the signals that can be read */
};

/* Linux's struct signalfd_siginfo. */
struct signalfd_info {
	uint32_t signal;
	int32_t error;
	int32_t code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t timer;
	uint32_t band;
	uint32_t overrun;
	uint32_t trap;
	int32_t status;
	int32_t number;
	uint64_t pointer;
	uint64_t user_time, system_time;
	uint64_t address;
	uint8_t rest[48];
};

_Static_assert(sizeof(struct signalfd_info) == 128, "Linux's struct signalfd_siginfo");

static uint64_t pending(const struct signalfd *signalfd)
{
	const struct task *task = task_current();

	return (task->signals.set.pending | task->process->signals.set.pending) & signalfd->mask;
}

static struct signalfd_info info_of(const struct signal_info *from)
{
	struct signalfd_info info = { .signal = (uint32_t)from->signal, .error = from->error, .code = from->code };

	if (file_owner_sent(from)) {
		info.band = (uint32_t)from->poll.band;
		info.fd = from->poll.fd;
	} else if (from->code == SI_TIMER) {
		info.timer = (uint32_t)from->timer.timer;
		info.overrun = (uint32_t)from->timer.overrun;
		info.number = (int32_t)from->timer.value;
		info.pointer = from->timer.value;
	} else if (from->code <= 0) {
		info.pid = (uint32_t)from->sender.pid;
		info.uid = from->sender.uid;
		info.number = (int32_t)from->sender.value;
		info.pointer = from->sender.value;
	} else if (from->signal == SIGCHLD) {
		info.pid = (uint32_t)from->sender.pid;
		info.uid = from->sender.uid;
		info.status = (int32_t)from->sender.value;
		info.user_time = from->times[0];
		info.system_time = from->times[1];
	} else if (from->code != SI_KERNEL) {
		info.address = from->address;
	}
	return info;
}

/*
 * Read one signal. The signal is taken only after the user's memory was found to be mapped, since a signal that was
 * taken cannot become pending again.
 */
static int64_t read_one(const struct signalfd *signalfd, struct user_io *io)
{
	struct user_io probe = *io;
	struct signal_info from;
	struct signalfd_info info;
	enum status status;
	size_t moved;

	if (!pending(signalfd))
		return -EAGAIN;
	status = user_io_zero(&probe, sizeof(info), &moved);
	if (status != OK)
		return copy_errno(status);
	if (!signal_take(signalfd->mask, &from))
		return -EAGAIN;
	info = info_of(&from);
	status = user_io_put_all(io, &info, sizeof(info));
	return status == OK ? (int64_t)sizeof(info) : copy_errno(status);
}

static int64_t signalfd_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	int64_t done = 0, step = 0;

	(void)offset;
	if (io->left < sizeof(struct signalfd_info))
		return -EINVAL;
	while (io->left >= sizeof(struct signalfd_info) && step >= 0) {
		step = read_one(file->data, io);
		if (step > 0)
			done += step;
	}
	return done ? done : step;
}

static unsigned signalfd_poll(struct file *file)
{
	return pending(file->data) ? POLLIN : 0;
}

static struct wait_queue *signalfd_queue(struct file *file)
{
	(void)file;
	return &process_current()->signals.arrivals;
}

static void signalfd_release(struct file *file)
{
	kfree(file->data);
}

static void signalfd_info(struct file *file, struct text *ret)
{
	const struct signalfd *signalfd = file->data;

	text_add(ret, "sigmask:\t%016llx\n", (unsigned long long)signalfd->mask);
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.queue = signalfd_queue,
	.info = signalfd_info,
	.release = signalfd_release,
};

static int64_t create(uint64_t mask, uint64_t flags)
{
	struct signalfd *signalfd = kmalloc(sizeof(*signalfd));
	struct file *file;
	int error;

	if (!signalfd)
		return -ENOMEM;
	signalfd->mask = mask;
	error = anonymous_file_create("[signalfd]", &signalfd_ops, signalfd, (unsigned)flags, &file);
	if (error) {
		kfree(signalfd);
		return error;
	}
	return args_install(file, flags);
}

SYSCALL_4(signalfd4, fd, from, mask_size, flags)
{
	HELD_FILE struct file *file = NULL;
	uint64_t mask;
	int error;

	if (mask_size != MASK_SIZE || (uint32_t)flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	error = args_get(&mask, from, sizeof(mask));
	if (error)
		return error;
	mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
	if ((int)fd == -1)
		return create(mask, flags);
	file = args_file_get(fd);
	if (!file)
		return -EBADF;
	if (file->ops != &signalfd_ops)
		return -EINVAL;
	((struct signalfd *)file->data)->mask = mask;
	wait_queue_wake(&process_current()->signals.arrivals);
	return (int)fd;
}

SYSCALL_3(signalfd, fd, from, mask_size)
{
	return sys_signalfd4(fd, from, mask_size, 0, 0, 0);
}
