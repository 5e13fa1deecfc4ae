/*
 * Job control: the functions that terminals call (struct tty_job_control), and orphaned process groups.
 *
 * A terminal has the numbers of its session and its foreground group; the processes of that session point to the
 * terminal. Interrupt handlers read these numbers. Only tasks change them, with the terminal's lock held.
 */
#include "kernel/task/job_control.h"

#include "kernel/fs/errno.h"
#include "kernel/fs/pty.h"
#include "kernel/fs/tty.h"
#include "kernel/task/number.h"
#include "kernel/task/process_internal.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/signal_numbers.h"

/* ---- groups ---- */

struct orphan_search {
	int group, session;
	const struct process *without; /* a process that does not count, or NULL */
	bool found;
};

/* A group is not orphaned if a member has a parent in another group of the same session: set `found` then. */
static bool has_outer_parent(void *ctx, struct process *process)
{
	struct orphan_search *search = ctx;
	const struct process *parent = process->parent;

	if (process == search->without || process->zombie || !parent || parent->pid == 1)
		return true;
	search->found = parent->group != search->group && parent->session == search->session;
	return !search->found;
}

bool job_control_is_orphaned(int group, int session, const struct process *without)
{
	struct orphan_search search = { group, session, without, false };

	process_visit_group(group, has_outer_parent, &search);
	return !search.found;
}

static bool is_stopped_member(void *ctx, struct process *process)
{
	bool *found = ctx;

	*found = process->stopped && !process->zombie;
	return !*found;
}

/*
 * If the group of `process` has become orphaned by losing `parent`, and has a stopped process, send it SIGHUP and
 * SIGCONT. `without`: a process that is ending, and so does not count as a member of the group; or NULL.
 */
static void part(const struct process *process, const struct process *parent, const struct process *without)
{
	bool stopped = false;

	/* The searches below go through the whole group: most often no process is stopped, and no search is needed. */
	if (!signal_stopped_processes() || !parent || parent->group == process->group ||
	    parent->session != process->session || !job_control_is_orphaned(process->group, process->session, without))
		return;
	process_visit_group(process->group, is_stopped_member, &stopped);
	if (!stopped)
		return;
	/* If SIGHUP fails, the group has no process any more, and SIGCONT is not needed. */
	if (signal_send_group(process->group, SIGHUP, NULL) == 0)
		(void)signal_send_group(process->group, SIGCONT, NULL);
}

void job_control_part(struct process *process, const struct process *parent)
{
	part(process, parent, NULL);
}

void job_control_part_at_end(struct process *process)
{
	part(process, process->parent, process);
}

/* ---- a terminal and its session ---- */

struct foreground_send {
	const struct tty *tty;
	int signal;
};

/*
 * Send the signal if `process` is in the foreground group. The session is compared, too: the foreground group may have
 * ended, and its number may be used by a group of another session.
 */
static bool send_to_foreground(void *ctx, struct process *process)
{
	const struct foreground_send *sending = ctx;

	if (process->session == sending->tty->session)
		(void)signal_send_process(process, sending->signal, NULL);
	return true;
}

static void signal_foreground(struct tty *tty, int signal)
{
	struct foreground_send sending = { tty, signal };

	if (tty->foreground)
		process_visit_group(tty->foreground, send_to_foreground, &sending);
}

static bool forget_tty(void *ctx, struct process *process)
{
	if (process->tty == ctx)
		process->tty = NULL;
	return true;
}

/* Set the terminal's session and foreground group; returns the session that it had. */
static int set_numbers(struct tty *tty, int session, int foreground)
{
	uint64_t flags = lock_take(&tty->lock);
	int before = tty->session;

	tty->session = session;
	tty->foreground = foreground;
	lock_release(&tty->lock, flags);
	return before;
}

/* Take `tty` away from its session: it is no process's controlling terminal any more. */
static void release_tty(struct tty *tty)
{
	process_visit_session(set_numbers(tty, 0, 0), forget_tty, tty);
}

static void take_tty(struct process *process, struct tty *tty)
{
	(void)set_numbers(tty, process->session, process->group);
	process->tty = tty;
}

static bool leads_session(const struct process *process)
{
	return process->session == process->pid;
}

static struct tty *own_tty(void)
{
	return process_current()->tty;
}

/*
 * Handle open(2) of `tty`: when the calling process leads a session without a controlling terminal, and `tty` has no
 * session, `tty` becomes the session's controlling terminal.
 */
