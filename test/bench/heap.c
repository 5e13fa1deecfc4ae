/*
 * The kernel heap beside mimalloc, jemalloc, tcmalloc and glibc, in one run. Each measurement is a process of its own:
 * this program again, with the peer in LD_PRELOAD, so that each allocator is used as it was built to be. Rounds
 * are interleaved and medians compared, so that a noisy machine disturbs all alike. Goals: issue 3, section 2.
 *
 *   heap              the table; exit status 1 when a goal is missed
 *   heap TRACE...     only these traces
 *
 * A trace is a list of operations made beforehand. Each block's first and last bytes are written when it is allocated,
 * and the first read when it is freed. The list runs once to warm up, then once against the clock.
 */
#define _GNU_SOURCE
#include "test/bench/heap_trace.h"

#include <sys/wait.h>
#include <unistd.h>

#include "test/host/heap_host.h"

#define ROUNDS 31

#define LIB "/usr/lib/x86_64-linux-gnu/"

enum who { OURS, MIMALLOC, JEMALLOC, TCMALLOC, GLIBC, OUR_CACHE, FREE_LIST, WHO_COUNT };

static const struct {
	const char *name;
	const char *preload;
} allocators[WHO_COUNT] = {
	[OURS] = { "ours", NULL },
	[MIMALLOC] = { "mimalloc", LIB "libmimalloc.so.2" },
	[JEMALLOC] = { "jemalloc", LIB "libjemalloc.so.2" },
	[TCMALLOC] = { "tcmalloc", LIB "libtcmalloc_minimal.so.4" },
	[GLIBC] = { "glibc", NULL },
	[OUR_CACHE] = { "cache", NULL }, /* 4 KiB buffers through a struct cache of ours */
	[FREE_LIST] = { "list", NULL },
};

static void print_and_exit(const char *format, va_list args)
{
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(2);
}

/* ---- the floor for 4 KiB buffers: a linked list of them, never given back ---- */

static void *list_head;

static void *list_alloc(size_t size)
{
	void *buffer = list_head;

	if (buffer) {
		list_head = *(void **)buffer;
		return buffer;
	}

	/* 1 MiB at a time; all but the first buffer go on the list. */
	char *more = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t at = size; at < 1 << 20; at += size) {
		*(void **)(more + at) = list_head;
		list_head = more + at;
	}
	return more;
}

static void list_free(void *buffer)
{
	*(void **)buffer = list_head;
	list_head = buffer;
}

/* ---- one measurement: a child process ---- */

struct result {
	double ns;        /* an operation: an allocation or a free */
	double footprint; /* peak memory over peak live bytes */
	double returned;  /* of the peak, given back when everything was freed */
};

static struct heap_host host;
static struct cache buffers;

static void *buffer_alloc(size_t size)
{
	(void)size;
	return cache_alloc(&buffers);
}

static void buffer_free(void *buffer)
{
	cache_free(&buffers, buffer);
}

static bool is_ours(enum who who)
{
	return who == OURS || who == OUR_CACHE;
}

static struct result measure(enum who who, const struct trace_kind *kind)
{
	struct trace_calls calls = { malloc, free, NULL };
	struct trace trace;
	struct result result = { 0 };

	if (is_ours(who))
		heap_host_init(&host, 64 << 10);
	if (who == OURS) {
		calls = (struct trace_calls){ kmalloc, kfree, heap_cpu_drain };
	} else if (who == OUR_CACHE) {
		ASSERT(cache_init(&buffers, "buffer", 4096, 4096) == OK);
		calls = (struct trace_calls){ buffer_alloc, buffer_free, heap_cpu_drain };
	} else if (who == FREE_LIST) {
		calls = (struct trace_calls){ list_alloc, list_free, NULL };
	}
	trace_make(&trace, kind);

	uint64_t before = trace_resident();

	result.ns = trace_run(&trace, &calls);

	uint64_t peak = is_ours(who) ? host.most : trace_resident_peak() - before;

	trace_free_all(&trace, &calls);
	result.footprint = (double)peak / (double)trace.peak_live;
	if (is_ours(who)) {
		heap_trim();
		result.returned = 1 - (double)host.mapped / (double)peak;
	}
	return result;
}

