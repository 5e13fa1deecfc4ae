/*
 * Tests reads and writes whose results are taken later: io_setup, io_submit, io_getevents.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

/* The types below are those of the kernel's interface: not each C library comes with <linux/aio_abi.h>. */
typedef unsigned long aio_context_t;

enum { IOCB_CMD_PREAD, IOCB_CMD_PWRITE, IOCB_CMD_FSYNC, IOCB_CMD_PREADV = 7 };

#define IOCB_FLAG_RESFD 1

struct iocb {
	uint64_t aio_data;
	uint32_t aio_key, aio_rw_flags;
	uint16_t aio_lio_opcode;
	int16_t aio_reqprio;
	uint32_t aio_fildes;
	uint64_t aio_buf, aio_nbytes;
	int64_t aio_offset;
	uint64_t aio_reserved2;
	uint32_t aio_flags, aio_resfd;
};

struct io_event {
	uint64_t data, obj;
	int64_t res, res2;
};

static aio_context_t context;
static char byte;

static struct iocb operation(unsigned command, int fd, const void *buffer, unsigned long size, long offset)
{
	struct iocb iocb = { 0 };

	iocb.aio_data = 0x1234567800000000 + command;
	iocb.aio_lio_opcode = (unsigned short)command;
	iocb.aio_fildes = (unsigned)fd;
	iocb.aio_buf = (unsigned long)buffer;
	iocb.aio_nbytes = size;
	iocb.aio_offset = offset;
	return iocb;
}

static long submit(struct iocb *iocb)
{
	return sys(SYS_io_submit, context, 1, &iocb);
}

static long take(long least, long most, struct io_event *to)
{
	struct timespec none = { 0 };

	return sys(SYS_io_getevents, context, least, most, to, &none);
}

static long number_in(const char *path)
{
	char text[32] = { 0 };
	int fd = open(path, O_RDONLY);
	long number = 0, size = read(fd, text, sizeof(text) - 1);

	close(fd);
	for (long i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++)
		number = number * 10 + text[i] - '0';
	return number;
}

static void test_contexts(void)
{
	long most = number_in("/proc/sys/fs/aio-max-nr"), used = number_in("/proc/sys/fs/aio-nr");
	aio_context_t other = 1;

	is_true(most > 0, most, "a limit");
	is(sys(SYS_io_setup, 1, NULL), -EFAULT, "a context has a place");
	is(sys(SYS_io_setup, 1, &other), -EINVAL, "which must be 0");
	other = 0;
	is(sys(SYS_io_setup, 0, &other), -EINVAL, "room for no event");
	is(sys(SYS_io_setup, -1, &other), -EINVAL, "room for too many");
	is(sys(SYS_io_setup, most + 1, &other), -EAGAIN, "more than the limit");
	is((long)other, 0, "makes no context");
	is(sys(SYS_io_setup, 8, &context), 0, "a context");
	is(sys(SYS_io_setup, 2, &other), 0, "another one");
	is_true(other != context, (long)other, "which has another id");
	is(number_in("/proc/sys/fs/aio-nr"), used + 10, "they are counted");
	is(sys(SYS_io_destroy, other), 0, "and destroyed");
	is(sys(SYS_io_destroy, other), -EINVAL, "once");
	is(sys(SYS_io_destroy, -1L), -EINVAL, "one that never was");
	is(number_in("/proc/sys/fs/aio-nr"), used + 8, "and counted no more");
}

