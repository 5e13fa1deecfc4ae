/*
 * Tests POSIX message queues: mq_open, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr, and their file system.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define NAME     "queue" /* the C library passes a queue's name "/queue" so */
#define OTHER    "other"
#define MOUNT    "/tmp/.mqueue"
#define STRANGER 1234
#define MOST     32768 /* all priorities are below this */
#define LARGEST  8192

static char bytes[LARGEST + 1];

static int make(const char *name, int flags, long most, long size)
{
	struct mq_attr attributes = { .mq_maxmsg = most, .mq_msgsize = size };

	return (int)sys(SYS_mq_open, name, O_CREAT | O_RDWR | flags, 0600, &attributes);
}

static long send(int queue, size_t size, unsigned priority)
{
	memset(bytes, (int)priority, size);
	return sys(SYS_mq_timedsend, queue, bytes, size, priority, NULL);
}

/* Receive a message. Returns its priority, or an error. */
static long receive(int queue)
{
	unsigned priority = 0;
	long size = sys(SYS_mq_timedreceive, queue, bytes, LARGEST, &priority, NULL);

	return size < 0 ? size : (long)priority;
}

static long waiting(int queue)
{
	struct mq_attr attributes;
	long error = sys(SYS_mq_getsetattr, queue, NULL, &attributes);

	return error ? error : attributes.mq_curmsgs;
}

static void test_open(void)
{
	struct mq_attr attributes, wrong = { .mq_maxmsg = 0, .mq_msgsize = 1 };
	char longest[300];
	struct stat state;
	int queue, other;

	is(sys(SYS_mq_open, NAME, O_RDWR, 0, NULL), -ENOENT, "mq_open: no such queue");
	is(sys(SYS_mq_unlink, NAME), -ENOENT, "mq_unlink: nor can it be removed");
	is(sys(SYS_mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL), -EACCES, "a slash in the name");
	is(sys(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, NULL), -ENOENT, "no name");
	is(sys(SYS_mq_open, "..", O_RDWR | O_CREAT, 0600, NULL), -EACCES, "two dots");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	is(sys(SYS_mq_open, longest, O_RDWR | O_CREAT, 0600, NULL), -ENAMETOOLONG, "a name that is too long");
	is(sys(SYS_mq_open, (char *)8, O_RDWR | O_CREAT, 0600, NULL), -EFAULT, "a name that is not there");
	is(sys(SYS_mq_open, NAME, O_RDWR | O_CREAT, 0600, (char *)8), -EFAULT, "attributes that are not there");
	is(sys(SYS_mq_open, NAME, O_RDWR | O_CREAT, 0600, &wrong), -EINVAL, "no messages");
	is(make(NAME, 0, 1, 0), -EINVAL, "messages of no bytes");
	is(make(NAME, 0, 100000, 8), -EINVAL, "too many messages");
	umask(022);
	queue = (int)sys(SYS_mq_open, NAME, O_RDWR | O_CREAT | O_EXCL, 0666, NULL);
	is_true(queue >= 0, queue, "a queue is made");
	is(sys(SYS_fcntl, queue, F_GETFD), FD_CLOEXEC, "its descriptor is closed on exec");
	is(sys(SYS_fstat, queue, &state), 0, "fstat");
	is(state.st_mode, S_IFREG | 0644, "says the mode");
	is((long)state.st_size, 80, "and a size");
	is(sys(SYS_mq_getsetattr, queue, NULL, &attributes), 0, "mq_getattr");
	is(attributes.mq_maxmsg * 100000 + attributes.mq_msgsize, 10 * 100000 + LARGEST, "the defaults");
	is(attributes.mq_curmsgs + attributes.mq_flags, 0, "nothing is in it");
	is(sys(SYS_mq_open, NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), -EEXIST, "O_EXCL wants a new one");
	is(sys(SYS_mq_open, NAME, 3, 0, NULL), -EINVAL, "a mode to open that is none");
	other = (int)sys(SYS_mq_open, NAME, O_RDONLY | O_NONBLOCK, 0, NULL);
	is_true(other >= 0 && other != queue, other, "it is opened again");
	is(send(other, 1, 1), -EBADF, "to read only");
	is(send(queue, 3, 7), 0, "what one sends");
	is(receive(other), 7, "the other receives");
	is(receive(other), -EAGAIN, "O_NONBLOCK");
	close(other);
	other = (int)sys(SYS_mq_open, NAME, O_WRONLY, 0, NULL);
	is(receive(other), -EBADF, "or opened to write only");
	is(sys(SYS_mq_unlink, NAME), 0, "mq_unlink");
	is(sys(SYS_mq_open, NAME, O_RDWR, 0, NULL), -ENOENT, "the name is gone");
	is(send(other, 3, 9), 0, "the queue is not");
	is(receive(queue), 9, "while it is open");
	close(queue);
	close(other);
	is(send(queue, 1, 1), -EBADF, "a closed descriptor");
	is(receive(queue), -EBADF, "closed to receive, too");
	queue = (int)sys(SYS_open, "/dev/null", O_RDWR);
	is(send(queue, 1, 1), -EBADF, "what is no queue");
	is(sys(SYS_mq_getsetattr, queue, NULL, &attributes), -EBADF, "has no attributes");
	close(queue);
}

