/*
 * Keeps the resource limits of processes, hands them to the layers that obey them, and sends the signals of RLIMIT_CPU
 * and RLIMIT_RTTIME.
 *
 * No periodic tick compares CPU time with RLIMIT_CPU. A process with this limit has a timer for the earliest moment at
 * which the limit can be reached: on one CPU, when as much time has passed as the process may still use. The timer then
 * checks the CPU time, and is started again, for at least LOOK_NS, Linux's longest tick.
 */
#include "kernel/task/process_limits.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/process_internal.h"
#include "kernel/task/rights.h"
#include "kernel/task/sched.h"
#include "kernel/task/signal_numbers.h"

#define LOOK_NS (10 * NS_PER_MS)

#define TASKS_MOST_LEAST 20 /* the least value of kernel.threads-max, as on Linux */

static void (*send_signal)(struct process *process, int signal); /* process_limits_init()'s `send`. Fixed after boot */

/*
 * Return how many processes there may be, and the first one's RLIMIT_NPROC: one for each PROCESS_SHARE of RAM, so that
 * a program that forks without end gets -EAGAIN while there is still memory for the processes that exist. Linux allows
 * one for each 256 KiB.
 */
static uint64_t default_processes(void)
{
	uint64_t processes = machine_frames.total / (PROCESS_SHARE / PAGE_SIZE);

	return processes < PROCESS_FEWEST ? PROCESS_FEWEST : processes;
}

/* kernel.threads-max if it was set; or 0. Guard: tasks only, which the kernel does not preempt */
static uint64_t tasks_most;

uint64_t process_most(void)
{
	return tasks_most ? tasks_most : default_processes();
}

int process_set_tasks_most(uint64_t most)
{
	if (most < TASKS_MOST_LEAST)
		return -EINVAL;
	tasks_most = most;
	return 0;
}

uint64_t process_tasks_most(void)
{
	uint64_t tasks = machine_frames.total / (TASK_SHARE / PAGE_SIZE);

	if (tasks_most)
		return tasks_most;
	return tasks < TASK_FEWEST ? TASK_FEWEST : tasks;
}

/* ---- what processes share ---- */

/*
 * The limits of a process and of those that it made, and they made, until one of them changes its own. Limits that an
 * interrupt may raise, RLIMIT_CPU and RLIMIT_RTTIME, have one owner if they are set: no interrupt can make a copy.
 * Guard: tasks only, which the kernel does not preempt.
 */
struct shared_limits {
	struct process_rlimit limits[PROCESS_LIMITS]; /* what process->limits points to */
	uint64_t refs;                                /* number of processes */
};

static struct shared_limits *shared_of(const struct process *process)
{
	return (struct shared_limits *)((const char *)process->limits - offsetof(struct shared_limits, limits));
}

static void drop(struct shared_limits *shared)
{
	if (!--shared->refs)
		kfree(shared);
}

/* Give the process limits that no other shares, equal to `from`. Returns 0 or -ENOMEM. */
static int copy_limits(struct process *process, const struct process_rlimit *from)
{
	struct shared_limits *copy = kmalloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy->limits, from, sizeof(copy->limits));
	copy->refs = 1;
	process->limits = copy->limits;
	return 0;
}

/* Return the process's limits to change one, which must not be shared. */
static struct process_rlimit *own_limit(const struct process *process, enum process_limit which)
{
	ASSERT(shared_of(process)->refs == 1);
	return &shared_of(process)->limits[which];
}

/* ---- RLIMIT_CPU ---- */

static uint64_t seconds_ns(uint64_t seconds)
{
	return time_add_times(0, seconds, NS_PER_S);
}

/* Start the timer for the earliest moment at which RLIMIT_CPU can be reached; stop it if there is no limit. */
static void watch_cpu_time(struct process *process)
{
	const struct process_rlimit *limit = &process->limits[LIMIT_CPU];
	uint64_t end = seconds_ns(limit->soft < limit->hard ? limit->soft : limit->hard), used;

	if (end == TIME_MOST_NS) {
		timer_cancel(&process->cpu_watch);
		return;
	}
	used = process_run_ns(process);
	end = end > used ? end - used : 0;
	timer_start(&process->cpu_watch, time_add(clock_monotonic_ns(), end > LOOK_NS ? end : LOOK_NS));
}

