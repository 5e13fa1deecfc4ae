/*
 * Sends SIGIO, or the signal of F_SETSIG, to the owner of a file with O_ASYNC. Wake-ups of a file's wait queue are only
 * noted, in a list; a task sends the signals later, since a wake-up may come in an interrupt handler (file_owner.h).
 */
#include "kernel/task/file_owner.h"

#include "kernel/fs/inotify.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/late_work.h"
#include "kernel/task/file_owner_internal.h"
#include "kernel/task/find.h"
#include "kernel/task/give_way.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/wait_until.h"

/* Values of si_code, and of si_band with each. */
enum { POLL_IN = 1, POLL_OUT = 2, POLL_MSG = 3, POLL_HUP = 6 };

#define BAND_IN  (POLLIN | POLLRDNORM)
#define BAND_OUT (POLLOUT | POLLWRNORM | POLLWRBAND)
#define BAND_MSG (POLLIN | POLLRDNORM | POLLMSG)
#define BAND_HUP (POLLHUP | POLLERR)

#define SEND_MOST 64 /* signals after which a step ends */

/* The owners whose files' queues have been woken. Guard: woken_lock. */
static struct link woken = { &woken, &woken };
static struct lock woken_lock = LOCK_INITIAL(LOCK_OWNERS);

/*
 * The kernel task that sends signals; NULL: none was needed yet. It never ends. Guard: tasks only, which the kernel
 * does not preempt.
 */
static struct task *sender;

/* ---- from a wake-up to a signal ---- */

static bool send_late(struct late_work *work);

/*
 * The late work of a task that has woken an owner: to send the signals. This one object may be in the lists of many
 * tasks at once, since its `next` is never used: file_owner_wake() adds it only to an empty list, so it is always the
 * last of a list, and one step ends it. Fixed after boot.
 */
static struct late_work sending = { .step = send_late };

/* Put the owner into `woken`, and have a task send the signal. */
void file_owner_wake(struct file_owner *owner)
{
	struct task *task = task_current();
	uint64_t flags = lock_take(&woken_lock);

	if (list_is_empty(&owner->in_woken))
		list_add_last(&woken, &owner->in_woken);
	lock_release(&woken_lock, flags);
	/*
	 * The current task sends the signal on its way back to user mode. If it has other late work, or stays in the
	 * kernel, `sender` does it before.
	 */
	if (task && task->process) {
		if (!task->late)
			task->late = &sending;
		task->signals.wanted = true;
	}
	task_wake(sender);
}

/* Note that the file's queue was woken. Called with the queue locked, also in interrupt handlers. */
static void owner_wake(struct waiter *waiter)
{
	file_owner_wake(list_item(waiter, struct file_owner, waiter));
}

static struct file_owner *take_woken(void)
{
	uint64_t flags = lock_take(&woken_lock);
	struct file_owner *owner = NULL;

	if (!list_is_empty(&woken)) {
		owner = list_item(woken.next, struct file_owner, in_woken);
		list_remove(&owner->in_woken);
	}
	lock_release(&woken_lock, flags);
	return owner;
}

/* Return whether the owner's setter may signal somebody with the credentials `theirs`. */
static bool may_signal(const struct file_owner *owner, const struct credentials *theirs)
{
	return theirs && (!owner->euid || owner->euid == theirs->uid.saved || owner->euid == theirs->uid.real ||
			  owner->uid == theirs->uid.saved || owner->uid == theirs->uid.real);
}

/* A signal to be sent. Lives on the stack. */
struct message {
	const struct file_owner *owner;
	struct signal_info info;
	unsigned receivers; /* processes that it was sent to, or that the owner's setter may not signal */
};

static void send_to(const struct message *message, struct process *process, struct task *task)
{
	const int signal = message->owner->signal;
	int error = -EAGAIN;

	if (signal)
		error = task ? signal_send_task(task, signal, &message->info)
			     : signal_send_process(process, signal, &message->info);
	/* As on Linux plain SIGIO takes the place of a signal for which there is no room. */
	if (error == -EAGAIN)
		(void)(task ? signal_send_task(task, SIGIO, NULL) : signal_send_process(process, SIGIO, NULL));
}