static void test_messages(void)
{
	static const unsigned order[] = { 3, 1, 3, 0, MOST - 1, 2 };
	static const size_t sizes[] = { 0, 1, 64, 65, 4095, 4096, 4097, 8192 };
	int queue = make(NAME, O_NONBLOCK, 6, LARGEST);
	struct mq_attr change = { .mq_flags = 0 }, old;
	struct timespec now, past = { 1, 0 }, wrong = { 0, 1000000000 };
	unsigned priority;

	for (size_t i = 0; i < COUNT(order); i++) {
		memset(bytes, (int)i, 10);
		is(sys(SYS_mq_timedsend, queue, bytes, 10, order[i], NULL), 0, "mq_timedsend");
	}
	is(waiting(queue), 6, "all are in it");
	is(send(queue, 1, 1), -EAGAIN, "a full queue");
	is(receive(queue), MOST - 1, "the highest priority comes first");
	is(receive(queue), 3, "then the next");
	is(bytes[0], 0, "of equal ones the oldest");
	is(receive(queue), 3, "and the other one");
	is(bytes[0], 2, "after it");
	is(receive(queue) * 100 + receive(queue) * 10 + receive(queue), 210, "down to the lowest");
	is(receive(queue), -EAGAIN, "an empty queue");
	for (size_t i = 0; i < COUNT(sizes); i++) {
		is(send(queue, sizes[i], (unsigned)i + 1), 0, "a size");
		memset(bytes, -1, sizeof(bytes));
		is(sys(SYS_mq_timedreceive, queue, bytes, LARGEST, &priority, NULL), (long)sizes[i],
		   "comes as it went");
		is_true(!sizes[i] || (bytes[0] == (char)(i + 1) && bytes[sizes[i] - 1] == (char)(i + 1) &&
				      (sizes[i] == LARGEST || bytes[sizes[i]] == -1)),
			(long)i, "with all its bytes");
	}
	is(send(queue, 1, MOST), -EINVAL, "a priority that is too high");
	is(sys(SYS_mq_timedsend, queue, bytes, LARGEST + 1, 1, NULL), -EMSGSIZE, "a message that is too long");
	is(sys(SYS_mq_timedreceive, queue, bytes, LARGEST - 1, NULL, NULL), -EMSGSIZE, "too little room for one");
	is(sys(SYS_mq_timedsend, queue, (char *)8, 1, 1, NULL), -EFAULT, "a message that is not there");
	is(sys(SYS_mq_timedsend, queue, bytes, 1, 1, &wrong), -EINVAL, "a time that is none");
	is(sys(SYS_mq_timedreceive, queue, bytes, LARGEST, NULL, (void *)8), -EFAULT, "a time that is not there");
	is(sys(SYS_mq_getsetattr, queue, &change, &old), 0, "mq_setattr");
	is(old.mq_flags, O_NONBLOCK, "tells the old flags");
	is(sys(SYS_mq_timedreceive, queue, bytes, LARGEST, NULL, &past), -ETIMEDOUT, "now it waits, until a time");
	sys(SYS_clock_gettime, CLOCK_REALTIME, &now);
	now.tv_nsec += 2000000;
	if (now.tv_nsec >= 1000000000) {
		now.tv_nsec -= 1000000000;
		now.tv_sec++;
	}
	is(sys(SYS_mq_timedreceive, queue, bytes, LARGEST, NULL, &now), -ETIMEDOUT, "which comes");
	for (int i = 0; i < 6; i++)
		send(queue, 1, 1);
	is(sys(SYS_mq_timedsend, queue, bytes, 1, 1, &past), -ETIMEDOUT, "so does a sender");
	change.mq_flags = O_APPEND;
	is(sys(SYS_mq_getsetattr, queue, &change, NULL), -EINVAL, "only O_NONBLOCK can be set");
	close(queue);
	sys(SYS_mq_unlink, NAME);
}

