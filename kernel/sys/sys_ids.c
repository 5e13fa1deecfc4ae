/*
 * System calls about user and group IDs (credentials(7)). Each call that changes IDs computes the four new IDs from the
 * old ones, by rules that are the same for users and groups, and then publishes new credentials.
 */
#include "kernel/sys/user_args.h"
#include "kernel/task/rights.h"

#define UNCHANGED UINT32_MAX /* what programs pass for an ID that stays as it is */

SYSCALL_0(getuid)
{
	return rights_current()->uid.real;
}

SYSCALL_0(geteuid)
{
	return rights_current()->uid.effective;
}

SYSCALL_0(getgid)
{
	return rights_current()->gid.real;
}

SYSCALL_0(getegid)
{
	return rights_current()->gid.effective;
}

static int64_t put_ids(const struct ids *ids, uint64_t real, uint64_t effective, uint64_t saved)
{
	int error = args_put(real, &ids->real, sizeof(ids->real));

	if (!error)
		error = args_put(effective, &ids->effective, sizeof(ids->effective));
	return error ? error : args_put(saved, &ids->saved, sizeof(ids->saved));
}

SYSCALL_3(getresuid, real, effective, saved)
{
	return put_ids(&rights_current()->uid, real, effective, saved);
}

SYSCALL_3(getresgid, real, effective, saved)
{
	return put_ids(&rights_current()->gid, real, effective, saved);
}

/* ---- publishing ---- */

static bool are_same(const struct ids *a, const struct ids *b)
{
	return a->real == b->real && a->effective == b->effective && a->saved == b->saved && a->fs == b->fs;
}

static int set_uids(const struct ids *new)
{
	const struct credentials *old = rights_current();
	struct credentials *who;

	if (are_same(&old->uid, new))
		return 0;
	who = credentials_copy(old);
	if (!who)
		return -ENOMEM;
	who->uid = *new;
	credentials_follow_uid(who, &old->uid);
	return rights_replace(who);
}

static int set_gids(const struct ids *new)
{
	const struct credentials *old = rights_current();
	struct credentials *who;

	if (are_same(&old->gid, new))
		return 0;
	who = credentials_copy(old);
	if (!who)
		return -ENOMEM;
	who->gid = *new;
	return rights_replace(who);
}

/* ---- the rules of the calls; `may`: the caller has the capability to take any ID. They return 0 or an error. ---- */

static bool is_one_of_three(uint32_t id, const struct ids *ids)
{
	return id == ids->real || id == ids->effective || id == ids->saved;
}

/* Change `ids` by the rules of setuid(2) and setgid(2). */
static int change_one(struct ids *ids, uint32_t id, bool may)
{
	if (id == UNCHANGED)
		return -EINVAL;
	if (may)
		ids->real = ids->saved = id;
	else if (id != ids->real && id != ids->saved)
		return -EPERM;
	ids->effective = ids->fs = id;
	return 0;
}

/* Change `ids` by the rules of setreuid(2) and setregid(2). */
static int change_two(struct ids *ids, uint32_t real, uint32_t effective, bool may)
{
	const struct ids old = *ids;

	if (real != UNCHANGED) {
		if (!may && real != old.real && real != old.effective)
			return -EPERM;
		ids->real = real;
	}
	if (effective != UNCHANGED) {
		if (!may && !is_one_of_three(effective, &old))
			return -EPERM;
		ids->effective = effective;
	}
	if (real != UNCHANGED || (effective != UNCHANGED && effective != old.real))
		ids->saved = ids->effective;
	ids->fs = ids->effective;
	return 0;
}

/* Change `ids` by the rules of setresuid(2) and setresgid(2). */
static int change_three(struct ids *ids, uint32_t real, uint32_t effective, uint32_t saved, bool may)
{
	const struct ids old = *ids;

	if (real != UNCHANGED)
		ids->real = real;
	if (effective != UNCHANGED)
		ids->effective = effective;
	if (saved != UNCHANGED)
		ids->saved = saved;
	if (!may && !(is_one_of_three(ids->real, &old) && is_one_of_three(ids->effective, &old) &&
		      is_one_of_three(ids->saved, &old)))
		return -EPERM;
	ids->fs = ids->effective;
	return 0;
}

SYSCALL_1(setuid, id)
{
	struct ids ids = rights_current()->uid;
	int error = change_one(&ids, (uint32_t)id, rights_can(CAP_SETUID));

	return error ? error : set_uids(&ids);
}

SYSCALL_1(setgid, id)
{
	struct ids ids = rights_current()->gid;
	int error = change_one(&ids, (uint32_t)id, rights_can(CAP_SETGID));

	return error ? error : set_gids(&ids);
}

SYSCALL_2(setreuid, real, effective)
{
	struct ids ids = rights_current()->uid;
	int error = change_two(&ids, (uint32_t)real, (uint32_t)effective, rights_can(CAP_SETUID));

	return error ? error : set_uids(&ids);
}

SYSCALL_2(setregid, real, effective)
{
	struct ids ids = rights_current()->gid;
	int error = change_two(&ids, (uint32_t)real, (uint32_t)effective, rights_can(CAP_SETGID));

	return error ? error : set_gids(&ids);
}

SYSCALL_3(setresuid, real, effective, saved)
{
	struct ids ids = rights_current()->uid;
	int error = change_three(&ids, (uint32_t)real, (uint32_t)effective, (uint32_t)saved, rights_can(CAP_SETUID));

	return error ? error : set_uids(&ids);
}

SYSCALL_3(setresgid, real, effective, saved)
{
	struct ids ids = rights_current()->gid;
	int error = change_three(&ids, (uint32_t)real, (uint32_t)effective, (uint32_t)saved, rights_can(CAP_SETGID));

	return error ? error : set_gids(&ids);
}

/* setfsuid(2) and setfsgid(2) return the previous ID, whether they changed it or not, and no error but -ENOMEM. */
SYSCALL_1(setfsuid, id)
{
	const struct credentials *old = rights_current();
	const uint32_t before = old->uid.fs, wanted = (uint32_t)id;
	struct credentials *who;

	if (wanted == UNCHANGED || wanted == before || !(is_one_of_three(wanted, &old->uid) || rights_can(CAP_SETUID)))
		return before;
	who = credentials_copy(old);
	if (!who)
		return -ENOMEM;
	who->uid.fs = wanted;
	credentials_follow_fs_uid(who, before);
	return rights_replace(who) ? -ENOMEM : (int64_t)before;
}

SYSCALL_1(setfsgid, id)
{
	struct ids ids = rights_current()->gid;
	const uint32_t before = ids.fs, wanted = (uint32_t)id;

	if (wanted == UNCHANGED || !(is_one_of_three(wanted, &ids) || rights_can(CAP_SETGID)))
		return before;
	ids.fs = wanted;
	return set_gids(&ids) ? -ENOMEM : (int64_t)before;
}
