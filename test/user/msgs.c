/*
 * Tests System V's message queues: msgget, msgsnd, msgrcv, msgctl, and /proc/sysvipc/msg.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KEY      0x4d534731
#define STRANGER 1234
#define LARGEST  8192
#define ROOM     16384

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

/* The structure that IPC_INFO fills in: Linux's struct msginfo, which musl does not declare. */
struct limits {
	int pool, map, max, mnb, mni, ssz, tql;
	unsigned short seg, unused;
};

static struct {
	long type;
	char bytes[LARGEST + 1];
} message;

static long get(long key, int flags)
{
	return sys(SYS_msgget, key, flags);
}

static long control(long id, int command, void *argument)
{
	return sys(SYS_msgctl, id, command, argument);
}

/* Send a message of `size` bytes, each of which is the lowest byte of `type`. */
static long send(long id, long type, size_t size, int flags)
{
	message.type = type;
	memset(message.bytes, (int)type, size);
	return sys(SYS_msgsnd, id, &message, size, flags);
}

static long receive(long id, long type, size_t size, int flags)
{
	message.type = 0;
	memset(message.bytes, -1, sizeof(message.bytes));
	return sys(SYS_msgrcv, id, &message, size, type, flags);
}

/* Receive a message. Returns its type, or an error. */
static long next_type(long id, long type, int flags)
{
	long result = receive(id, type, LARGEST, flags | IPC_NOWAIT);

	return result < 0 ? result : message.type;
}

static long count(long id)
{
	struct msqid_ds state;
	long error = control(id, IPC_STAT, &state);

	return error ? error : (long)state.msg_qnum;
}

static void test_get(void)
{
	struct msqid_ds state;
	long id, other;

	is(get(KEY, 0600), -ENOENT, "msgget: no such key");
	id = get(KEY, IPC_CREAT | IPC_EXCL | 0640);
	is_true(id >= 0, id, "a queue is made");
	is(get(KEY, 0600), id, "and found");
	is(get(KEY, IPC_CREAT | IPC_EXCL), -EEXIST, "IPC_EXCL wants a new one");
	is(control(id, IPC_STAT, &state), 0, "IPC_STAT");
	is((long)state.msg_qbytes, ROOM, "says how much fits");
	is((long)state.msg_qnum, 0, "and is in it");
	is(state.msg_perm.mode, 0640, "the permissions");
	is_true(state.msg_ctime > 0 && !state.msg_stime && !state.msg_rtime, state.msg_ctime, "and when it was made");
	other = get(IPC_PRIVATE, 0600);
	is_true(other >= 0 && other != id, other, "IPC_PRIVATE");
	is(control(other, IPC_RMID, NULL), 0, "IPC_RMID");
	is(send(other, 1, 1, 0), -EINVAL, "then it is gone");
	is(receive(other, 1, 1, 0), -EINVAL, "for who receives, too");
	is(control(id, IPC_RMID, NULL), 0, "the first goes as well");
	is(get(KEY, 0), -ENOENT, "with its key");
	is(control(-1, IPC_STAT, &state), -EINVAL, "a negative id");
	is(control(0, 99, &state), -EINVAL, "an unknown command");
}

static void test_types(void)
{
	long id = get(IPC_PRIVATE, 0600);
	static const long types[] = { 5, 3, 7, 3, 1, 9 };

	for (size_t i = 0; i < COUNT(types); i++)
		is(send(id, types[i], (size_t)types[i], 0), 0, "msgsnd");
	is(count(id), COUNT(types), "all are in the queue");
	is(next_type(id, 0, 0), 5, "the first comes first");
	is(next_type(id, 3, 0), 3, "or the first of a type");
	is(next_type(id, 3, 0), 3, "and the next of it");
	is(next_type(id, 3, 0), -ENOMSG, "until there is none");
	is(next_type(id, -8, 0), 1, "or the lowest type up to one");
	is(next_type(id, -8, 0), 7, "and the next of these");
	is(next_type(id, -8, 0), -ENOMSG, "until there is none");
	send(id, 4, 1, 0);
	is(next_type(id, 9, MSG_EXCEPT), 4, "or any type but one");
	is(next_type(id, 9, MSG_EXCEPT), -ENOMSG, "which is all that is left");
	is(receive(id, 0, 8, IPC_NOWAIT), -E2BIG, "a message that is too long stays");
	is(count(id), 1, "in the queue");
	is(receive(id, 0, 8, IPC_NOWAIT | MSG_NOERROR), 8, "or is cut off");
	is(message.bytes[7] * 1000 + message.bytes[8], 9 * 1000 - 1, "after what was asked for");
	is(count(id), 0, "the rest is lost");
	is(receive(id, 0, LARGEST, IPC_NOWAIT), -ENOMSG, "an empty queue");
	send(id, 1, 0, 0);
	is(receive(id, 0, 0, 0), 0, "a message without bytes");
	is(message.type, 1, "has a type");
	control(id, IPC_RMID, NULL);
}

