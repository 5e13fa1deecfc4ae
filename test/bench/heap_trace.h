/*
 * The traces of the heap benchmark: lists of allocations and frees, made beforehand and the same for every
 * allocator, and the loops that run them. Takes its own memory from mmap, so that it disturbs no allocator.
 * A header, so that the benchmark stays one file: included once.
 */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum sizes { SIZES_SMALL, SIZES_4K, SIZES_BIG, SIZES_KERNEL };
enum lives { LIVES_LIFO, LIVES_FIFO, LIVES_RANDOM, LIVES_HANDOVER, LIVES_HANDOVER_USED };

struct trace_kind {
	const char *name;
	enum sizes sizes;
	enum lives lives;
	uint32_t live;     /* most blocks at once */
	uint32_t ops;      /* allocations and frees against the clock */
	double ratio;      /* goal: time over the fastest peer's */
	double footprint;  /* goal: peak memory over peak live bytes; 0: none */
	bool against_list; /* beside a plain free list */
};

/*
 * hand-over passes blocks from thread to thread and leaves their content alone, so that the allocators' own cost is
 * what shows. In hand-over-use the threads write and read them: most of the time is then the cache lines' way between
 * the CPUs, and the same for all.
 *
 * small-fifo waits for memory: each block comes back when 200,000 others have driven it out of every cache. The
 * allocators' own work is hidden behind that, and which of two is ahead by some hundredths is the CPU's caches' affair:
 * 5 % count as equal.
 *
 * The few- traces are for time: 5 MiB in 31 sizes of block, whose numbers vary by chance, say little of memory. The
 * small- ones have 50 MiB.
 */
static const struct trace_kind trace_kinds[] = {
	{ "few-lifo", SIZES_SMALL, LIVES_LIFO, 20000, 2000000, 1.0, 0, false },
	{ "few-fifo", SIZES_SMALL, LIVES_FIFO, 20000, 2000000, 1.0, 0, false },
	{ "few-random", SIZES_SMALL, LIVES_RANDOM, 20000, 2000000, 1.0, 0, false },
	{ "small-lifo", SIZES_SMALL, LIVES_LIFO, 200000, 2000000, 1.0, 1.10, false },
	{ "small-fifo", SIZES_SMALL, LIVES_FIFO, 200000, 2000000, 1.05, 1.10, false },
	{ "small-random", SIZES_SMALL, LIVES_RANDOM, 200000, 2000000, 1.0, 1.10, false },
	{ "4k-lifo", SIZES_4K, LIVES_LIFO, 2000, 1000000, 1.0, 0, true },
	{ "4k-fifo", SIZES_4K, LIVES_FIFO, 2000, 2000000, 1.0, 0, true },
	{ "4k-random", SIZES_4K, LIVES_RANDOM, 2000, 2000000, 1.0, 0, true },
	{ "big-lifo", SIZES_BIG, LIVES_LIFO, 64, 200000, 1.0, 0, false },
	{ "big-fifo", SIZES_BIG, LIVES_FIFO, 64, 200000, 1.0, 0, false },
	{ "big-random", SIZES_BIG, LIVES_RANDOM, 64, 200000, 1.0, 0, false },
	{ "kernel-lifo", SIZES_KERNEL, LIVES_LIFO, 20000, 1000000, 1.0, 1.35, false },
	{ "kernel-fifo", SIZES_KERNEL, LIVES_FIFO, 20000, 1000000, 1.0, 1.35, false },
	{ "kernel-random", SIZES_KERNEL, LIVES_RANDOM, 20000, 1000000, 1.0, 1.35, false },
	{ "hand-over", SIZES_SMALL, LIVES_HANDOVER, 2048, 2000000, 0.5, 0, false },
	{ "hand-over-use", SIZES_SMALL, LIVES_HANDOVER_USED, 2048, 2000000, 1.0, 0, false },
	{ 0 },
};

/* Allocate `size` bytes for `slot`; or, when size is 0, free what is there. */
struct trace_op {
	uint32_t slot;
	uint32_t size;
};

struct trace {
	const struct trace_kind *kind;
	struct trace_op *ops;
	size_t count;
	size_t warm; /* ops before the clock starts */
	void **slots;
	uint64_t peak_live; /* bytes asked for */

