/*
 * What one more of a thing costs where N of them are there: as /init on this kernel and on Linux alike (make
 * bench-scale).
 *
 *   init [WORD...]   a room, or a row with _ for its blanks; none: all rooms
 *
 * Prints `scale N TICKS THINGS KIND NAME` for each figure: the ticks of a step, by the time-stamp counter, which under
 * QEMU's -icount are a fixed share of an instruction; how many things it did; KIND is f, l or b (enum kind). `scale
 * failed N NAME: WHAT: saw SAW` stands for a figure that is not to be had. Then `scale end`, and powers off; as another
 * process than 1 it just ends.
 */
#define _GNU_SOURCE
#include "test/user/scale/scale.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct room *const rooms[] = { &names_room,   &trees_room,       &processes_room, &threads_room,
					    &memory_room,  &descriptors_room, &events_room,    &pages_room,
					    &signals_room, &locks_room,       &bytes_room };

#define ROOMS (sizeof(rooms) / sizeof(*rooms))

static const char *row_name; /* of the row that runs */
static unsigned row_n;
static uint64_t empty; /* ticks of a step that does nothing */

void failed(const char *what, long saw)
{
	printf("scale failed %u %s: %s: saw %ld\n", row_n, row_name, what, saw);
	fflush(stdout);
	/* What was started shares this memory, and may be of another group by now. */
	for (unsigned i = 0; i < MOST_TASKS && tasks[i]; i++)
		kill(tasks[i], SIGKILL);
	kill(0, SIGKILL);
	_exit(1);
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static int by_size(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The median of TURNS steps. */
static uint64_t measure(const struct row *row, unsigned n)
{
	uint64_t spent[TURNS];

	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint64_t start;
		long result;

		if (row->before)
			row->before(n, turn);
		start = read_tsc();
		result = row->step(n, turn);
		spent[turn] = read_tsc() - start;
		if (result < 0)
			failed("step", result);
		if (row->after)
			row->after(n, turn);
	}
	qsort(spent, TURNS, sizeof(*spent), by_size);
	return spent[TURNS / 2];
}

static long no_step(unsigned n, unsigned turn)
{
	return n + turn;
}

static void run_row(const struct row *row, unsigned n)
{
	static const char letters[] = { 'f', 'l', 'b' };
	uint64_t spent = measure(row, n);

	spent = spent > empty ? spent - empty : 0;
	printf("scale %u %lu %u %c %s\n", n, (unsigned long)spent, row->each ? n : 1, letters[row->kind], row->name);
	fflush(stdout);
}

/* Is `word` the name, with _ for its blanks? */
static bool is_word(const char *word, const char *name)
{
	for (; *word && *name; word++, name++)
		if (*word != (*name == ' ' ? '_' : *name))
			return false;
	return !*word && !*name;
}

static bool is_wanted(const struct room *room, const struct row *row, char **words)
{
	bool wanted = !*words;

	for (; *words; words++)
		wanted |= is_word(*words, room->name) || is_word(*words, row->name);
	return wanted;
}

/* In a process of its own, which a row may fill with what it likes: the wanted ones of rows that share a setup. */
static void run_rows(const struct room *room, unsigned first, unsigned end, unsigned n, char **words)
{
	const struct row *row = room->rows + first;
	int status;
	pid_t child = fork();

	if (child == 0) {
		setpgid(0, 0);
		row_n = n;
		row_name = row->name;
		if (row->setup)
			row->setup(n);
		for (; row < room->rows + end; row++)
			if (is_wanted(room, row, words)) {
				row_name = row->name;
				run_row(row, n);
			}
		if (room->rows[first].teardown)
			room->rows[first].teardown(n);
		_exit(0);
	}
	while (waitpid(child, &status, 0) != child)
		;
	if (!WIFEXITED(status))
		printf("scale failed %u %s: signal: saw %d\n", n, row->name, WTERMSIG(status));
	/* What a row left behind is an orphan, and this process's child then if it is process 1. */
	while (waitpid(-1, &status, WNOHANG) > 0)
		;
	chdir("/");
	while (umount2("/tmp", MNT_DETACH) == 0)
		;
}

static void run_room(const struct room *room, char **words)
{
	for (unsigned first = 0, end; first < room->count; first = end) {
		unsigned largest = room->rows[first].largest, wanted = 0;
		unsigned sizes[] = { 10, 1000, largest };

		for (end = first; end < room->count && room->rows[end].setup == room->rows[first].setup &&
				  room->rows[end].largest == largest;
		     end++)
			wanted += is_wanted(room, room->rows + end, words);
		for (unsigned i = 0; wanted && i < 3; i++)
			if (largest ? sizes[i] < largest || i == 2 : i == 2)
				run_rows(room, first, end, largest ? sizes[i] : 1, words);
	}
}

/* As much as root may have, and as many numbers as the machine can hold. */
static void raise_limits(void)
{
	static const struct {
		const char *path, *value;
	} settings[] = { { "/proc/sys/kernel/pid_max", "1000000" }, { "/proc/sys/kernel/threads-max", "200000" } };
	const struct rlimit many = { 1000000, 1000000 };

	for (unsigned i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		FILE *file = fopen(settings[i].path, "w");

		if (file) {
			fputs(settings[i].value, file);
			fclose(file);
		}
	}
	setrlimit(RLIMIT_NOFILE, &many);
	setrlimit(RLIMIT_NPROC, &many);
	setrlimit(RLIMIT_SIGPENDING, &many);
}

int main(int argc, char **argv)
{
	static const struct row nothing = { .name = "nothing", .step = no_step };

	(void)argc;
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/tmp", 0755);
	raise_limits();
	empty = measure(&nothing, 1);
	for (unsigned i = 0; i < ROOMS; i++)
		run_room(rooms[i], argv + 1);
	printf("scale end\n");
	fflush(stdout);
	if (getpid() == 1)
		sys(SYS_reboot, 0xfee1dead, 0x28121969, 0x4321fedc, 0);
	return 0;
}