static void test_copies(void)
{
	long id = get(IPC_PRIVATE, 0600), result;

	send(id, 1, 10, 0);
	send(id, 2, 20, 0);
	result = receive(id, 1, LARGEST, IPC_NOWAIT | MSG_COPY);
	is(result, 20, "MSG_COPY: the second");
	is(message.type * 1000 + message.bytes[19], 2002, "with its bytes");
	is(count(id), 2, "which stays");
	is(receive(id, 2, LARGEST, IPC_NOWAIT | MSG_COPY), -ENOMSG, "there is no third");
	is(receive(id, 1, LARGEST, MSG_COPY), -EINVAL, "MSG_COPY does not wait");
	is(receive(id, 1, LARGEST, IPC_NOWAIT | MSG_COPY | MSG_EXCEPT), -EINVAL, "and has no MSG_EXCEPT");
	control(id, IPC_RMID, NULL);
}

/* Return whether all of `size` bytes are `byte`, and whether the byte behind them has been left alone. */
static bool is_whole(size_t size, char byte)
{
	for (size_t i = 0; i < size; i++)
		if (message.bytes[i] != byte)
			return false;
	return size > LARGEST || message.bytes[size] == -1;
}

static void test_sizes(void)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 2048, 2049, 4095, 4096, 4097, 5000, 8191, 8192 };
	long id = get(IPC_PRIVATE, 0600);
	struct msqid_ds state;
	char *edge;

	for (size_t i = 0; i < COUNT(sizes); i++) {
		send(id, 17, 100, 0);
		is(send(id, (long)i + 1, sizes[i], 0), 0, "a size");
		receive(id, 17, LARGEST, 0);
		is(receive(id, 0, LARGEST, 0), (long)sizes[i], "comes as it went");
		is_true(is_whole(sizes[i], (char)(i + 1)), (long)sizes[i], "with all its bytes");
	}
	is(send(id, 1, LARGEST + 1, 0), -EINVAL, "a message that is too long");
	is(send(id, 0, 1, 0), -EINVAL, "no type");
	is(send(id, -1, 1, 0), -EINVAL, "a negative type");
	is(sys(SYS_msgsnd, id, (void *)8, 1, 0), -EFAULT, "a message that is not there");
	edge = (char *)fresh(2 * PAGE, PROT_READ | PROT_WRITE) + PAGE;
	sys(SYS_munmap, edge, PAGE);
	edge[-8] = 1;
	is(sys(SYS_msgsnd, id, edge - 8, 1, 0), -EFAULT, "one of which only the type is there");
	send(id, 1, 1, 0);
	is(sys(SYS_msgrcv, id, edge - 8, 1, 0, 0), -EFAULT, "nor can one be received there");
	receive(id, 0, 1, IPC_NOWAIT);
	is(receive(id, 0, (size_t)-1, IPC_NOWAIT), -EINVAL, "a negative size");
	send(id, 1, LARGEST, 0);
	send(id, 2, LARGEST, 0);
	is(send(id, 3, 1, IPC_NOWAIT), -EAGAIN, "a full queue");
	is(send(id, 3, 0, 0), 0, "takes a message without bytes");
	control(id, IPC_STAT, &state);
	is((long)state.msg_qnum * 100000 + (long)state.__msg_cbytes, 3 * 100000 + ROOM, "IPC_STAT counts");
	is(state.msg_lspid, getpid(), "who sent");
	is(state.msg_lrpid, getpid(), "who received");
	is_true(state.msg_stime > 0 && state.msg_rtime > 0, state.msg_stime, "and when");
	control(id, IPC_RMID, NULL);
	id = get(IPC_PRIVATE, 0600);
	for (long sent = 0; sent < ROOM; sent++)
		if (send(id, 1, 0, IPC_NOWAIT) != 0)
			bail("messages without bytes", sent);
	is(send(id, 1, 0, IPC_NOWAIT), -EAGAIN, "there is an end to messages without bytes, too");
	is(count(id), ROOM, "as many as bytes");
	control(id, IPC_RMID, NULL);
}

struct job {
	long id, type;
	size_t size;
	int flags;
	bool sends;
};

static int do_job(void *argument)
{
	const struct job *job = argument;
	long result = job->sends ? send(job->id, job->type, job->size, job->flags)
				 : receive(job->id, job->type, job->size, job->flags);

	return (int)(result < 0 ? -result : job->sends ? 0 : message.type + 100);
}

static pid_t start(struct job job)
{
	pid_t child = fork();

	if (!child)
		_exit(do_job(&job));
	return child;
}