static void opened(struct tty *tty)
{
	struct process *process = process_current();

	if (process && leads_session(process) && !process->tty && !tty->session)
		take_tty(process, tty);
}

static int check(struct tty *tty, bool write)
{
	struct task *task = task_current();
	struct process *process = task->process;
	int signal = write ? SIGTTOU : SIGTTIN;

	if (process->tty != tty || !tty->foreground || process->group == tty->foreground)
		return 0;
	if ((task->signals.blocked & SIGNAL_BIT(signal)) ||
	    process->signals.actions[signal - 1].handler == SIGNAL_IGNORE)
		return write ? 0 : -EIO;
	if (job_control_is_orphaned(process->group, process->session, NULL))
		return -EIO;
	if (signal_send_group(process->group, signal, NULL) != 0)
		return -EIO;
	/*
	 * Another task of the process may take the signal; make this task return to user mode and restart its call,
	 * too.
	 */
	signal_want_return(task);
	return -ERESTARTSYS;
}

static int set_foreground(struct tty *tty, const struct process *process, int group)
{
	int error = check(tty, true);

	if (error)
		return error == -EIO ? -ENOTTY : error;
	if (process->tty != tty || tty->session != process->session)
		return -ENOTTY;
	if (group < 0)
		return -EINVAL;
	if (!process_group_exists(group, process->session))
		return number_peek(group) ? -EPERM : -ESRCH;
	(void)set_numbers(tty, process->session, group);
	return 0;
}

/*
 * Make `tty` the controlling terminal of `process`. steal: take it away from another session. Returns 0, or -EPERM:
 * `process` leads no session or has a terminal already, or another session has `tty` and `steal` is false.
 */
static int set_controlling(struct tty *tty, struct process *process, bool steal)
{
	if (leads_session(process) && process->session == tty->session)
		return 0;
	if (!leads_session(process) || process->tty || (tty->session && !steal))
		return -EPERM;
	if (tty->session)
		release_tty(tty);
	take_tty(process, tty);
	return 0;
}

static int leave_tty(struct tty *tty, struct process *process)
{
	if (process->tty != tty)
		return -ENOTTY;
	if (leads_session(process)) {
		signal_foreground(tty, SIGHUP);
		signal_foreground(tty, SIGCONT);
		release_tty(tty);
	}
	process->tty = NULL;
	return 0;
}

static int request(struct tty *tty, unsigned number, uint64_t arg, int32_t *value)
{
	struct process *process = process_current();

	switch (number) {
	case TIOCGPGRP:
	case TIOCGSID:
		if (process->tty != tty)
			return -ENOTTY;
		*value = number == TIOCGSID ? tty->session : tty->foreground;
		return 0;
	case TIOCSPGRP:
		return set_foreground(tty, process, *value);
	case TIOCSCTTY:
		return set_controlling(tty, process, arg == 1 && rights_can(CAP_SYS_ADMIN));
	case TIOCNOTTY:
		return leave_tty(tty, process);
	}
	return -ENOTTY;
}

static bool tell_leader(void *ctx, struct process *process)
{
	(void)ctx;
	if (leads_session(process)) {
		(void)signal_send_process(process, SIGHUP, NULL);
		(void)signal_send_process(process, SIGCONT, NULL);
	}
	return true;
}

/* The device of `tty` is gone: tell the leader of its session, which has no terminal any more. */
static void hung_up(struct tty *tty)
{
	if (!tty->session)
		return;
	process_visit_session(tty->session, tell_leader, NULL);
	release_tty(tty);
}

static const struct tty_job_control jobs = {
	.signal = signal_foreground,
	.check = check,
	.request = request,
	.opened = opened,
	.hung_up = hung_up,
};

static const struct credentials *rights_of_caller(void)
{
	return rights_current();
}

void job_control_add(struct tty *tty)
{
	tty->jobs = &jobs;
	pty_set_jobs(&jobs, rights_of_caller);
	tty_set_own(own_tty);
}

void job_control_hang_up(void)
{
	struct tty *tty = process_current()->tty;

	if (!tty)
		return;
	hung_up(tty);
	tty_hang_up(tty);
}

void job_control_end(struct process *process)
{
	struct tty *tty = process->tty;

	if (!tty || !leads_session(process))
		return;
	signal_foreground(tty, SIGHUP);
	/* As on Linux a pseudo-terminal is not hung up: its master can go on reading what other processes write. */
	if (tty_has_master(tty)) {
		release_tty(tty);
		return;
	}
	signal_foreground(tty, SIGCONT);
	release_tty(tty);
	tty_hang_up(tty);
}
