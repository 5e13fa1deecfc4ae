/*
 * prctl(2). Unknown requests return -EINVAL, as on a Linux that is too old for them.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/seccomp_check.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/rights.h"

enum prctl_request {
	PR_SET_PDEATHSIG = 1,
	PR_GET_PDEATHSIG = 2,
	PR_GET_DUMPABLE = 3,
	PR_SET_DUMPABLE = 4,
	PR_GET_KEEPCAPS = 7,
	PR_SET_KEEPCAPS = 8,
	PR_SET_NAME = 15,
	PR_GET_NAME = 16,
	PR_GET_SECCOMP = 21,
	PR_SET_SECCOMP = 22,
	PR_CAPBSET_READ = 23,
	PR_CAPBSET_DROP = 24,
	PR_GET_SECUREBITS = 27,
	PR_SET_SECUREBITS = 28,
	PR_SET_TIMERSLACK = 29,
	PR_GET_TIMERSLACK = 30,
	PR_SET_CHILD_SUBREAPER = 36,
	PR_GET_CHILD_SUBREAPER = 37,
	PR_SET_NO_NEW_PRIVS = 38,
	PR_GET_NO_NEW_PRIVS = 39,
	PR_CAP_AMBIENT = 47,
	PR_LAST = 66, /* the highest request of Linux 6.1 but for the next two, whose values are letters */
	PR_SET_VMA = 0x53564d41,
	PR_SET_PTRACER = 0x59616d61,
};

enum ambient_request {
	AMBIENT_IS_SET = 1,
	AMBIENT_RAISE = 2,
	AMBIENT_LOWER = 3,
	AMBIENT_CLEAR_ALL = 4,
};

static int64_t set_name(uint64_t from)
{
	char name[TASK_NAME] = { 0 }; /* PR_GET_NAME shows all bytes, also those behind the NUL */
	size_t length;
	enum status status = strncpy_from_user(name, user_pointer(from), sizeof(name), &length);

	if (status != OK && status != ERR_RANGE)
		return copy_errno(status);
	name[TASK_NAME - 1] = 0; /* a longer name is cut */
	memcpy(task_current()->name, name, sizeof(name));
	return 0;
}

static int64_t set_secure_bits(uint32_t bits)
{
	const struct credentials *old = rights_current();
	const uint32_t locks = old->secure_bits & SECURE_ALL_LOCKS;
	struct credentials *who;

	/* A lock bit cannot be cleared, and while it is set the bit that it locks cannot be changed. */
	if (locks >> 1 & (old->secure_bits ^ bits) || locks & ~bits ||
	    bits & ~(uint32_t)(SECURE_ALL | SECURE_ALL_LOCKS))
		return -EPERM;
	if (!rights_can(CAP_SETPCAP))
		return -EPERM;
	who = credentials_copy(old);
	if (!who)
		return -ENOMEM;
	who->secure_bits = bits;
	return rights_replace(who);
}

static int64_t set_keep_capabilities(uint64_t keep)
{
	struct credentials *who;

	if (keep > 1)
		return -EINVAL;
	if (rights_current()->secure_bits & SECURE_KEEP_CAPS_LOCKED)
		return -EPERM;
	who = credentials_copy(rights_current());
	if (!who)
		return -ENOMEM;
	who->secure_bits = (who->secure_bits & ~(uint32_t)SECURE_KEEP_CAPS) | (keep ? SECURE_KEEP_CAPS : 0);
	return rights_replace(who);
}

static int64_t drop_bounding(uint64_t which)
{
	struct credentials *who;

	if (!rights_can(CAP_SETPCAP))
		return -EPERM;
	if (which >= CAPABILITIES)
		return -EINVAL;
	who = credentials_copy(rights_current());
	if (!who)
		return -ENOMEM;
	who->bounding &= ~CAPABILITY(which);
	return rights_replace(who);
}

static int64_t change_ambient(uint64_t request, uint64_t which)
{
	const struct credentials *old = rights_current();
	struct credentials *who;
	uint64_t bit;

	if (request == AMBIENT_CLEAR_ALL ? which != 0 : which >= CAPABILITIES)
		return -EINVAL;
	bit = CAPABILITY(which);
	if (request == AMBIENT_IS_SET)
		return !!(old->ambient & bit);
	if (request < AMBIENT_RAISE || request > AMBIENT_CLEAR_ALL)
		return -EINVAL;
	if (request == AMBIENT_RAISE &&
	    (!(old->permitted & old->inheritable & bit) || old->secure_bits & SECURE_NO_AMBIENT_RAISE))
		return -EPERM;
	who = credentials_copy(old);
	if (!who)
		return -ENOMEM;
	if (request == AMBIENT_RAISE)
		who->ambient |= bit;
	else
		who->ambient &= request == AMBIENT_LOWER ? ~bit : 0;
	return rights_replace(who);
}

/* Do one of the requests about credentials. Returns prctl(2)'s result. */
static int64_t credentials_request(enum prctl_request request, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const struct credentials *who = rights_current();

	switch (request) {
	case PR_GET_KEEPCAPS:
		return !!(who->secure_bits & SECURE_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return set_keep_capabilities(a);
	case PR_CAPBSET_READ:
		return a < CAPABILITIES ? (int64_t)(who->bounding >> a & 1) : -EINVAL;
	case PR_CAPBSET_DROP:
		return drop_bounding(a);
	case PR_GET_SECUREBITS:
		return who->secure_bits;
	case PR_SET_SECUREBITS:
		return a > UINT32_MAX ? -EPERM : set_secure_bits((uint32_t)a);
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1 || b || c || d)
			return -EINVAL;
		task_current()->rights.no_new_rights = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a || b || c || d ? -EINVAL : task_current()->rights.no_new_rights;
	case PR_CAP_AMBIENT:
		return c || d ? -EINVAL : change_ambient(a, b);
	default:
		if (request <= PR_LAST || request == PR_SET_VMA || request == PR_SET_PTRACER)
			return refuse_feature(-EINVAL, "prctl: an option", request);
		return -EINVAL;
	}
}

SYSCALL_5(prctl, request, a, b, c, d)
{
	struct process *process = process_current();
	struct task *task = task_current();
	int number;

	switch ((uint32_t)request) {
	case PR_SET_PDEATHSIG:
		if (a > SIGNALS)
			return -EINVAL;
		task->rights.parent_death_signal = (int)a;
		process->rights.death_is_awaited |= a != 0;
		return 0;
	case PR_GET_PDEATHSIG:
		number = task->rights.parent_death_signal;
		return args_put(a, &number, sizeof(number));
	case PR_GET_DUMPABLE:
		return process->rights.dumpable;
	case PR_SET_DUMPABLE:
		if (a > DUMPABLE_USER)
			return -EINVAL;
		process->rights.dumpable = (enum dumpable)a;
		return 0;
	case PR_GET_SECCOMP:
		return task->rights.seccomp_mode;
	case PR_SET_SECCOMP:
		return seccomp_set(a, b);
	case PR_SET_NAME:
		return set_name(a);
	case PR_GET_NAME:
		return args_put(a, task->name, TASK_NAME);
	case PR_SET_TIMERSLACK:
		task->slack_ns = a ? a : task->slack_default_ns;
		return 0;
	case PR_GET_TIMERSLACK:
		return (int64_t)task->slack_ns;
	case PR_SET_CHILD_SUBREAPER:
		process->rights.subreaper = a != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		number = process->rights.subreaper;
		return args_put(a, &number, sizeof(number));
	}
	return credentials_request((enum prctl_request)request, a, b, c, d);
}
