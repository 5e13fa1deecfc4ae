/*
 * fcntl(2) and ioctl(2) about signals from files; see file_signals.h.
 */
#include "kernel/sys/file_signals.h"

#include "kernel/sys/user_args.h"
#include "kernel/task/file_owner.h"

enum owner_command {
	F_SETOWN = 8,
	F_GETOWN,
	F_SETSIG,
	F_GETSIG,
	F_SETOWN_EX = 15,
	F_GETOWN_EX,
	F_GETOWNER_UIDS,
};

enum owner_request {
	FIOASYNC = 0x5452,
	FIOSETOWN = 0x8901,
	SIOCSPGRP,
	FIOGETOWN,
	SIOCGPGRP,
};

/*
 * Set the owner, who gets the file's signals: process `who`, or group -`who` if `who` is negative. Returns 0 or an
 * error.
 */
static int set_by_sign(struct file *file, int32_t who)
{
	if (who == INT32_MIN)
		return -EINVAL;
	if (who < 0)
		return file_owner_set(file, (struct file_owner_ex){ FILE_OWNER_GROUP, -who });
	return file_owner_set(file, (struct file_owner_ex){ FILE_OWNER_PROCESS, who });
}

static int32_t get_by_sign(const struct file *file)
{
	const struct file_owner_ex who = file_owner_get(file);

	return who.type == FILE_OWNER_GROUP ? -who.id : who.id;
}

static int set_extended(struct file *file, uint64_t from)
{
	struct file_owner_ex who;
	int error = args_get(&who, from, sizeof(who));

	return error ? error : file_owner_set(file, who);
}

static int get_extended(const struct file *file, uint64_t to)
{
	const struct file_owner_ex who = file_owner_get(file);

	return args_put(to, &who, sizeof(who));
}

static int get_uids(const struct file *file, uint64_t to)
{
	uint32_t uids[2];

	file_owner_uids(file, uids);
	return args_put(to, uids, sizeof(uids));
}

int64_t fcntl_owner(struct file *file, unsigned command, uint64_t value)
{
	switch (command) {
	case F_SETOWN:
		return set_by_sign(file, (int32_t)value);
	case F_GETOWN:
		return get_by_sign(file);
	case F_SETSIG:
		return file_owner_set_signal(file, value);
	case F_GETSIG:
		return file_owner_signal(file);
	case F_SETOWN_EX:
		return set_extended(file, value);
	case F_GETOWN_EX:
		return get_extended(file, value);
	case F_GETOWNER_UIDS:
		return get_uids(file, value);
	}
	return -EINVAL;
}

int file_signals_set_flags(struct file *file, int fd, unsigned flags)
{
	int error = 0;

	if (flags & O_DIRECT && !node_is(file->node, S_IFIFO))
		return -EINVAL;
	if ((file->flags ^ flags) & O_ASYNC && file_owner_is_possible(file)) {
		if (flags & O_ASYNC)
			error = file_owner_begin(file, fd);
		else
			file_owner_end(file);
	}
	if (!error)
		file_set_flags(file, flags);
	return error;
}

/* Do FIOASYNC. */
static int set_async(struct file *file, int fd, uint64_t from)
{
	uint32_t on;
	int error = args_get(&on, from, sizeof(on));

	if (error)
		return error;
	if (!on == !(file->flags & O_ASYNC))
		return 0;
	if (!file_owner_is_possible(file))
		return -ENOTTY;
	return file_signals_set_flags(file, fd, file->flags ^ O_ASYNC);
}

bool file_signals_ioctl(struct file *file, int fd, unsigned request, uint64_t value, int64_t *ret)
{
	int32_t who;

	if (file->flags & O_PATH || (request != FIOASYNC && !node_is(file->node, S_IFSOCK)))
		return false;
	switch (request) {
	case FIOASYNC:
		*ret = set_async(file, fd, value);
		return true;
	case FIOSETOWN:
	case SIOCSPGRP:
		*ret = args_get(&who, value, sizeof(who));
		if (!*ret)
			*ret = set_by_sign(file, who);
		return true;
	case FIOGETOWN:
	case SIOCGPGRP:
		who = get_by_sign(file);
		*ret = args_put(value, &who, sizeof(who));
		return true;
	}
	return false;
}