	/* While it is made: which slots are taken, and how large they are. */
	uint32_t *sizes;
	uint64_t live;
	uint64_t random;
};

struct trace_calls {
	void *(*alloc)(size_t size);
	void (*free)(void *block);
	void (*leave)(void); /* when a thread ends; may be NULL */
};

static const struct trace_kind *trace_find(const char *name)
{
	for (const struct trace_kind *kind = trace_kinds; kind->name; kind++) {
		if (strcmp(kind->name, name) == 0)
			return kind;
	}
	exit(2);
}

static void *trace_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

static uint64_t trace_resident(void)
{
	unsigned long pages = 0;
	char text[128];
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || !fgets(text, sizeof(text), f) || sscanf(text, "%*u %lu", &pages) != 1)
		exit(2);
	fclose(f);
	return pages * 4096;
}

static uint64_t trace_resident_peak(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_maxrss * 1024;
}

/* Xorshift: the same numbers in every process. */
static uint64_t trace_random(struct trace *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random >> 11;
}

/* From `low` to `high`, every doubling as likely as every other. */
static uint32_t trace_log_uniform(struct trace *t, uint32_t low, uint32_t doublings)
{
	uint32_t base = low << trace_random(t) % doublings;

	return base + (uint32_t)(trace_random(t) % (base + 1));
}

static uint32_t trace_size(struct trace *t)
{
	enum sizes sizes = t->kind->sizes;

	if (sizes == SIZES_KERNEL) {
		/* Of 1,000 blocks: 918 small, 80 buffers, 2 large; these three have like shares of the bytes. */
		uint64_t dice = trace_random(t) % 1000;

		sizes = dice < 918 ? SIZES_SMALL : dice < 998 ? SIZES_4K : SIZES_BIG;
	}
	switch (sizes) {
	case SIZES_4K:
		return 4096;
	case SIZES_BIG:
		return trace_log_uniform(t, 64 << 10, 6);
	default:
		return 16 + (uint32_t)(trace_random(t) % 497);
	}
}

static void trace_add_alloc(struct trace *t, uint32_t slot)
{
	uint32_t size = trace_size(t);

	t->ops[t->count++] = (struct trace_op){ slot, size };
	t->sizes[slot] = size;
	t->live += size;
	if (t->live > t->peak_live)
		t->peak_live = t->live;
}

static void trace_add_free(struct trace *t, uint32_t slot)
{
	t->ops[t->count++] = (struct trace_op){ slot, 0 };
	t->live -= t->sizes[slot];
	t->sizes[slot] = 0;
}

/* Calls and returns: bursts up and down between none and all slots. */
static void trace_add_lifo(struct trace *t, size_t end)
{
	uint32_t depth = 0;

	while (t->count < end) {
		uint32_t target = (uint32_t)(trace_random(t) % (t->kind->live + 1));

		while (depth < target && t->count < end)
			trace_add_alloc(t, depth++);
		while (depth > target && t->count < end)
			trace_add_free(t, --depth);
	}
	while (depth > 0)
		trace_add_free(t, --depth);
}

/* All slots are filled; then one block at a time is replaced: the oldest, or any. */
static void trace_add_replacing(struct trace *t, size_t end)
{
	uint32_t live = t->kind->live;

	for (uint32_t slot = 0; slot < live; slot++)
		trace_add_alloc(t, slot);
	for (uint32_t next = 0; t->count < end; next++) {
		uint32_t slot = t->kind->lives == LIVES_FIFO ? next % live : (uint32_t)(trace_random(t) % live);

		trace_add_free(t, slot);
		trace_add_alloc(t, slot);
	}
}

static void trace_make(struct trace *t, const struct trace_kind *kind)
{
	size_t warm = kind->ops / 2 + 2 * kind->live;
	size_t most = warm + kind->ops + 2 * kind->live;

	*t = (struct trace){ .kind = kind, .warm = warm, .random = 88172645463325252 };
	t->ops = trace_memory(most * sizeof(*t->ops));
	t->slots = trace_memory(kind->live * sizeof(*t->slots));
	t->sizes = trace_memory(kind->live * sizeof(*t->sizes));
	if (kind->lives == LIVES_LIFO)
		trace_add_lifo(t, warm + kind->ops);
	else if (kind->lives >= LIVES_HANDOVER)
		while (t->count < warm + kind->ops)
			trace_add_alloc(t, 0);
	else
		trace_add_replacing(t, warm + kind->ops);
}