static bool send_to_process(void *ctx, struct process *process)
{
	struct message *message = ctx;
	HELD_CREDENTIALS const struct credentials *theirs = rights_of_process(process);

	message->receivers++;
	if (may_signal(message->owner, theirs))
		send_to(message, process, NULL);
	return true;
}

/* Signals whose values of si_code mean something else: SI_SIGIO is sent with these. */
#define OWN_CODES                                                                                                   \
	(SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGTRAP) | \
	 SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGSYS))

bool file_owner_sent(const struct signal_info *info)
{
	if (info->code == SI_SIGIO)
		return true;
	return info->code >= POLL_IN && info->code <= POLL_HUP && !(SIGNAL_BIT(info->signal) & OWN_CODES);
}

/* Send a signal to all that the owner names. Returns how many processes these are. */
static unsigned send(const struct file_owner *owner, int code, int64_t band)
{
	struct message message = { .owner = owner };

	message.info.code = owner->signal && SIGNAL_BIT(owner->signal) & OWN_CODES ? SI_SIGIO : code;
	message.info.poll.band = band;
	message.info.poll.fd = owner->fd;
	if (owner->who.type == FILE_OWNER_GROUP && owner->who.id) {
		process_visit_group(owner->who.id, send_to_process, &message);
	} else if (owner->process) {
		(void)send_to_process(&message, owner->process);
	} else if (owner->task && owner->task->process) {
		HELD_CREDENTIALS const struct credentials *theirs = rights_of_task(owner->task);

		if (may_signal(owner, theirs))
			send_to(&message, owner->task->process, owner->task);
	}
	return message.receivers;
}

/*
 * Send the signal of an owner whose file's queue was woken. The queue is woken for readers and writers alike, so poll
 * is asked what has happened. That the file can be written is worth a signal only if it could not be written before.
 * Returns to how many processes the signal went.
 */
static unsigned tell(struct file_owner *owner)
{
	const unsigned events = file_poll(owner->file);
	const bool writable = events & POLLOUT, was_writable = owner->writable;

	if (owner->noticed) {
		owner->noticed = false;
		return send(owner, POLL_MSG, BAND_MSG);
	}
	owner->writable = writable;
	if (events & POLLIN || (events & POLLHUP && file_reads(owner->file)))
		return send(owner, POLL_IN, BAND_IN);
	if (events & POLLHUP)
		return send(owner, POLL_HUP, BAND_HUP);
	if (events & POLLERR || (writable && !was_writable))
		return send(owner, POLL_OUT, BAND_OUT);
	return 0;
}

static void send_some(void)
{
	struct file_owner *owner;

	for (unsigned sent = 0; sent < SEND_MOST && (owner = take_woken()); sent++)
		sent += tell(owner);
}

static bool send_late(struct late_work *work)
{
	(void)work;
	send_some();
	return true;
}

static bool is_needed(void)
{
	return !list_is_empty(&woken);
}

static void serve(void *unused)
{
	(void)unused;
	for (;;) {
		(void)WAIT_UNTIL(is_needed(), TASK_NO_DEADLINE);
		send_some();
		(void)task_give_way();
	}
}

int file_owner_start_sender(void)
{
	struct task *made;

	if (sender)
		return 0;
	if (task_create("signals", false, &made) != 0)
		return -ENOMEM;
	sender = made;
	task_start_kernel(made, serve, NULL);
	return 0;
}

/* ---- owners ---- */

/* Drop the references to who gets the signals. */
static void forget(struct file_owner *owner)
{
	if (owner->task)
		task_put(owner->task);
	if (owner->process)
		process_put(owner->process);
	owner->task = NULL;
	owner->process = NULL;
	owner->who.id = 0;
}

/* Leave the file's queue, if the owner is in it, and `woken`: no further signal is sent. */
static void leave_queue(struct file_owner *owner)
{
	uint64_t flags;

	wait_queue_remove(&owner->waiter);
	flags = lock_take(&woken_lock);
	list_remove(&owner->in_woken);
	lock_release(&woken_lock, flags);
}

