/* Bytes that are moved or made: N at once, and the figure is of one. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/scale/scale.h"

#define LARGEST (1 << 20)

static char *buffer;
static int file, other, ends[2], zero, urandom, null;

static void sources(unsigned n)
{
	work_open();
	buffer = (char *)must(sys(SYS_mmap, 0, LARGEST, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0),
			      "mmap");
	file = (int)must(sys(SYS_open, "x", O_CREAT | O_RDWR, 0644), "create");
	other = (int)must(sys(SYS_open, "y", O_CREAT | O_RDWR, 0644), "create");
	must(sys(SYS_write, file, buffer, n), "write");
	must(sys(SYS_write, other, buffer, n), "write");
	must(sys(SYS_pipe, ends), "pipe");
	zero = open_file("/dev/zero");
	urandom = open_file("/dev/urandom");
	null = (int)must(sys(SYS_open, "/dev/null", O_WRONLY), "/dev/null");
}

static long read_file(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_pread64, file, buffer, n, 0);
}

static long write_file(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_pwrite64, file, buffer, n, 0);
}

static long read_zero(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_read, zero, buffer, n);
}

static long read_urandom(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_read, urandom, buffer, n);
}

static long get_random(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_getrandom, buffer, n, 0);
}

static long write_null(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_write, null, buffer, n);
}

/* As much as a pipe holds at a time. */
static long use_pipe(unsigned n, unsigned turn)
{
	(void)turn;
	for (unsigned left = n, part; left; left -= part) {
		part = left < 65536 ? left : 65536;
		if (sys(SYS_write, ends[1], buffer, part) != part || sys(SYS_read, ends[0], buffer, part) != part)
			return -1;
	}
	return 0;
}

static void rewind_files(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_lseek, file, 0, SEEK_SET);
	sys(SYS_lseek, other, 0, SEEK_SET);
}

static long send_file(unsigned n, unsigned turn)
{
	(void)turn;
	for (unsigned left = n; left;) {
		long sent = sys(SYS_sendfile, other, file, NULL, left);

		if (sent <= 0)
			return -1;
		left -= (unsigned)sent;
	}
	return 0;
}

static void sized_hole(unsigned n)
{
	sources(1);
	must(sys(SYS_ftruncate, file, n), "ftruncate");
}

/* Arguments of N bytes in all, in words of 100; or of any bytes in one word. */
static char *words[LARGEST / 100 + 2];

static void start_with(unsigned n, unsigned length)
{
	memset(buffer, 'a', n);
	words[0] = buffer;
	for (unsigned i = 0; i < n / length; i++) {
		words[i] = buffer + i * length;
		buffer[(i + 1) * length - 1] = '\0';
	}
	words[n / length] = NULL;
}

static void make_words(unsigned n, unsigned turn)
{
	(void)turn;
	start_with(n, n < 100 ? n : 100);
}

static void make_word(unsigned n, unsigned turn)
{
	(void)turn;
	start_with(n, n);
}

static long exec_and_wait(unsigned n, unsigned turn)
{
	static char *const nothing[] = { NULL };
	long pid = sys(SYS_vfork);
	int status = 0;

	(void)n, (void)turn;
	if (pid == 0) {
		sys(SYS_execve, "/tiny", words, nothing);
		sys(SYS_exit_group, 1);
	}
	sys(SYS_wait4, pid, &status, 0, NULL);
	return status ? -status : 0;
}

#define SOURCES .largest = LARGEST, .each = true, .kind = ROW_BYTES, .setup = sources
#define HOLE    .largest = LARGEST, .each = true, .kind = ROW_BYTES, .setup = sized_hole

static const struct row rows[] = {
	{ "read of a file, a byte", SOURCES, .step = read_file },
	{ "write to a file, a byte", SOURCES, .step = write_file },
	{ "/dev/zero, a byte", SOURCES, .step = read_zero },
	{ "/dev/urandom, a byte", SOURCES, .step = read_urandom },
	{ "getrandom, a byte", SOURCES, .step = get_random },
	{ "/dev/null, a byte", SOURCES, .step = write_null },
	{ "pipe, a byte", SOURCES, .step = use_pipe },
	{ "sendfile, a byte", SOURCES, .before = rewind_files, .step = send_file },
	{ "read of a hole, a byte", HOLE, .step = read_file },
	{ "exec, a byte of 100 a word", .largest = 800000, .each = true, .kind = ROW_BYTES, .setup = sources,
	  .before = make_words, .step = exec_and_wait },
	{ "exec, a byte of one word", .largest = 131072, .each = true, .kind = ROW_BYTES, .setup = sources,
	  .before = make_word, .step = exec_and_wait },
};

ROOM(bytes);
