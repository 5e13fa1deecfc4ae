/*
 * syslog(2): reads the kernel's log, by kernel/fs/syslog.c, and sets the level of messages that the consoles show.
 */
#include "kernel/fs/kmsg.h"
#include "kernel/lib/log.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/wait_until.h"

enum syslog_action {
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER,
};

#define CONSOLE_OFF 1 /* Linux's minimum_console_loglevel: emergencies are always shown */

/*
 * Read the log's text that was not read yet; wait for it if there is none. Returns how many bytes, -EFAULT,
 * -ERESTARTSYS.
 */
static int64_t read_next(struct user_io *io)
{
	int64_t result;

	while ((result = syslog_read(io)) == -EAGAIN)
		if (WAIT_IN_QUEUE(kmsg_queue(), syslog_has_unread(), TASK_NO_DEADLINE))
			return -ERESTARTSYS;
	return result;
}

static int64_t read_log(enum syslog_action action, uint64_t to, uint64_t size)
{
	struct user_io io;
	int64_t result;

	if (!to || (int)size < 0)
		return -EINVAL;
	if (!(int)size)
		return 0;
	user_io_init(&io, process_current()->space, to, (uint32_t)size);
	if (action == SYSLOG_READ)
		return read_next(&io);
	result = syslog_read_all(&io);
	if (action == SYSLOG_READ_CLEAR && result >= 0)
		syslog_clear();
	return result;
}

/* Set the consoles' level: off, on again with the previous level, or a level from 1 to 8. Returns 0 or -EINVAL. */
static int64_t set_console(enum syslog_action action, uint64_t level)
{
	/*
	 * The level that SYSLOG_CONSOLE_ON restores; -1: the consoles were not turned off. Guard: tasks only, which the
	 * kernel does not preempt.
	 */
	static int level_when_on = -1;

	switch (action) {
	case SYSLOG_CONSOLE_OFF:
		if (level_when_on < 0)
			level_when_on = log_console_level();
		log_set_console_level(CONSOLE_OFF);
		return 0;
	case SYSLOG_CONSOLE_ON:
		if (level_when_on >= 0)
			log_set_console_level(level_when_on);
		level_when_on = -1;
		return 0;
	default:
		if ((int)level < 1 || (int)level > 8)
			return -EINVAL;
		log_set_console_level((int)level);
		level_when_on = -1;
		return 0;
	}
}

SYSCALL_3(syslog, action, to, size)
{
	/*
	 * All actions need CAP_SYSLOG, as with Debian's settings (kernel.dmesg_restrict), since the log shows kernel
	 * addresses.
	 */
	if (!rights_can(CAP_SYSLOG))
		return -EPERM;
	switch ((uint32_t)action) {
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN:
		return 0;
	case SYSLOG_READ:
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return read_log((enum syslog_action)action, to, size);
	case SYSLOG_CLEAR:
		syslog_clear();
		return 0;
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
	case SYSLOG_CONSOLE_LEVEL:
		return set_console((enum syslog_action)action, size);
	case SYSLOG_SIZE_UNREAD:
		return syslog_unread();
	case SYSLOG_SIZE_BUFFER:
		return LOG_TEXT;
	}
	return -EINVAL;
}
