/*
 * capget(2) and capset(2). Programs pass sets of capabilities as words of 32 bits; version 1 has one word of each set,
 * later versions have two.
 */
#include "kernel/sys/user_args.h"
#include "kernel/task/rights.h"

#define VERSION_1 0x19980330U /* _LINUX_CAPABILITY_VERSION_1 */
#define VERSION_2 0x20071026U
#define VERSION_3 0x20080522U

struct capability_header {
	uint32_t version;
	int32_t pid;
};

/* Linux's struct __user_cap_data_struct: one word of 32 capabilities of each set. */
struct capability_data {
	uint32_t effective, permitted, inheritable;
};

/*
 * Get the header. *ret_words: how many struct capability_data the program passes. For an unknown version the latest one
 * is written into the header, as the answer to a program that asks for it, and *ret_words is 0. Returns 0 or -EFAULT.
 */
static int get_header(uint64_t from, struct capability_header *ret, unsigned *ret_words)
{
	int error = args_get(ret, from, sizeof(*ret));

	if (error)
		return error;
	*ret_words = 0;
	if (ret->version == VERSION_1) {
		*ret_words = 1;
	} else if (ret->version == VERSION_2 || ret->version == VERSION_3) {
		*ret_words = 2;
	} else {
		const uint32_t latest = VERSION_3;

		return args_put(from, &latest, sizeof(latest));
	}
	return 0;
}

SYSCALL_2(capget, from, to)
{
	struct capability_data data[2];
	struct capability_header header;
	unsigned words;
	int error = get_header(from, &header, &words);

	if (error)
		return error;
	if (!words)
		return to ? -EINVAL : 0;
	if (!to)
		return 0;
	if (header.pid < 0)
		return -EINVAL;
	{
		HELD_TASK struct task *task = header.pid ? task_find(header.pid) : task_get(task_current());
		HELD_CREDENTIALS const struct credentials *who = task ? rights_of_task(task) : NULL;

		if (!who)
			return -ESRCH;
		for (unsigned i = 0; i < 2; i++)
			data[i] = (struct capability_data){ (uint32_t)(who->effective >> 32 * i),
							    (uint32_t)(who->permitted >> 32 * i),
							    (uint32_t)(who->inheritable >> 32 * i) };
	}
	return args_put(to, data, words * sizeof(data[0]));
}

/* Return whether a task with the credentials `old` may change them to `who`, by the rules of capset(2). */
static bool may_become(const struct credentials *old, const struct credentials *who)
{
	if (who->inheritable & ~(old->inheritable | old->permitted) && !credentials_can(old, CAP_SETPCAP))
		return false;
	return !(who->inheritable & ~(old->inheritable | old->bounding)) && !(who->permitted & ~old->permitted) &&
	       !(who->effective & ~who->permitted);
}

SYSCALL_2(capset, from, sets)
{
	const struct credentials *old = rights_current();
	struct capability_data data[2] = { { 0 } };
	struct capability_header header;
	struct credentials *who;
	unsigned words;
	int error = get_header(from, &header, &words);

	if (error)
		return error;
	if (!words)
		return -EINVAL;
	if (header.pid && header.pid != task_current()->tid)
		return -EPERM;
	error = args_get(data, sets, words * sizeof(data[0]));
	if (error)
		return error;
	who = credentials_copy(old);
	if (!who)
		return -ENOMEM;
	who->effective = (data[0].effective | (uint64_t)data[1].effective << 32) & CAPABILITIES_ALL;
	who->permitted = (data[0].permitted | (uint64_t)data[1].permitted << 32) & CAPABILITIES_ALL;
	who->inheritable = (data[0].inheritable | (uint64_t)data[1].inheritable << 32) & CAPABILITIES_ALL;
	who->ambient &= who->permitted & who->inheritable;
	if (!may_become(old, who)) {
		credentials_put(who);
		return -EPERM;
	}
	return rights_replace(who);
}