/* Wait until a child sleeps. */
static void await(pid_t child)
{
	char path[32], line[256];
	int fd;
	long size;

	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	do {
		fd = open(path, O_RDONLY);
		size = read(fd, line, sizeof(line) - 1);
		close(fd);
		line[size > 0 ? size : 0] = 0;
	} while (!strstr(line, ") S "));
}

static long end_of(pid_t child)
{
	int status = -1;

	sys(SYS_wait4, child, &status, 0, NULL);
	return status;
}

static void on_signal(int signal)
{
	(void)signal;
}

static void test_waiting(void)
{
	long id = get(IPC_PRIVATE, 0600);
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct msqid_ds state;
	pid_t first, second, third;

	sigaction(SIGUSR1, &action, NULL);
	first = start((struct job){ id, 2, 100, 0, false });
	await(first);
	second = start((struct job){ id, 0, 100, 0, false });
	await(second);
	is(send(id, 3, 10, 0), 0, "a message for who waits for any");
	is(count(id), 0, "he has it at once");
	is(end_of(second), EXITED(103), "and gets it");
	send(id, 2, 10, 0);
	is(end_of(first), EXITED(102), "one for who waits for its type");
	control(id, IPC_STAT, &state);
	is(state.msg_lrpid, first, "who received");
	first = start((struct job){ id, 0, 5, 0, false });
	await(first);
	second = start((struct job){ id, 0, 50, 0, false });
	await(second);
	send(id, 1, 10, 0);
	is(end_of(first), EXITED(E2BIG), "too long for the first who waits");
	is(end_of(second), EXITED(101), "it is the second's");
	first = start((struct job){ id, -4, 50, 0, false });
	await(first);
	send(id, 5, 1, 0);
	is(count(id), 1, "a type too high for who waits");
	send(id, 4, 1, 0);
	is(end_of(first), EXITED(104), "and one that is not");
	next_type(id, 0, 0);
	send(id, 1, LARGEST, 0);
	send(id, 1, LARGEST, 0);
	first = start((struct job){ id, 6, 100, 0, true });
	await(first);
	is(count(id), 2, "a sender waits for room");
	receive(id, 0, LARGEST, 0);
	is(end_of(first), 0, "until there is some");
	is(count(id), 2, "and sends then");
	first = start((struct job){ id, 6, LARGEST, 0, true });
	await(first);
	kill(first, SIGUSR1);
	is(end_of(first), EXITED(EINTR), "a handler ends a sender's wait, with SA_RESTART too");
	second = start((struct job){ id, 99, 1, 0, false });
	await(second);
	kill(second, SIGUSR1);
	is(end_of(second), EXITED(EINTR), "and a receiver's");
	second = start((struct job){ id, 99, 1, 0, false });
	await(second);
	kill(second, SIGKILL);
	is(end_of(second), KILLED(SIGKILL), "a receiver is killed");
	first = start((struct job){ id, 6, LARGEST, 0, true });
	await(first);
	second = start((struct job){ id, 99, 1, 0, false });
	await(second);
	third = start((struct job){ id, 98, 1, 0, false });
	await(third);
	is(control(id, IPC_RMID, NULL), 0, "the queue goes");
	is(end_of(first), EXITED(EIDRM), "which is EIDRM for a sender");
	is(end_of(second), EXITED(EIDRM), "and a receiver");
	is(end_of(third), EXITED(EIDRM), "and another");
}

static int as_stranger(void *argument)
{
	long id = *(long *)argument;
	struct msqid_ds state;

	if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0)
		return 1;
	if (send(id, 1, 1, 0) != -EACCES || receive(id, 0, 1, IPC_NOWAIT) != -ENOMSG)
		return 2;
	if (control(id, IPC_RMID, NULL) != -EPERM || control(id, IPC_STAT, &state) != 0)
		return 3;
	if (control(id, IPC_SET, &state) != -EPERM)
		return 4;
	return get(KEY, 0200) != -EACCES;
}

static int as_owner(void *argument)
{
	long id = *(long *)argument;
	struct msqid_ds state;

	if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0 || control(id, IPC_STAT, &state) != 0)
		return 1;
	state.msg_qbytes = ROOM + 1;
	if (control(id, IPC_SET, &state) != -EPERM)
		return 2;
	state.msg_qbytes = 100;
	if (control(id, IPC_SET, &state) != 0 || send(id, 1, 101, IPC_NOWAIT) != -EAGAIN)
		return 3;
	return 0;
}

static bool has_line(const char *path, const char *start_of_line)
{
	char line[512];
	bool found = false;
	FILE *file = fopen(path, "r");

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, start_of_line, strlen(start_of_line)) == 0;
	if (file)
		fclose(file);
	return found;
}