static long end_of(pid_t child)
{
	int status = -1;

	while (sys(SYS_wait4, child, &status, 0, NULL) == -EINTR)
		;
	return status;
}

/* Wait until a child sleeps. */
static void await(pid_t child)
{
	char path[32], line[256];
	long size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	do {
		fd = open(path, O_RDONLY);
		size = read(fd, line, sizeof(line) - 1);
		close(fd);
		line[size > 0 ? size : 0] = 0;
	} while (!strstr(line, ") S "));
}

static volatile int signals_seen;
static siginfo_t info_seen;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	signals_seen++;
	info_seen = *info;
}

static void catch (int flags)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags };

	sigaction(SIGUSR1, &action, NULL);
}

static pid_t receiver(int queue)
{
	pid_t child = fork();
	long result;

	if (child)
		return child;
	result = receive(queue);
	_exit((int)(result < 0 ? -result : result + 100));
}

static pid_t sender(int queue, unsigned priority)
{
	pid_t child = fork();

	if (!child)
		_exit((int)-send(queue, 1, priority));
	return child;
}

static void test_waiting(void)
{
	int queue = make(NAME, 0, 2, 100);
	struct pollfd poll_it = { .fd = queue, .events = POLLIN | POLLOUT };
	pid_t first, second;

	catch (0);
	is(sys(SYS_poll, &poll_it, 1, 0) * 1000 + poll_it.revents, 1000 + POLLOUT, "poll: an empty queue");
	first = receiver(queue);
	await(first);
	second = receiver(queue);
	await(second);
	is(send(queue, 1, 5), 0, "one message for two who wait");
	is(waiting(queue), 0, "it does not stay in the queue");
	is(end_of(first), EXITED(105), "the first gets it");
	is(send(queue, 1, 6), 0, "and another one");
	is(end_of(second), EXITED(106), "the second");
	send(queue, 1, 1);
	is(sys(SYS_poll, &poll_it, 1, 0) * 1000 + poll_it.revents, 1000 + POLLIN + POLLOUT, "poll: a message");
	send(queue, 1, 1);
	is(sys(SYS_poll, &poll_it, 1, 0) * 1000 + poll_it.revents, 1000 + POLLIN, "poll: a full queue");
	first = sender(queue, 9);
	await(first);
	is(waiting(queue), 2, "a sender waits for room");
	receive(queue);
	is(end_of(first), 0, "until there is some");
	is(receive(queue), 9, "and has sent");
	receive(queue);
	first = receiver(queue);
	await(first);
	kill(first, SIGUSR1);
	is(end_of(first), EXITED(EINTR), "a handler ends a wait");
	catch (SA_RESTART);
	first = receiver(queue);
	await(first);
	kill(first, SIGUSR1);
	await(first);
	send(queue, 1, 3);
	is(end_of(first), EXITED(103), "but with SA_RESTART it goes on");
	first = receiver(queue);
	await(first);
	kill(first, SIGKILL);
	is(end_of(first), KILLED(SIGKILL), "who waits is killed");
	send(queue, 1, 4);
	is(waiting(queue), 1, "and gets nothing");
	close(queue);
	sys(SYS_mq_unlink, NAME);
}

static long notify(int queue, int how, int signal)
{
	struct sigevent event;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = how;
	event.sigev_signo = signal;
	event.sigev_value.sival_int = 77;
	return sys(SYS_mq_notify, queue, &event);
}

static int take_notice(void *argument)
{
	return (int)-notify(*(int *)argument, SIGEV_SIGNAL, SIGUSR1);
}

static int close_it(void *argument)
{
	close(*(int *)argument);
	return 0;
}