/*
 * Check the CPU time; called when the timer fires. The process gets SIGKILL at the hard limit, and SIGXCPU at the soft
 * one, which is then raised to the next whole second of CPU time: so, as on Linux, SIGXCPU comes once a second.
 */
static void look_at_cpu_time(struct timer *timer)
{
	struct process *process = (struct process *)((char *)timer - offsetof(struct process, cpu_watch));
	const struct process_rlimit *limit = &process->limits[LIMIT_CPU];
	uint64_t used = process_run_ns(process);

	if (used >= seconds_ns(limit->hard)) {
		send_signal(process, SIGKILL);
		return;
	}
	if (used >= seconds_ns(limit->soft)) {
		send_signal(process, SIGXCPU);
		own_limit(process, LIMIT_CPU)->soft = used / NS_PER_S + 1;
	}
	watch_cpu_time(process);
}

/* ---- RLIMIT_RTTIME ---- */

static uint64_t microseconds_ns(uint64_t us)
{
	return time_add_times(0, us, NS_PER_US);
}

/* Set process->rt_most_ns, by which the scheduler knows when to call the function that checks RLIMIT_RTTIME. */
static void tell_scheduler(struct process *process)
{
	const struct process_rlimit *limit = &process->limits[LIMIT_RTTIME];

	process->rt_most_ns = limit->soft == LIMIT_NONE
				      ? TIME_NEVER
				      : microseconds_ns(limit->soft < limit->hard ? limit->soft : limit->hard);
}

/*
 * Check RLIMIT_RTTIME: a real-time task of the process has run for `ns` since it was last woken. As on Linux the
 * process gets SIGKILL at the hard limit, and SIGXCPU at the soft one, which is then raised by a second. Called in an
 * interrupt, without a lock.
 */
static void real_time_ran(struct process *process, uint64_t ns)
{
	const struct process_rlimit *limit = &process->limits[LIMIT_RTTIME];

	if (ns >= microseconds_ns(limit->hard)) {
		send_signal(process, SIGKILL);
	} else if (ns >= microseconds_ns(limit->soft)) {
		send_signal(process, SIGXCPU);
		own_limit(process, LIMIT_RTTIME)->soft += NS_PER_S / NS_PER_US;
		tell_scheduler(process);
	}
}

/* ---- all limits ---- */

/* Return the calling process's limits on memory, for kernel/mm/user. */
static const struct user_limits *user_limits(void)
{
	const struct task *task = task_current();

	return task && task->process ? &task->process->user_limits : &user_limits_default;
}

/* Return how many bytes of its memory the calling process may lock, for kernel/mm/user. */
static uint64_t most_locked(void)
{
	const struct task *task = task_current();

	if (!task || !task->process || rights_can(CAP_IPC_LOCK))
		return USER_NO_LIMIT;
	return task->process->limits[LIMIT_MEMLOCK].soft;
}

/*
 * Update process->user_limits, which kernel/mm/user obeys. As on Linux, a soft RLIMIT_DATA of 0 limits only brk(2); the
 * hard limit applies to other memory then.
 */
static void tell_memory(struct process *process)
{
	const struct process_rlimit *limits = process->limits, *data = &limits[LIMIT_DATA];

	process->user_limits = (struct user_limits){
		.address_pages = limits[LIMIT_AS].soft / PAGE_SIZE,
		.stack_pages = limits[LIMIT_STACK].soft / PAGE_SIZE,
		.data_pages = (data->soft ? data->soft : data->hard) / PAGE_SIZE,
		.brk_pages = data->soft / PAGE_SIZE,
	};
}