static long write_to(const char *path, const char *text)
{
	int fd = (int)sys(SYS_open, path, O_WRONLY);
	long result = fd < 0 ? fd : sys(SYS_write, fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return result < 0 ? result : 0;
}

static void test_rights_and_proc(void)
{
	long id = get(KEY, IPC_CREAT | 0604);
	struct msqid_ds state;
	struct limits info;
	char line[256];

	is_true(control(0, IPC_INFO, &info) >= 0, 0, "IPC_INFO");
	is(info.max, LARGEST, "MSGMAX");
	is(info.mnb, ROOM, "MSGMNB");
	is(info.mni, 32000, "MSGMNI");
	send(id, 1, 30, 0);
	is_true(control(0, MSG_INFO, &info) >= (id & 0x7fff), 0, "MSG_INFO tells the highest index");
	is_true(info.pool >= 1 && info.map >= 1 && info.tql >= 30, info.tql, "and how much there is");
	is(control(id & 0x7fff, MSG_STAT, &state), id, "MSG_STAT");
	is(control(id & 0x7fff, MSG_STAT_ANY, &state), id, "MSG_STAT_ANY");
	is_true(has_line("/proc/sysvipc/msg", "       key      msqid perms      cbytes       qnum lspid lrpid   uid   "
					      "gid  cuid  cgid      stime      rtime      ctime"),
		0, "the titles of /proc/sysvipc/msg");
	snprintf(line, sizeof(line), "%10d %10ld   604  %10u %10u %5u %5u %5u %5u %5u %5u ", KEY, id, 30, 1,
		 (unsigned)getpid(), 0, geteuid(), getegid(), geteuid(), getegid());
	is_true(has_line("/proc/sysvipc/msg", line), 0, "a queue's line");
	is_true(has_line("/proc/sys/kernel/msgmax", "8192\n"), 0, "/proc/sys/kernel/msgmax");
	is_true(has_line("/proc/sys/kernel/msgmnb", "16384\n"), 0, "/proc/sys/kernel/msgmnb");
	is_true(has_line("/proc/sys/kernel/msgmni", "32000\n"), 0, "/proc/sys/kernel/msgmni");
	next_type(id, 0, 0);
	if (geteuid() == 0) {
		is(in_child(as_stranger, &id), EXITED(0), "what a stranger may do");
		control(id, IPC_STAT, &state);
		state.msg_perm.uid = STRANGER;
		state.msg_perm.mode = 0600;
		is(control(id, IPC_SET, &state), 0, "IPC_SET");
		is(in_child(as_owner, &id), EXITED(0), "what its owner may do");
		control(id, IPC_STAT, &state);
		is((long)state.msg_qbytes, 100, "the owner has made it small");
		is(write_to("/proc/sys/kernel/msgmax", "10\n"), 0, "msgmax is set");
		is(send(id, 1, 11, IPC_NOWAIT), -EINVAL, "and bounds messages");
		write_to("/proc/sys/kernel/msgmax", "8192\n");
		is(write_to("/proc/sys/kernel/msgmni", "1\n"), 0, "msgmni is set");
		is(get(IPC_PRIVATE, 0600), -ENOSPC, "and bounds queues");
		write_to("/proc/sys/kernel/msgmni", "32000\n");
		is(write_to("/proc/sys/kernel/msg_next_id", "98304\n"), 0, "msg_next_id");
		control(id, IPC_RMID, NULL);
		id = get(IPC_PRIVATE, 0600);
		is(id, 98304, "is the id of the next queue");
		is_true(has_line("/proc/sys/kernel/msg_next_id", "-1\n"), 0, "and of that only");
	}
	control(id, IPC_RMID, NULL);
}

/* Let two processes talk to each other through one queue, with message types that say who shall receive. */
static void test_ping_pong(void)
{
	long id = get(IPC_PRIVATE, 0600);
	pid_t child = fork();

	if (!child) {
		for (int i = 0; i < 500; i++)
			if (receive(id, 1, LARGEST, 0) < 0 || send(id, 2, (size_t)(i * 13), 0) != 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 500; i++)
		if (send(id, 1, (size_t)(i * 7), 0) != 0 || receive(id, 2, LARGEST, 0) != i * 13 ||
		    !is_whole((size_t)i * 13, 2))
			bail("ping-pong", i);
	is(end_of(child), 0, "500 messages there and back");
	is(count(id), 0, "none is left");
	control(id, IPC_RMID, NULL);
}

int main(void)
{
	/* Linux has no /proc yet when this program is its first one. */
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	test_get();
	test_types();
	test_copies();
	test_sizes();
	test_waiting();
	test_rights_and_proc();
	test_ping_pong();
	return finish();
}