static void test_notices(void)
{
	int queue = make(NAME, O_NONBLOCK, 5, 100), other;
	char text[100] = "";
	pid_t child;

	catch (0);
	signals_seen = 0;
	is(notify(queue, SIGEV_SIGNAL, SIGUSR1), 0, "mq_notify by a signal");
	is(notify(queue, SIGEV_SIGNAL, SIGUSR1), -EBUSY, "once");
	is(in_child(take_notice, &queue), EXITED(EBUSY), "by one process");
	is(sys(SYS_read, queue, text, sizeof(text) - 1), 60, "what is read of a queue");
	snprintf(bytes, sizeof(bytes), "QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", 0, SIGEV_SIGNAL, SIGUSR1,
		 getpid());
	is_text(text, bytes, "tells of it");
	send(queue, 10, 1);
	is(signals_seen, 1, "a message sends the signal");
	is(info_seen.si_code, SI_MESGQ, "which says why");
	is(info_seen.si_pid, getpid(), "who sent it");
	is(info_seen.si_value.sival_int, 77, "and has the value");
	send(queue, 10, 1);
	is(signals_seen, 1, "only once");
	is(notify(queue, SIGEV_SIGNAL, SIGUSR1), 0, "mq_notify again, while messages are there");
	send(queue, 10, 1);
	is(signals_seen, 1, "only a message in an empty queue counts");
	for (int i = 0; i < 3; i++)
		receive(queue);
	child = sender(queue, 1);
	is(end_of(child), 0, "such as another process sends");
	is(signals_seen * 1000000 + info_seen.si_pid, 2000000 + child, "it is told of");
	receive(queue);
	is(notify(queue, SIGEV_NONE, 0), 0, "SIGEV_NONE");
	is(notify(queue, SIGEV_NONE, 0), -EBUSY, "is a notice as well");
	send(queue, 1, 1);
	is(notify(queue, SIGEV_NONE, 0), 0, "which a message ends");
	is(sys(SYS_mq_notify, queue, NULL), 0, "NULL ends it, too");
	receive(queue);
	notify(queue, SIGEV_SIGNAL, SIGUSR1);
	is(in_child(close_it, &queue), EXITED(0), "another process closes the queue");
	is(notify(queue, SIGEV_SIGNAL, SIGUSR1), -EBUSY, "that ends no notice");
	other = (int)sys(SYS_dup, queue);
	close(other);
	is(notify(queue, SIGEV_SIGNAL, SIGUSR1), 0, "but its own does");
	is(in_child(take_notice, &queue), EXITED(EBUSY), "a notice");
	sys(SYS_mq_notify, queue, NULL);
	is(in_child(take_notice, &queue), EXITED(0), "of a process that ends");
	is(notify(queue, SIGEV_SIGNAL, SIGUSR1), 0, "ends as well");
	sys(SYS_mq_notify, queue, NULL);
	fcntl(queue, F_SETFL, 0);
	notify(queue, SIGEV_SIGNAL, SIGUSR1);
	child = receiver(queue);
	await(child);
	send(queue, 1, 1);
	end_of(child);
	is(signals_seen, 2, "nobody is told of a message that somebody waits for");
	is(notify(queue, 9, 0), -EINVAL, "an unknown way to tell");
	is(notify(queue, SIGEV_SIGNAL, 65), -EINVAL, "no such signal");
	is(sys(SYS_mq_notify, queue, (void *)8), -EFAULT, "an event that is not there");
	is(notify(-1, SIGEV_NONE, 0), -EBADF, "no queue");
	close(queue);
	sys(SYS_mq_unlink, NAME);
}

static int as_stranger(void *argument)
{
	(void)argument;
	if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0)
		return 1;
	if (sys(SYS_mq_open, NAME, O_RDWR, 0, NULL) != -EACCES || sys(SYS_mq_open, NAME, O_RDONLY, 0, NULL) < 0)
		return 2;
	if (sys(SYS_mq_unlink, NAME) != -EPERM)
		return 3;
	if (make(OTHER, 0, 11, 10) != -EINVAL || make(OTHER, 0, 10, 8193) != -EINVAL)
		return 4;
	if (make(OTHER, 0, 10, 8192) < 0)
		return 5;
	return (int)-sys(SYS_mq_unlink, OTHER);
}

static int with_limit(void *argument)
{
	struct rlimit limit = { 10 * (48 + 48 + 100), 10 * (48 + 48 + 100) };
	int queue;

	(void)argument;
	/* Become a user who has no queues yet. */
	if (setgid(STRANGER + 1) != 0 || setuid(STRANGER + 1) != 0 || setrlimit(RLIMIT_MSGQUEUE, &limit) != 0)
		return 9;
	if (make(OTHER, 0, 10, 101) != -EMFILE)
		return 1;
	queue = make(OTHER, 0, 10, 100);
	if (queue < 0)
		return 2;
	if (make("third", 0, 1, 1) != -EMFILE)
		return 3;
	sys(SYS_mq_unlink, OTHER);
	close(queue);
	queue = make("third", 0, 1, 1);
	sys(SYS_mq_unlink, "third");
	return queue < 0;
}

static bool has_line(const char *path, const char *start)
{
	char line[256] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = 0;
	fclose(file);
	return strncmp(line, start, strlen(start)) == 0;
}