static void file_gone(struct file_watch *watch)
{
	struct file_owner *owner = list_item(watch, struct file_owner, watch);

	dir_notify_end(owner);
	leave_queue(owner);
	forget(owner);
	owner->file->owner = NULL;
	kfree(owner);
}

struct file_owner *file_owner_make(struct file *file)
{
	struct file_owner *made = file->owner;

	if (made)
		return made;
	made = kzalloc(sizeof(*made));
	if (!made)
		return NULL;
	made->file = file;
	made->watch.gone = file_gone;
	made->waiter.wake = owner_wake;
	list_init(&made->in_woken);
	file_watch(file, &made->watch);
	file->owner = made;
	return made;
}

/* Return whether anything has the number: a task, a process or a group. */
static bool is_number(int id)
{
	return task_peek(id) || process_peek(id) || process_group_exists(id, -1);
}

int file_owner_set(struct file *file, struct file_owner_ex who)
{
	struct file_owner *owner;

	if (who.type < FILE_OWNER_TASK || who.type > FILE_OWNER_GROUP)
		return -EINVAL;
	if (who.id && !is_number(who.id))
		return -ESRCH;
	owner = file_owner_make(file);
	if (!owner)
		return -ENOMEM;
	forget(owner);
	owner->who = who;
	if (who.id && who.type == FILE_OWNER_TASK)
		owner->task = task_find(who.id);
	else if (who.id && who.type == FILE_OWNER_PROCESS)
		owner->process = process_find(who.id);
	owner->uid = rights_current()->uid.real;
	owner->euid = rights_current()->uid.effective;
	return 0;
}

/* Return whether whoever gets the signals is still there. */
static bool is_there(const struct file_owner *owner)
{
	switch (owner->who.type) {
	case FILE_OWNER_TASK:
		return owner->task && task_peek(owner->who.id) == owner->task;
	case FILE_OWNER_PROCESS:
		return owner->process && process_peek(owner->who.id) == owner->process;
	default:
		return owner->who.id && process_group_exists(owner->who.id, -1);
	}
}

struct file_owner_ex file_owner_get(const struct file *file)
{
	const struct file_owner *owner = file->owner;

	if (!owner)
		return (struct file_owner_ex){ FILE_OWNER_TASK, 0 };
	return (struct file_owner_ex){ owner->who.type, is_there(owner) ? owner->who.id : 0 };
}

void file_owner_uids(const struct file *file, uint32_t ret[2])
{
	const struct file_owner *owner = file->owner;

	ret[0] = owner ? owner->uid : 0;
	ret[1] = owner ? owner->euid : 0;
}

int file_owner_set_signal(struct file *file, uint64_t signal)
{
	struct file_owner *owner;

	if (signal > SIGNALS)
		return -EINVAL;
	owner = file_owner_make(file);
	if (!owner)
		return -ENOMEM;
	owner->signal = (int)signal;
	return 0;
}

int file_owner_signal(const struct file *file)
{
	const struct file_owner *owner = file->owner;

	return owner ? owner->signal : 0;
}

bool file_owner_is_possible(struct file *file)
{
	return file_queue(file) && (node_is(file->node, S_IFIFO) || node_is(file->node, S_IFSOCK) ||
				    node_is(file->node, S_IFCHR) || inotify_is(file));
}

int file_owner_begin(struct file *file, int fd)
{
	struct file_owner *owner = file_owner_make(file);

	if (!owner || file_owner_start_sender() != 0)
		return -ENOMEM;
	owner->fd = fd;
	owner->writable = file_poll(file) & POLLOUT;
	if (!owner->waiter.queue)
		wait_queue_add(file_queue(file), &owner->waiter);
	file->flags |= O_ASYNC;
	return 0;
}

void file_owner_end(struct file *file)
{
	struct file_owner *owner = file->owner;

	file->flags &= ~(uint32_t)O_ASYNC;
	if (owner)
		leave_queue(owner);
}
