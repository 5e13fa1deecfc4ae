/* What people do with a shell, by Debian's busybox; and much data through a pipe. See bench.h. */
#include <sys/syscall.h>
#include <unistd.h>

#include "test/user/bench/bench.h"

#define PIECE 65536UL

/* A child writes; an operation is 64 KiB that are read here. */
uint64_t bench_pipe_bulk(unsigned count)
{
	static char bytes[PIECE];
	uint64_t start, total = 0;
	int ends[2], status = -1;
	long child, size;

	if (sys(SYS_pipe2, ends, 0) != 0)
		failed("pipe2", 0);
	child = sys(SYS_fork);
	if (child == 0) {
		sys(SYS_close, ends[0]);
		for (unsigned i = 0; i < count; i++)
			if (sys(SYS_write, ends[1], bytes, PIECE) != (long)PIECE)
				sys(SYS_exit_group, 1);
		sys(SYS_exit_group, 0);
	}
	sys(SYS_close, ends[1]);
	start = meter_read();
	while ((size = sys(SYS_read, ends[0], bytes, PIECE)) > 0)
		total += (uint64_t)size;
	start = meter_read() - start;
	if (total != count * PIECE)
		failed("bytes through a pipe", (long)total);
	sys(SYS_close, ends[0]);
	if (sys(SYS_wait4, child, &status, 0, 0) != child || status != 0)
		failed("the pipe's writer", status);
	return start;
}

static uint64_t run_shell(const char *line)
{
	const char *const arguments[] = { "sh", "-c", line, NULL }, *const environment[] = { "PATH=/bin", NULL };
	uint64_t start = meter_read();
	long child = sys(SYS_fork);
	int status = -1;

	if (child == 0) {
		sys(SYS_execve, "/bin/busybox", arguments, environment);
		sys(SYS_exit_group, 127);
	}
	if (sys(SYS_wait4, child, &status, 0, 0) != child || status != 0)
		failed("busybox", status);
	return meter_read() - start;
}

/* An operation is the shell's start and 1,000 turns; nearly all of it is the shell's own work. */
uint64_t bench_shell_loop(unsigned count)
{
	uint64_t spent = 0;

	for (unsigned i = 0; i < count; i++)
		spent += run_shell("i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done");
	return spent;
}

/* An operation is the shell's start and 200 starts of /bin/true, which is busybox too. */
uint64_t bench_shell_true(unsigned count)
{
	uint64_t spent = 0;

	for (unsigned i = 0; i < count; i++)
		spent += run_shell("i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done");
	return spent;
}