static void test_files(int fd)
{
	char text[16] = { 0 };
	struct iovec piece = { text + 5, 5 };
	struct iocb write_it = operation(IOCB_CMD_PWRITE, fd, "0123456789", 10, 100);
	struct iocb read_it = operation(IOCB_CMD_PREAD, fd, text, 5, 100);
	struct iocb read_pieces = operation(IOCB_CMD_PREADV, fd, &piece, 1, 105);
	struct iocb sync_it = operation(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	struct iocb *all[] = { &write_it, &read_it, &read_pieces, &sync_it };
	struct io_event events[8];

	write_it.aio_key = 77;
	is(take(0, 8, events), 0, "no event yet");
	is(sys(SYS_io_submit, context, 0, NULL), 0, "no operation");
	is(sys(SYS_io_submit, context, 4, all), 4, "four operations");
	is(write_it.aio_key, 0, "the key is set");
	is(sys(SYS_io_getevents, context, 1, 3, events, NULL), 3, "three events");
	is((long)events[0].data, 0x1234567800000000 + IOCB_CMD_PWRITE, "the first has its data");
	is((long)events[0].obj, (long)&write_it, "and its operation");
	is((long)events[0].res, 10, "and its bytes");
	is((long)events[1].res, 5, "the second's");
	is((long)events[2].res, 5, "the third's");
	is_text(text, "0123456789", "what was written was read");
	is(sys(SYS_io_getevents, context, 1, 3, events, NULL), 1, "the fourth");
	is((long)events[0].res, 0, "is that of fsync");
	is(lseek(fd, 0, SEEK_CUR), 0, "the file's position has not moved");
}

static void test_errors(int fd)
{
	int only_reads = open("/proc/self/maps", O_RDONLY), directory = open("/tmp", O_RDONLY);
	char text[16];
	struct iocb iocb = operation(IOCB_CMD_PREAD, fd, text, 5, 0), *none = NULL;
	struct io_event event;

	is(sys(SYS_io_submit, 0, 1, &none), -EINVAL, "no context");
	is(sys(SYS_io_submit, context, -1, &none), -EINVAL, "a negative number of operations");
	is(sys(SYS_io_submit, context, 1, -1L), -EFAULT, "a list nowhere");
	is(sys(SYS_io_submit, context, 1, &none), -EFAULT, "an operation nowhere");
	iocb.aio_fildes = 999;
	is(submit(&iocb), -EBADF, "no file");
	iocb.aio_fildes = (unsigned)only_reads;
	iocb.aio_lio_opcode = IOCB_CMD_PWRITE;
	is(submit(&iocb), -EBADF, "a file that is not open for writing");
	iocb.aio_fildes = (unsigned)fd;
	iocb.aio_lio_opcode = 99;
	is(submit(&iocb), -EINVAL, "an unknown command");
	iocb.aio_lio_opcode = IOCB_CMD_PREAD;
	iocb.aio_flags = IOCB_FLAG_RESFD;
	iocb.aio_resfd = (unsigned)fd;
	is(submit(&iocb), -EINVAL, "a file that is no eventfd");
	iocb.aio_flags = 0;
	iocb.aio_rw_flags = 0x4000;
	is(submit(&iocb), -EOPNOTSUPP, "an unknown flag of the read");
	iocb.aio_rw_flags = 0;
	iocb.aio_offset = -1;
	is(submit(&iocb), -EINVAL, "an offset before the file");
	iocb.aio_offset = 0;
	iocb.aio_fildes = (unsigned)directory;
	is(submit(&iocb), -EINVAL, "a directory is not read");
	iocb.aio_fildes = (unsigned)fd;
	is(sys(SYS_io_getevents, 0, 0, 1, &event, NULL), -EINVAL, "events of no context");
	is(take(2, 1, &event), -EINVAL, "more than there is room for");
	is(take(-1, 1, &event), -EINVAL, "less than none");
	is(sys(SYS_io_getevents, context, 0, 1, &event, -1L), -EFAULT, "a time nowhere");
	iocb.aio_offset = 0;
	is(submit(&iocb), 1, "an event");
	is(take(1, 1, NULL), -EFAULT, "is not copied to nowhere");
	is(take(1, 1, &event), 1, "and can be taken then");
	is(sys(SYS_io_cancel, context, NULL, &event), -EFAULT, "no operation to cancel");
	is(sys(SYS_io_cancel, context, &iocb, &event), -EINVAL, "one that is done");
	close(only_reads);
	close(directory);
}

static void test_capacity(int fd)
{
	struct iocb iocb = operation(IOCB_CMD_PREAD, fd, &byte, 1, 0);
	struct io_event event;
	long added = 0, taken = 0;

	while (added < 5000 && submit(&iocb) == 1)
		added++;
	is_between(added, 8, 4999, "a context that is full");
	is(submit(&iocb), -EAGAIN, "takes no more");
	while (take(0, 1, &event) == 1)
		taken++;
	is(taken, added, "all events come");
	is(submit(&iocb), 1, "and there is room again");
	is(take(1, 1, &event), 1, "for one");
}

/* Take more events at once than the kernel takes in one step. */
static void test_many(int fd)
{
	static struct io_event events[700];
	struct iocb iocb = operation(IOCB_CMD_PREAD, fd, &byte, 1, 0);
	struct iocb *one = &iocb;
	aio_context_t large = 0;
	long added = 0;

	is(sys(SYS_io_setup, 700, &large), 0, "a large context");
	while (added < 700 && sys(SYS_io_submit, large, 1, &one) == 1)
		added++;
	is(added, 700, "many events");
	is(sys(SYS_io_getevents, large, 1, 600, events, NULL), 600, "as many as are asked for");
	is((long)events[599].res, 1, "up to the last");
	is(sys(SYS_io_getevents, large, 1, 600, events, NULL), 100, "and what is left");
	is(sys(SYS_io_destroy, large), 0, "the context goes");
}

static void test_eventfd(int fd)
{
	int counter = eventfd(0, EFD_NONBLOCK);
	struct iocb iocb = operation(IOCB_CMD_PREAD, fd, &byte, 1, 0);
	struct iocb *both[] = { &iocb, &iocb };
	struct io_event events[2];
	uint64_t count = 0;

	iocb.aio_flags = IOCB_FLAG_RESFD;
	iocb.aio_resfd = (unsigned)counter;
	is(sys(SYS_io_submit, context, 2, both), 2, "with a counter");
	is(read(counter, &count, sizeof(count)), 8, "which has counted");
	is((long)count, 2, "two events");
	is(take(2, 2, events), 2, "that come");
	count = UINT64_MAX - 1;
	is(write(counter, &count, sizeof(count)), 8, "a counter that is almost full");
	is(submit(&iocb), 1, "counts on");
	is(read(counter, &count, sizeof(count)), 8, "to the end");
	is_true(count == UINT64_MAX, (long)count, "of 64 bits");
	is(take(1, 1, events), 1, "with its event");
	close(counter);
}

static void handle(int signal)
{
	(void)signal;
}

static void *submit_later(void *iocb)
{
	usleep(50000);
	return (void *)submit(iocb);
}

static void test_waits(int fd)
{
	struct iocb iocb = operation(IOCB_CMD_PREAD, fd, &byte, 1, 0);
	struct timespec soon = { .tv_nsec = 20000000 }, late = { .tv_sec = 20 };
	struct sigaction action = { .sa_handler = handle };
	struct {
		const uint64_t *mask;
		unsigned long size;
	} mask;
	uint64_t all = ~0UL;
	struct io_event event;
	pthread_t thread;

	is(sys(SYS_io_getevents, context, 1, 1, &event, &soon), 0, "a wait that ends with its time");
	is(pthread_create(&thread, NULL, submit_later, &iocb), 0, "a thread");
	is(sys(SYS_io_getevents, context, 1, 1, &event, &late), 1, "whose event ends a wait");
	pthread_join(thread, NULL);
	sigaction(SIGALRM, &action, NULL);
	ualarm(30000, 0);
	is(sys(SYS_io_getevents, context, 1, 1, &event, &late), -EINTR, "a signal ends a wait");
	mask.mask = &all;
	mask.size = 4;
	is(sys(SYS_io_pgetevents, context, 1, 1, &event, &soon, &mask), -EINVAL, "a mask of another size");
	mask.size = 8;
	ualarm(1000, 0);
	is(sys(SYS_io_pgetevents, context, 1, 1, &event, &soon, &mask), 0, "a signal that is blocked does not");
	is(sys(SYS_io_pgetevents, context, 1, 1, &event, &soon, -1L), -EFAULT, "a mask nowhere");
}

static int use_parents(void *iocb)
{
	return submit(iocb) == -EINVAL ? 0 : 1;
}

static void test_end(int fd)
{
	struct iocb iocb = operation(IOCB_CMD_PREAD, fd, &byte, 1, 0);
	long used = number_in("/proc/sys/fs/aio-nr");

	is(in_child(use_parents, &iocb), EXITED(0), "a child has no context of its parent");
	is(submit(&iocb), 1, "an event that nobody takes");
	is(sys(SYS_io_destroy, context), 0, "goes with its context");
	is(number_in("/proc/sys/fs/aio-nr"), used - 8, "which is counted no more");
	is(submit(&iocb), -EINVAL, "nor used");
}

static int leave_one(void *unused)
{
	aio_context_t other = 0;

	(void)unused;
	return sys(SYS_io_setup, 100, &other) != 0;
}

int main(void)
{
	int fd = open("/tmp/aio.test", O_RDWR | O_CREAT | O_TRUNC, 0600);
	long used;

	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	if (fd < 0)
		bail("open", -errno);
	unlink("/tmp/aio.test");
	test_contexts();
	test_files(fd);
	test_errors(fd);
	test_capacity(fd);
	test_many(fd);
	test_eventfd(fd);
	test_waits(fd);
	test_end(fd);
	used = number_in("/proc/sys/fs/aio-nr");
	is(in_child(leave_one, NULL), EXITED(0), "a child's own context");
	is(number_in("/proc/sys/fs/aio-nr"), used, "ends with the child");
	return finish();
}
