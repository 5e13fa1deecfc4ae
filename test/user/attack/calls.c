/* Which calls a random caller makes, and which not: they would end the test, not the child. See victim.h. */
#include "test/user/attack/victim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mount.h>

#define QUEUES "/queues" /* where remove_queues() mounts them */

static const struct {
	long number;
	const char *reason;
} forbidden_calls[] = {
	{ SYS_reboot, "ends the machine" },
	{ SYS_kexec_load, "ends the machine" },
	{ SYS_kexec_file_load, "ends the machine" },
	{ SYS_kill, "reaches the parent and all others" },
	{ SYS_tkill, "reaches the parent" },
	{ SYS_tgkill, "reaches the parent" },
	{ SYS_rt_sigqueueinfo, "reaches the parent" },
	{ SYS_rt_tgsigqueueinfo, "reaches the parent" },
	{ SYS_pidfd_send_signal, "reaches the parent" },
	{ SYS_ptrace, "reaches the parent" },
	{ SYS_process_vm_writev, "writes to the parent's memory" },
	{ SYS_sched_setscheduler, "a child with real-time priority starves its parent" },
	{ SYS_sched_setparam, "a child with real-time priority starves its parent" },
	{ SYS_sched_setattr, "a child with real-time priority starves its parent" },
	{ SYS_setpriority, "slows the parent down" },
	{ SYS_settimeofday, "sets the clock that others read" },
	{ SYS_clock_settime, "sets the clock that others read" },
	{ SYS_clock_adjtime, "sets the clock that others read" },
	{ SYS_adjtimex, "sets the clock that others read" },
	{ SYS_syslog, "turns the console off" },
	{ SYS_vhangup, "hangs the console up" },
	{ SYS_umount2, "takes the file system away" },
	{ SYS_chroot, "takes the file system away" },
	{ SYS_pivot_root, "takes the file system away" },
	{ SYS_pause, "only waits" },
};

const char *forbidden(long number)
{
	for (size_t i = 0; i < COUNT(forbidden_calls); i++) {
		if (forbidden_calls[i].number == number)
			return forbidden_calls[i].reason;
	}
	return NULL;
}

long attack(long number, long arguments[6])
{
	if (forbidden(number))
		return 0;
	if (number == SYS_prlimit64)
		arguments[0] = 0;
	return sys6(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

/* Remove all message queues of POSIX, whatever their names are: a mount of their file system shows them. */
static void remove_queues(void)
{
	_Alignas(struct dirent) char records[1024];
	long error, directory, size;

	sys(SYS_mkdir, QUEUES, 0700);
	do
		error = sys(SYS_mount, "queues", QUEUES, "mqueue", 0, NULL);
	while (error == -ENOMEM);
	do
		directory = sys(SYS_openat, AT_FDCWD, QUEUES, O_RDONLY | O_DIRECTORY);
	while (directory == -ENOMEM);
	while ((size = sys(SYS_getdents64, directory, records, sizeof(records))) > 0)
		for (long at = 0; at < size; at += ((struct dirent *)(records + at))->d_reclen)
			sys(SYS_unlinkat, directory, ((struct dirent *)(records + at))->d_name, 0);
	sys(SYS_close, directory);
	if (error == 0)
		sys(SYS_umount2, QUEUES, MNT_DETACH);
	sys(SYS_rmdir, QUEUES);
}

void remove_objects(void)
{
	enum { RMID = 0, INFO = 3, SHM_STAT_ANY = 15, SEM_STAT_ANY = 20, MSG_STAT_ANY = 13 };
	char state[512];
	long id;

	remove_queues();
	for (long index = sys(SYS_shmctl, 0, INFO, state); index >= 0; index--) {
		id = sys(SYS_shmctl, index, SHM_STAT_ANY, state);
		if (id >= 0)
			sys(SYS_shmctl, id, RMID, NULL);
	}
	for (long index = sys(SYS_semctl, 0, 0, INFO, state); index >= 0; index--) {
		id = sys(SYS_semctl, index, 0, SEM_STAT_ANY, state);
		if (id >= 0)
			sys(SYS_semctl, id, 0, RMID, NULL);
	}
	for (long index = sys(SYS_msgctl, 0, INFO, state); index >= 0; index--) {
		id = sys(SYS_msgctl, index, MSG_STAT_ANY, state);
		if (id >= 0)
			sys(SYS_msgctl, id, RMID, NULL);
	}
}
