/*
 * The two sides of the frame benchmark: the floor, and machines for the frame allocator; and
 * the loops that both run. For test/bench/frame.c alone.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "kernel/mm/frame/frame.h"
#include "test/host/random.h"

#define PAIRS 100000
#define BULK  65536
#define SWAPS 100000
#define SEED  0x5eed5eed5eed
#define START (4 * PAGE_SIZE_1G) /* where the arenas' physical memory starts */

static void must(enum status status)
{
	if (status != OK) {
		fprintf(stderr, "bench: a call failed with status %d\n", status);
		exit(1);
	}
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* ---- what is compared ---- */

/* The floor: a list of free frames, last in first out. The links lie side by side: no such list is faster. */
struct lifo {
	uint32_t head;
	uint32_t *next;
} __attribute__((aligned(64))); /* two threads' lists share no line */

__attribute__((noinline)) static enum status lifo_alloc(struct lifo *lifo, paddr_t *ret)
{
	uint32_t number = lifo->head;

	if (!number)
		return ERR_NO_MEMORY;
	lifo->head = lifo->next[number];
	*ret = paddr((uint64_t)number << PAGE_SHIFT);
	return OK;
}

__attribute__((noinline)) static void lifo_free(struct lifo *lifo, paddr_t pa)
{
	uint32_t number = pa.raw >> PAGE_SHIFT;

	lifo->next[number] = lifo->head;
	lifo->head = number;
}

static void lifo_init(struct lifo *lifo, uint64_t size)
{
	uint64_t frames = size / PAGE_SIZE;

	lifo->next = malloc((frames + 1) * sizeof(*lifo->next));
	lifo->head = 0;
	for (uint64_t number = frames; number; number--)
		lifo_free(lifo, paddr(number << PAGE_SHIFT));
}

/* A machine of `size` bytes of simulated memory: addresses without RAM behind them but where metadata is written. */
struct machine {
	struct frames frames;
	struct frame_cache caches[2];
	char *memory;
	uint64_t size;
};

static void machine_start(struct machine *m)
{
	struct mem_range range = { .start = START, .end = START + m->size, .type = MEM_USABLE };
	struct memmap map = { .ranges = &range, .count = 1, .capacity = 1 };

	must(frame_init(&m->frames, &map, (uintptr_t)m->memory - START));
	for (int i = 0; i < 2; i++)
		frame_cache_init(&m->caches[i], &m->frames);
}

static void machine_init(struct machine *m, uint64_t size)
{
	m->size = size;
	m->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->memory == MAP_FAILED)
		must(ERR_NO_MEMORY);
	madvise(m->memory, size, MADV_HUGEPAGE); /* the kernel's direct map has large pages, too */
	machine_start(m);
}

static void machine_end(struct machine *m)
{
	munmap(m->memory, m->size);
}

/* ---- the loops, once for each side ---- */

#define LOOPS(name, alloc, free, type)                                                               \
	static double name##_pairs(type *from)                                                       \
	{                                                                                            \
		double start = cpu_ns();                                                             \
		paddr_t pa;                                                                          \
                                                                                                     \
		for (int i = 0; i < PAIRS; i++) {                                                    \
			must(alloc(from, &pa));                                                      \
			free(from, pa);                                                              \
		}                                                                                    \
		return (cpu_ns() - start) / PAIRS;                                                   \
	}                                                                                            \
                                                                                                     \
	static double name##_bulk(type *from, paddr_t *held)                                         \
	{                                                                                            \
		double start = cpu_ns();                                                             \
                                                                                                     \
		for (int i = 0; i < BULK; i++)                                                       \
			must(alloc(from, &held[i]));                                                 \
		for (int i = 0; i < BULK; i++)                                                       \
			free(from, held[i]);                                                         \
		return (cpu_ns() - start) / BULK;                                                    \
	}                                                                                            \
                                                                                                     \
	static double name##_swaps(type *from, paddr_t *held, uint64_t count, struct random *random) \
	{                                                                                            \
		double start = cpu_ns();                                                             \
                                                                                                     \
		for (int i = 0; i < SWAPS; i++) {                                                    \
			paddr_t *one = &held[random_below(random, count)];                           \
                                                                                                     \
			free(from, *one);                                                            \
			must(alloc(from, one));                                                      \
		}                                                                                    \
		return (cpu_ns() - start) / SWAPS;                                                   \
	}                                                                                            \
                                                                                                     \
	/* The same at `percent` of `total` frames. */                                               \
	static double name##_replace(type *from, paddr_t *held, uint64_t total, unsigned percent)    \
	{                                                                                            \
		struct random random = { SEED };                                                     \
		uint64_t count = total / 100 * percent;                                              \
		double ns;                                                                           \
                                                                                                     \
		for (uint64_t i = 0; i < count; i++)                                                 \
			must(alloc(from, &held[i]));                                                 \
		ns = name##_swaps(from, held, count, &random);                                       \
		for (uint64_t i = 0; i < count; i++)                                                 \
			free(from, held[i]);                                                         \
		return ns;                                                                           \
	}
