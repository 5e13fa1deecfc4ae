/* timerfd_create(2) and the like: files from which a program reads how often a timer has expired. */
#include "kernel/fs/anonymous.h"
#include "kernel/irq/timer.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sync/wait_queue.h"
#include "kernel/sys/timerfd.h"
#include "kernel/sys/user_args.h"

enum timerfd_clock { TIMERFD_REALTIME = 0, TIMERFD_MONOTONIC = 1, TIMERFD_BOOTTIME = 7 };

#define TFD_TIMER_ABSTIME       1
#define TFD_TIMER_CANCEL_ON_SET 2

/*
 * What file->data of a timer's file points to. Guard of fields that say nothing else: tasks only, which the kernel does
 * not preempt; of `timer`: the lock of kernel/irq/timer.c.
 */
struct timerfd {
	/* Started again only when an expiration is read, so that a timer that nobody reads costs one interrupt. */
	struct timer timer;
	struct wait_queue queue;
	struct lock lock;
	uint64_t interval_ns; /* 0: the timer expires once. Guard: `lock` */
	/* the timer has expired since it was last read or set. Guard: `lock`; timerfd_poll() reads without it */
	bool expired;
	bool realtime; /* absolute times are of the wall clock. Fixed when the timer is made */
	/* the wall clock was set: the next read returns -ECANCELED. Guard: `lock`; timerfd_poll() reads without it */
	bool cancelled;
	/* links of the list `cancellable`; link_of_previous NULL: not in the list */
	struct timerfd *next, **link_of_previous;
};

/* List of the timers with TFD_TIMER_CANCEL_ON_SET. Guard: tasks only, which the kernel does not preempt. */
static struct timerfd *cancellable;

/* Linux's struct itimerspec. */
struct timer_spec {
	struct linux_timespec interval, value;
};

static void expire(struct timer *timer)
{
	struct timerfd *timerfd = (struct timerfd *)timer;

	lock_take_off(&timerfd->lock);
	timerfd->expired = true;
	lock_release_off(&timerfd->lock);
	wait_queue_wake(&timerfd->queue);
}

_Static_assert(offsetof(struct timerfd, timer) == 0, "expire");

/* ---- when the wall clock is set ---- */

static void leave_cancellable(struct timerfd *timerfd)
{
	if (!timerfd->link_of_previous)
		return;
	*timerfd->link_of_previous = timerfd->next;
	if (timerfd->next)
		timerfd->next->link_of_previous = timerfd->link_of_previous;
	timerfd->link_of_previous = NULL;
}

static void enter_cancellable(struct timerfd *timerfd)
{
	if (timerfd->link_of_previous)
		return;
	timerfd->next = cancellable;
	timerfd->link_of_previous = &cancellable;
	if (cancellable)
		cancellable->link_of_previous = &timerfd->next;
	cancellable = timerfd;
}

void timerfd_clock_set(void)
{
	for (struct timerfd *timerfd = cancellable; timerfd; timerfd = timerfd->next) {
		uint64_t flags = lock_take(&timerfd->lock);

		timerfd->cancelled = true;
		lock_release(&timerfd->lock, flags);
		wait_queue_wake(&timerfd->queue);
	}
}

/* ---- expirations ---- */

/* Return the current time of the timer's clock. */
static uint64_t now_of(const struct timerfd *timerfd)
{
	return timerfd->timer.clock == TIMER_WALL ? clock_realtime_ns() : clock_monotonic_ns();
}

static void start(struct timerfd *timerfd, enum timer_clock clock, uint64_t deadline_ns)
{
	if (clock == TIMER_WALL)
		timer_start_wall(&timerfd->timer, deadline_ns);
	else
		timer_start(&timerfd->timer, deadline_ns);
}

/* Return how often the timer has expired since it was last read. The caller holds timerfd->lock. */
static uint64_t expirations(const struct timerfd *timerfd)
{
	if (!timerfd->expired || !timerfd->interval_ns)
		return timerfd->expired;
	return 1 + time_intervals(timerfd->timer.deadline_ns, timerfd->interval_ns, now_of(timerfd));
}

/*
 * Count `count` expirations as read. If there is an interval, start the timer for the next expiration, whose time may
 * have passed already.
 */
static void take_expirations(struct timerfd *timerfd, uint64_t count)
{
	uint64_t flags = lock_take(&timerfd->lock), at = timerfd->timer.deadline_ns;

	timerfd->expired = false;
	if (timerfd->interval_ns)
		start(timerfd, timerfd->timer.clock, time_add_times(at, count, timerfd->interval_ns));
	lock_release(&timerfd->lock, flags);
}

/*
 * Return whether the wall clock was set since the last read, so that this read must return -ECANCELED. If so, clear
 * `cancelled` and `expired`. The caller holds timerfd->lock.
 */
static bool take_cancellation(struct timerfd *timerfd)
{
	bool cancelled = timerfd->cancelled;

	if (cancelled)
		timerfd->cancelled = timerfd->expired = false;
	return cancelled;
}

/*
 * Read how often the timer has expired. The expirations count as read only after the copy to the user, which may fail.
 */
static int64_t timerfd_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct timerfd *timerfd = file->data;
	uint64_t flags, count;
	enum status status;
	bool cancelled;

	(void)offset;
	if (io->left < sizeof(count))
		return -EINVAL;
	flags = lock_take(&timerfd->lock);
	cancelled = take_cancellation(timerfd);
	count = cancelled ? 0 : expirations(timerfd);
	lock_release(&timerfd->lock, flags);
	if (!count)
		return cancelled ? -ECANCELED : -EAGAIN;
	status = user_io_put_all(io, &count, sizeof(count));
	if (status != OK)
		return copy_errno(status);
	take_expirations(timerfd, count);
	return sizeof(count);
}

