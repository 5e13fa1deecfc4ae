/* Many messages that go at once, and many who wait for one semaphore; see stops.h. */
#define _GNU_SOURCE
#include "test/user/attack/stops.h"

#include <fcntl.h>
#include <mqueue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KEY        0x53544f50  /* of the queue and the set, which stay when who has made them is killed */
#define MESSAGE    (1UL << 20) /* bytes of a message: the most that the kernel allows */
#define OPERATIONS 500         /* of one call: the most that it allows as it starts */

void stops_ipc_remove(void)
{
	sys(SYS_msgctl, sys(SYS_msgget, KEY, 0), IPC_RMID, NULL);
	sys(SYS_semctl, sys(SYS_semget, KEY, 0, 0), 0, IPC_RMID, NULL);
}

static void set_limit(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(2);
	close(fd);
}

/* A queue of System V goes with all its messages. */
static void queue_removed(unsigned long many)
{
	struct {
		long type;
		char bytes[];
	} *message = calloc(1, sizeof(*message) + MESSAGE);
	long id;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	set_limit("/proc/sys/kernel/msgmax", "1048576\n");
	set_limit("/proc/sys/kernel/msgmnb", "2147483647\n");
	id = sys(SYS_msgget, KEY, IPC_CREAT | 0600);
	message->type = 1;
	for (unsigned long i = 0; i < many; i++)
		if (sys(SYS_msgsnd, id, message, MESSAGE, IPC_NOWAIT) != 0)
			_exit(3);
	sys(SYS_msgctl, id, IPC_RMID, NULL);
}

/* A queue of POSIX goes with all its messages. */
static void queue_closed(unsigned long many)
{
	struct mq_attr size = { .mq_maxmsg = (long)many, .mq_msgsize = MESSAGE };
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	char *message = calloc(1, MESSAGE);
	long queue;

	setrlimit(RLIMIT_MSGQUEUE, &limit);
	queue = sys(SYS_mq_open, "stops", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &size);
	sys(SYS_mq_unlink, "stops");
	for (unsigned long i = 0; i < many; i++)
		if (sys(SYS_mq_timedsend, queue, message, MESSAGE, i % 7, NULL) != 0)
			_exit(3);
	sys(SYS_close, queue);
}

/* One call changes a semaphore again and again, for which many wait that get nothing. */
static void semaphore_waiters(unsigned long many)
{
	static struct sembuf operations[OPERATIONS], wanted = { 0, -32767, 0 };
	long id = sys(SYS_semget, KEY, 2, IPC_CREAT | 0600);

	for (unsigned long i = 0; i < many; i++)
		if (fork() == 0) {
			sys(SYS_semop, id, &wanted, 1);
			_exit(0);
		}
	while (sys(SYS_semctl, id, 0, GETNCNT, NULL) < (long)many)
		usleep(1000);
	for (size_t i = 0; i < OPERATIONS; i++)
		operations[i] = (struct sembuf){ i % 2, 1, 0 };
	if (sys(SYS_semop, id, operations, OPERATIONS) != 0)
		_exit(3);
	sys(SYS_semctl, id, 0, IPC_RMID, NULL);
}

const struct stops_case stops_ipc[] = {
	{ "a queue of large messages", queue_removed, 128, 512, 0 },
	{ "a queue of POSIX's with large messages", queue_closed, 128, 512, 0 },
	{ "many who wait for one semaphore", semaphore_waiters, 500, 2000, 0 },
	{ NULL, NULL, 0, 0, 0 },
};