/* Run this program as `who` on the trace `kind`, and read what it measured. */
static struct result measure_apart(enum who who, const struct trace_kind *kind)
{
	struct result result;
	int ends[2];

	ASSERT(pipe(ends) == 0);
	fflush(stdout);

	pid_t pid = fork();

	if (pid == 0) {
		char number[16];

		snprintf(number, sizeof(number), "%d", who);
		dup2(ends[1], 1);
		if (allocators[who].preload)
			setenv("LD_PRELOAD", allocators[who].preload, 1);
		execl("/proc/self/exe", "heap", "--measure", number, kind->name, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);

	int status;
	bool whole = read(ends[0], &result, sizeof(result)) == (ssize_t)sizeof(result);

	close(ends[0]);
	waitpid(pid, &status, 0);
	if (!whole || status != 0)
		panic("measuring %s on %s failed", allocators[who].name, kind->name);
	return result;
}

/* ---- the table ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static bool takes_part(enum who who, const struct trace_kind *kind)
{
	return (who != FREE_LIST && who != OUR_CACHE) || kind->against_list;
}

static const char *verdict(bool good, bool *all_good)
{
	*all_good &= good;
	return good ? "pass" : "FAIL";
}

/* Measure one trace and print its line; false when a goal was missed. */
static bool report(const struct trace_kind *kind)
{
	static double ns[WHO_COUNT][ROUNDS];
	static double footprint[ROUNDS];
	double returned = 1;
	double middle[WHO_COUNT];
	double best = 1e99;
	bool good = true;

	for (int round = 0; round < ROUNDS; round++) {
		for (enum who who = 0; who < WHO_COUNT; who++) {
			if (!takes_part(who, kind))
				continue;

			struct result result = measure_apart(who, kind);

			ns[who][round] = result.ns;
			if (who == OURS) {
				footprint[round] = result.footprint;
				returned = result.returned < returned ? result.returned : returned;
			}
		}
	}
	printf("%-14s", kind->name);
	for (enum who who = 0; who < WHO_COUNT; who++) {
		if (!takes_part(who, kind)) {
			printf(" %8s", "-");
			continue;
		}
		middle[who] = median(ns[who]);
		printf(" %8.1f", middle[who]);
		if (!is_ours(who) && who != FREE_LIST && middle[who] < best)
			best = middle[who];
	}

	double ratio = middle[OURS] / best;

	printf("  %5.2f <= %.2f %s", ratio, kind->ratio, verdict(ratio <= kind->ratio, &good));
	if (kind->against_list) {
		ratio = middle[OUR_CACHE] / middle[FREE_LIST];
		printf("  list %.2f <= 1.10 %s", ratio, verdict(ratio <= 1.10, &good));
	}

	double peak = median(footprint);

	printf("  memory %.3f", peak);
	if (kind->footprint > 0)
		printf(" <= %.2f %s", kind->footprint, verdict(peak <= kind->footprint, &good));
	printf("  back %.1f%% %s\n", 100 * returned, verdict(returned >= 0.95, &good));
	return good;
}

static bool wanted(const struct trace_kind *kind, int count, char **names)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], kind->name) == 0)
			return true;
	}
	return count == 0;
}

int main(int argc, char **argv)
{
	bool good = true;

	panic_set_handler(print_and_exit);
	if (argc == 4 && strcmp(argv[1], "--measure") == 0) {
		struct result result = measure((enum who)atoi(argv[2]), trace_find(argv[3]));

		return write(1, &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1;
	}
	printf("heap: ns an operation, median of %d rounds; ratio of ours to the fastest peer\n%-14s", ROUNDS, "trace");
	for (enum who who = 0; who < WHO_COUNT; who++)
		printf(" %8s", allocators[who].name);
	printf("  ratio and goals\n");
	for (const struct trace_kind *kind = trace_kinds; kind->name; kind++) {
		if (wanted(kind, argc - 1, argv + 1))
			good &= report(kind);
	}
	return good ? 0 : 1;
}
