/* What people do with a shell, by Debian's busybox. See bench.h. */
#include <sys/syscall.h>
#include <unistd.h>

#include "test/user/bench/bench.h"

static uint64_t run_shell(const char *line)
{
	const char *const arguments[] = { "sh", "-c", line, NULL }, *const environment[] = { "PATH=/bin", NULL };
	uint64_t start = meter_read();
	long child = fork_child();

	if (child == 0) {
		sys(SYS_execve, "/bin/busybox", arguments, environment);
		sys(SYS_exit_group, 127);
	}
	wait_for(child);
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