static unsigned timerfd_poll(struct file *file)
{
	const struct timerfd *timerfd = file->data;

	return timerfd->expired || timerfd->cancelled ? POLLIN : 0;
}

static struct wait_queue *timerfd_queue(struct file *file)
{
	struct timerfd *timerfd = file->data;

	return &timerfd->queue;
}

static void timerfd_release(struct file *file)
{
	struct timerfd *timerfd = file->data;

	leave_cancellable(timerfd);
	timer_cancel(&timerfd->timer);
	kfree(timerfd);
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.queue = timerfd_queue,
	.release = timerfd_release,
};

SYSCALL_2(timerfd_create, clock, flags)
{
	bool realtime = (int)clock == TIMERFD_REALTIME;
	struct timerfd *timerfd;
	struct file *file;
	int error;

	if ((uint32_t)flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK) ||
	    (!realtime && (int)clock != TIMERFD_MONOTONIC && (int)clock != TIMERFD_BOOTTIME))
		return -EINVAL;
	timerfd = kmalloc(sizeof(*timerfd));
	if (!timerfd)
		return -ENOMEM;
	*timerfd = (struct timerfd){ .timer.fire = expire,
				     .realtime = realtime,
				     .lock = LOCK_INITIAL(LOCK_TIMERFD),
				     .queue = WAIT_QUEUE_INITIAL };
	error = anonymous_file_create("[timerfd]", &timerfd_ops, timerfd, (unsigned)flags, &file);
	if (error) {
		kfree(timerfd);
		return error;
	}
	return args_install(file, flags);
}

/* Get the timer of `file`, without a reference. Returns 0, -EBADF (`file` is NULL), -EINVAL (it is no timer). */
static int timer_of(const struct file *file, struct timerfd **ret)
{
	if (!file)
		return -EBADF;
	if (file->ops != &timerfd_ops)
		return -EINVAL;
	*ret = file->data;
	return 0;
}

/*
 * Return interval and remaining time, for timerfd_gettime(2). At least 1 ns remains for a timer that runs, since 0
 * means that it does not.
 */
static struct timer_spec spec_of(struct timerfd *timerfd)
{
	struct timer_spec spec = { .interval = timespec_from_ns(timerfd->interval_ns) };
	uint64_t flags = lock_take(&timerfd->lock), now = now_of(timerfd), at = timerfd->timer.deadline_ns;

	/* The timer is not started again until it is read: compute when it would expire next. */
	if (timerfd->expired && timerfd->interval_ns)
		at = time_next(at, timerfd->interval_ns, now);
	if (timerfd->timer.queued || (timerfd->expired && timerfd->interval_ns))
		spec.value = timespec_from_ns(at > now ? at - now : 1);
	lock_release(&timerfd->lock, flags);
	return spec;
}

SYSCALL_2(timerfd_gettime, fd, to)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct timerfd *timerfd;
	struct timer_spec spec;
	int error = timer_of(file, &timerfd);

	if (error)
		return error;
	spec = spec_of(timerfd);
	return args_put(to, &spec, sizeof(spec));
}

/*
 * Start the timer for timerfd_settime(2)'s value. If `absolute` this is a time of the timer's clock; otherwise it is a
 * time span, which runs by the monotonic clock, so that setting the wall clock does not change it.
 */
static void start_at(struct timerfd *timerfd, uint64_t value_ns, bool absolute)
{
	if (!absolute)
		start(timerfd, TIMER_MONOTONIC, deadline_in(value_ns));
	else
		start(timerfd, timerfd->realtime ? TIMER_WALL : TIMER_MONOTONIC, value_ns);
}

/*
 * Set the timer. Returns 0; or, as on Linux, -ECANCELED although the timer is set: the wall clock was set before, and
 * no read has reported that.
 */
static int set(struct timerfd *timerfd, uint64_t flags, uint64_t value_ns, uint64_t interval_ns)
{
	uint64_t guard;
	bool cancelled;

	if (timerfd->realtime && (flags & TFD_TIMER_ABSTIME) && (flags & TFD_TIMER_CANCEL_ON_SET))
		enter_cancellable(timerfd);
	else
		leave_cancellable(timerfd);
	guard = lock_take(&timerfd->lock);
	cancelled = timerfd->link_of_previous && timerfd->cancelled;
	timerfd->cancelled = timerfd->expired = false;
	timerfd->interval_ns = value_ns ? interval_ns : 0;
	if (value_ns)
		start_at(timerfd, value_ns, flags & TFD_TIMER_ABSTIME);
	else
		timer_cancel(&timerfd->timer);
	lock_release(&timerfd->lock, guard);
	return cancelled ? -ECANCELED : 0;
}

SYSCALL_4(timerfd_settime, fd, flags, from, to)
{
	HELD_FILE struct file *file = args_file_get(fd);
	uint64_t value_ns, interval_ns;
	struct timer_spec spec, old;
	struct timerfd *timerfd;
	int error;

	error = args_get(&spec, from, sizeof(spec));
	if (error)
		return error;
	if ((uint32_t)flags & ~(uint32_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) ||
	    timespec_to_ns(&spec.value, &value_ns) || timespec_to_ns(&spec.interval, &interval_ns))
		return -EINVAL;
	error = timer_of(file, &timerfd);
	if (error)
		return error;
	old = spec_of(timerfd);
	error = set(timerfd, flags, value_ns, interval_ns);
	if (error)
		return error;
	return args_put_late(to, &old, sizeof(old));
}