static void test_limits(void)
{
	int queue;

	is_true(has_line("/proc/sys/fs/mqueue/queues_max", "256\n"), 0, "/proc/sys/fs/mqueue/queues_max");
	is_true(has_line("/proc/sys/fs/mqueue/msg_max", "10\n"), 0, "msg_max");
	is_true(has_line("/proc/sys/fs/mqueue/msgsize_max", "8192\n"), 0, "msgsize_max");
	is_true(has_line("/proc/sys/fs/mqueue/msg_default", "10\n"), 0, "msg_default");
	is_true(has_line("/proc/sys/fs/mqueue/msgsize_default", "8192\n"), 0, "msgsize_default");
	if (geteuid() != 0)
		return;
	sys(SYS_mq_open, NAME, O_RDWR | O_CREAT, 0644, NULL);
	is(in_child(as_stranger, NULL), EXITED(0), "what a stranger may do");
	is(in_child(with_limit, NULL), EXITED(0), "RLIMIT_MSGQUEUE");
	queue = make(OTHER, O_NONBLOCK, 500, 16);
	is_true(queue >= 0, queue, "root may have a larger queue");
	for (unsigned i = 0; i < 500; i++)
		if (send(queue, 5, i * 7919 % 501) != 0)
			bail("mq_timedsend", i);
	for (long i = 0, last = MOST, priority; i < 500; i++, last = priority) {
		priority = receive(queue);
		if (priority < 0 || priority > last)
			bail("the order of many", priority);
	}
	is(waiting(queue), 0, "500 messages come in order");
	for (unsigned i = 0; i < 500; i++)
		send(queue, 16, i);
	close(queue);
	is(sys(SYS_mq_unlink, OTHER), 0, "a queue goes with its messages");
	sys(SYS_mq_unlink, NAME);
}

static void test_mount(void)
{
	struct stat state;
	char text[100];
	int queue, fd;

	if (geteuid() != 0)
		return;
	queue = make(NAME, O_NONBLOCK, 5, 100);
	mkdir(MOUNT, 0755);
	is(sys(SYS_mount, "mqueue", MOUNT, "mqueue", 0, NULL), 0, "mqueue is mounted");
	is(sys(SYS_stat, MOUNT "/" NAME, &state), 0, "a queue is a file there");
	is(state.st_mode, S_IFREG | 0600, "with its mode");
	is(sys(SYS_stat, MOUNT, &state), 0, "the directory");
	is(state.st_mode, S_IFDIR | 01777, "is for all");
	send(queue, 42, 1);
	fd = (int)sys(SYS_open, MOUNT "/" NAME, O_RDONLY);
	memset(text, 0, sizeof(text));
	sys(SYS_read, fd, text, sizeof(text));
	is_true(strncmp(text, "QSIZE:42 ", 9) == 0, text[6], "which tells how much is in it");
	is(sys(SYS_read, fd, text, sizeof(text)), 0, "and ends");
	close(fd);
	fd = (int)sys(SYS_open, MOUNT "/" OTHER, O_RDWR | O_CREAT, 0600);
	is_true(fd >= 0, fd, "a file that is made there");
	is(send(fd, 3, 8), 0, "is a queue");
	is(receive(fd), 8, "which can be used");
	close(fd);
	fd = (int)sys(SYS_mq_open, OTHER, O_RDWR, 0, NULL);
	is_true(fd >= 0, fd, "and opened");
	close(fd);
	is(sys(SYS_unlink, MOUNT "/" OTHER), 0, "unlink removes it");
	is(sys(SYS_mq_open, OTHER, O_RDWR, 0, NULL), -ENOENT, "so that it is gone");
	is(sys(SYS_mkdir, MOUNT "/d", 0700), -EPERM, "there are no directories");
	is(sys(SYS_umount2, MOUNT, 0), 0, "umount, although a queue is open");
	close(queue);
	queue = (int)sys(SYS_mq_open, NAME, O_RDWR, 0, NULL);
	is(receive(queue), 1, "leaves the queues and their messages");
	close(queue);
	is(sys(SYS_mount, "mqueue", MOUNT, "mqueue", 0, NULL), 0, "it is mounted again");
	is(sys(SYS_umount2, MOUNT, MNT_DETACH), 0, "and detached");
	is(sys(SYS_mq_unlink, NAME), 0, "the queue is still there");
	rmdir(MOUNT);
}

int main(void)
{
	/* Linux has no /proc yet when this program is its first one. */
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	sys(SYS_mkdir, "/tmp", 01777);
	test_open();
	test_messages();
	test_waiting();
	test_notices();
	test_limits();
	test_mount();
	return finish();
}