/* Return the calling process's limit on descriptors, for kernel/fs/fd.c. */
static unsigned descriptors(void)
{
	const struct task *task = task_current();
	uint64_t soft = task && task->process ? task->process->most_descriptors : FD_LIMIT;

	return soft < FD_LIMIT_MAX ? (unsigned)soft : FD_LIMIT_MAX;
}

void process_limits_init(void (*send)(struct process *process, int signal))
{
	send_signal = send;
	sched_set_rt_ran(real_time_ran);
	if (cache_init(&process_cache, "process", sizeof(struct process), 64) != OK)
		panic("no memory for processes");
	user_limits_set_source(user_limits);
	user_limits_set_lock_source(most_locked);
	fd_set_limit_source(descriptors);
}

/* Update what `limits` says elsewhere: the limits that the layers below, the scheduler and open calls read. */
static void tell_all(struct process *process)
{
	tell_memory(process);
	tell_scheduler(process);
	process->most_descriptors = process->limits[LIMIT_NOFILE].soft;
}

/* Linux's defaults, and a number of processes that depends on the size of RAM. */
static int first_limits(struct process *process)
{
	const uint64_t processes = default_processes();
	struct process_rlimit limits[PROCESS_LIMITS];

	for (int i = 0; i < PROCESS_LIMITS; i++)
		limits[i] = (struct process_rlimit){ LIMIT_NONE, LIMIT_NONE };
	limits[LIMIT_STACK].soft = 8ULL << 20;
	limits[LIMIT_CORE].soft = 0;
	limits[LIMIT_NOFILE] = (struct process_rlimit){ FD_LIMIT, FD_LIMIT_MAX };
	limits[LIMIT_NPROC] = (struct process_rlimit){ processes, processes };
	limits[LIMIT_SIGPENDING] = (struct process_rlimit){ processes, processes };
	limits[LIMIT_MSGQUEUE] = (struct process_rlimit){ 819200, 819200 };
	limits[LIMIT_NICE] = (struct process_rlimit){ 0, 0 };
	limits[LIMIT_RTPRIO] = (struct process_rlimit){ 0, 0 };
	limits[LIMIT_MEMLOCK] = (struct process_rlimit){ 8ULL << 20, 8ULL << 20 };
	return copy_limits(process, limits);
}

int process_limits_begin(struct process *process, const struct process *maker)
{
	const bool shares =
		maker && maker->limits[LIMIT_CPU].soft == LIMIT_NONE && maker->limits[LIMIT_RTTIME].soft == LIMIT_NONE;
	int error = 0;

	if (shares) {
		process->limits = maker->limits;
		shared_of(process)->refs++;
	} else {
		error = maker ? copy_limits(process, maker->limits) : first_limits(process);
	}
	if (error)
		return error;
	tell_all(process);
	process->cpu_watch.fire = look_at_cpu_time;
	if (process->limits[LIMIT_CPU].soft != LIMIT_NONE)
		watch_cpu_time(process);
	return 0;
}

void process_limits_end(struct process *process)
{
	drop(shared_of(process));
	process->limits = NULL;
}

int process_limit_set(struct process *process, enum process_limit which, struct process_rlimit limit)
{
	struct shared_limits *shared = shared_of(process);

	if (shared->refs > 1) {
		if (copy_limits(process, shared->limits) != 0)
			return -ENOMEM;
		drop(shared);
	}
	/* As on Linux, RLIMIT_CPU 0 means one second. */
	if (which == LIMIT_CPU && limit.soft == 0)
		limit.soft = 1;
	*own_limit(process, which) = limit;
	tell_all(process);
	if (which == LIMIT_CPU)
		watch_cpu_time(process);
	if (which == LIMIT_RTTIME)
		sched_look();
	return 0;
}

uint64_t process_most_pages(struct process *process)
{
	const struct user_space *space = process->space;

	if (space && space->resident_most > process->most_pages)
		process->most_pages = space->resident_most;
	if (space && space->resident_pages > process->most_pages)
		process->most_pages = space->resident_pages;
	return process->most_pages;
}