/* CPU time of the whole process, threads that wait for each other included: other processes disturb it least. */
static double trace_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void trace_touch(char *block, uint32_t size)
{
	*(uint64_t *)block = size;
	block[size - 1] = 1;
}

static __attribute__((noinline)) void trace_run_ops(struct trace *t, size_t from, size_t to, struct trace_calls calls)
{
	for (size_t i = from; i < to; i++) {
		struct trace_op op = t->ops[i];

		if (op.size) {
			char *block = calls.alloc(op.size);

			trace_touch(block, op.size);
			t->slots[op.slot] = block;
		} else {
			char *block = t->slots[op.slot];

			/* The owner reads what it is about to drop. */
			__asm__ volatile("" : : "r"(*(uint64_t *)block));
			calls.free(block);
			t->slots[op.slot] = NULL;
		}
	}
}

/* ---- hand-over: one thread allocates, another frees, with a ring between them ---- */

#define RING_SIZE  2048 /* a power of two */
#define RING_BATCH 32   /* how often an end says where it is */

static struct {
	_Alignas(128) uint32_t put;
	_Alignas(128) uint32_t taken;
	_Alignas(128) void *blocks[RING_SIZE];
} trace_ring;

struct trace_consumer {
	uint32_t count;
	bool use;
	struct trace_calls calls;
};

/* The other thread may be off its CPU: after a while, let it run. */
static inline void trace_wait(uint32_t *spins)
{
	__asm__ volatile("pause");
	if (++*spins > 64)
		sched_yield();
}

static void *trace_consume(void *arg)
{
	struct trace_consumer *c = arg;
	uint32_t put = 0;

	for (uint32_t i = 0; i < c->count; i++) {
		for (uint32_t spins = 0; put == i; trace_wait(&spins))
			put = __atomic_load_n(&trace_ring.put, __ATOMIC_ACQUIRE);

		void *block = trace_ring.blocks[i % RING_SIZE];

		if (c->use)
			__asm__ volatile("" : : "r"(*(uint64_t *)block));
		c->calls.free(block);
		if ((i + 1) % RING_BATCH == 0)
			__atomic_store_n(&trace_ring.taken, i + 1, __ATOMIC_RELEASE);
	}
	if (c->calls.leave)
		c->calls.leave();
	return NULL;
}

static double trace_run_handover(struct trace *t, struct trace_calls calls)
{
	uint32_t count = (uint32_t)t->count / RING_BATCH * RING_BATCH;
	bool use = t->kind->lives == LIVES_HANDOVER_USED;
	struct trace_consumer consumer = { count, use, calls };
	uint32_t taken = 0;
	double start = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, trace_consume, &consumer) != 0)
		exit(2);
	for (uint32_t i = 0; i < count; i++) {
		if (i == t->warm)
			start = trace_now();
		for (uint32_t spins = 0; i - taken >= RING_SIZE; trace_wait(&spins))
			taken = __atomic_load_n(&trace_ring.taken, __ATOMIC_ACQUIRE);

		char *block = calls.alloc(t->ops[i].size);

		if (use)
			trace_touch(block, t->ops[i].size);
		trace_ring.blocks[i % RING_SIZE] = block;
		if ((i + 1) % RING_BATCH == 0)
			__atomic_store_n(&trace_ring.put, i + 1, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	return (trace_now() - start) / (2.0 * (double)(count - t->warm));
}

/* Nanoseconds an operation. */
static double trace_run(struct trace *t, const struct trace_calls *calls)
{
	if (t->kind->lives >= LIVES_HANDOVER)
		return trace_run_handover(t, *calls);
	trace_run_ops(t, 0, t->warm, *calls);

	double start = trace_now();

	trace_run_ops(t, t->warm, t->count, *calls);
	return (trace_now() - start) / (double)(t->count - t->warm);
}

static void trace_free_all(struct trace *t, const struct trace_calls *calls)
{
	for (uint32_t slot = 0; slot < t->kind->live; slot++) {
		if (t->slots[slot])
			calls->free(t->slots[slot]);
	}
}
