/*
 * What the page-table library costs on the host, against floors measured in the same run: a plain loop
 * that stores 8 bytes an entry, four loads each of which needs the one before, a descent to each entry in turn. The
 * rounds are interleaved and medians reported, so that a noisy machine disturbs floor and figure alike. No goal is in
 * nanoseconds: a slow CPU, or a slow minute of a fast one, would miss it with the same code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "paging/layout.h"
#include "paging/space.h"

#define ROUNDS  31
#define PAGES   (PAGE_SIZE_1G / PAGE_SIZE)
#define FRAMES  1024
#define LOOKUPS (1 << 18)
#define TURN    (1 << 9)
#define CHUNK   16 /* pages in 64 KiB */
#define HOLES   1024

/* Where the gigabyte is mapped, and to what. */
#define VA HEAP_BASE
#define PA paddr(1ULL << 40)

/* Frames for tables: a stack of them, in one block that is page-aligned. */
static uint8_t *memory;
static paddr_t free_frames[FRAMES];
static size_t free_count;

static enum status frame_alloc(void *ctx, paddr_t *ret_pa)
{
	(void)ctx;
	if (!free_count)
		return ERR_NO_MEMORY;
	*ret_pa = free_frames[--free_count];
	return OK;
}

static void frame_free(void *ctx, paddr_t pa)
{
	(void)ctx;
	free_frames[free_count++] = pa;
}

static const struct space_ops ops = { frame_alloc, frame_free };

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Of this thread: what else runs on the machine is not counted. */
static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* All that a round measures, in ns an entry, a call or a pair. */
enum figure { STORE, MAP, PROTECT, UNMAP, DESCENT, ASCENDING, LOADS, LOOKUP, CHUNK_FLOOR, CHUNK_PAIR, FIGURES };

static double samples[FIGURES][ROUNDS];
static vaddr_t lookups[LOOKUPS];
static vaddr_t holes[HOLES];
static size_t tables_left;
static uint64_t no_bit; /* 0, in a way that the compiler cannot know */

static void must(enum status status)
{
	if (status != OK) {
		fprintf(stderr, "bench: a call failed with status %d\n", status);
		exit(1);
	}
}

static double measure_store(void)
{
	volatile uint64_t *at = (volatile uint64_t *)memory;
	double start = now_ns();

	/* One entry a turn, whichever compiler: what "a plain loop" means. */
#pragma GCC unroll 1
	for (uint64_t i = 0, raw = 3; i < PAGES; i++, raw += PAGE_SIZE)
		at[i] = raw;
	return (now_ns() - start) / PAGES;
}

static double measure_map(struct space *s)
{
	double start = now_ns();

	must(space_map(s, VA, PA, PAGES, PROT_R));
	return (now_ns() - start) / PAGES;
}

static double measure_protect(struct space *s)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;
	double start = now_ns();

	must(space_protect(s, VA, PAGES, PROT_W, &flush));
	return (now_ns() - start) / PAGES;
}

static double measure_unmap(struct space *s)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;
	double start = now_ns();

	must(space_unmap(s, VA, PAGES, &flush));
	space_release(s, &flush);
	return (now_ns() - start) / PAGES;
}

static double measure_ascending(struct space *s)
{
	double start = now_ns();

	for (uint64_t i = 0; i < PAGES; i++)
		must(space_map(s, VA + i * PAGE_SIZE, paddr_add(PA, i * PAGE_SIZE), 1, PROT_W));
	return (now_ns() - start) / PAGES;
}

/* The floor of a map or an unmap: a call that descends to the table and stores its entries, with nothing checked. */
static __attribute__((noinline)) void store_entries(const struct space *s, vaddr_t va, uint64_t raw, uint64_t step,
						    size_t n)
{
	uint64_t entry = s->root.raw;
	volatile uint64_t *at;

	for (int shift = 39; shift > 12; shift -= 9)
		entry = ((const uint64_t *)(s->direct + (entry & PTE_ADDRESS)))[va >> shift & 511];
	at = (volatile uint64_t *)(s->direct + (entry & PTE_ADDRESS)) + (va >> 12 & 511);
	for (size_t i = 0; i < n; i++, raw += step)
		at[i] = raw;
}

/* Over tables that are there: each entry gets what it has. */
static double measure_descents(const struct space *s)
{
	uint64_t raw = pte_leaf(PA, PROT_W, 1).raw;
	double start = now_ns();

	for (uint64_t i = 0; i < PAGES; i++)
		store_entries(s, VA + i * PAGE_SIZE, raw + i * PAGE_SIZE, 0, 1);
	return (now_ns() - start) / PAGES;
}

/*
 * Translations one after another: each address depends on the result before, by a bit that is always 0
 * but which the compiler and the CPU must wait for. This is the floor, a walk with nothing checked.
 */
static void translate_floor(const struct space *s, const vaddr_t *va, size_t n)
{
	uint64_t entry = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = va[i] ^ (entry & no_bit);

		entry = s->root.raw;
		for (int shift = 39; shift >= 12; shift -= 9)
			entry = ((const uint64_t *)(s->direct + (entry & PTE_ADDRESS)))[at >> shift & 511];
	}
	no_bit &= entry;
}

static void translate(const struct space *s, const vaddr_t *va, size_t n)
{
	struct mapping m = { .pa = paddr(0) };

	for (size_t i = 0; i < n; i++)
		must(space_lookup(s, va[i] ^ (m.pa.raw & no_bit), &m));
	no_bit &= m.pa.raw;
}

/* In turns of a few microseconds: the caches that the floor depends on are other people's too. */
static void measure_translations(const struct space *s, int round)
{
	double floor = 0, lookup = 0;

	for (size_t i = 0; i < LOOKUPS; i += 2 * TURN) {
		double start = now_ns(), middle;

		translate_floor(s, &lookups[i], TURN);
		middle = now_ns();
		translate(s, &lookups[i + TURN], TURN);
		floor += middle - start;
		lookup += now_ns() - middle;
	}
	samples[LOADS][round] = floor / (LOOKUPS / 2);
	samples[LOOKUP][round] = lookup / (LOOKUPS / 2);
}

/* 64 KiB mapped and unmapped again, in holes of a gigabyte that is full otherwise; and the same by the floor. */
static double measure_chunks(struct space *s, double *ret_floor)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;
	double start, ns;

	for (size_t i = 0; i < HOLES; i++)
		must(space_unmap(s, holes[i], CHUNK, &flush));
	start = now_ns();
	for (size_t i = 0; i < HOLES; i++) {
		must(space_map(s, holes[i], PA, CHUNK, PROT_W));
		must(space_unmap(s, holes[i], CHUNK, &flush));
	}
	ns = now_ns() - start;
	start = now_ns();
	for (size_t i = 0; i < HOLES; i++) {
		store_entries(s, holes[i], pte_leaf(PA, PROT_W, 1).raw, PAGE_SIZE, CHUNK);
		store_entries(s, holes[i], 0, 0, CHUNK);
	}
	*ret_floor = (now_ns() - start) / HOLES;
	return ns / HOLES;
}

static void one_round(int round)
{
	struct space s;

	/* 4 KiB leaves only: they are what is measured. */
	must(space_init(&s, &ops, NULL, (uintptr_t)memory - PAGE_SIZE, 1));
	samples[MAP][round] = measure_map(&s);
	samples[PROTECT][round] = measure_protect(&s);
	samples[UNMAP][round] = measure_unmap(&s);
	tables_left += s.tables;
	samples[ASCENDING][round] = measure_ascending(&s);
	samples[DESCENT][round] = measure_descents(&s);
	measure_translations(&s, round);
	samples[CHUNK_PAIR][round] = measure_chunks(&s, &samples[CHUNK_FLOOR][round]);
	measure_unmap(&s);
	tables_left += s.tables;
	space_clear(&s, 0, 512);
	samples[STORE][round] = measure_store();
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(enum figure f)
{
	qsort(samples[f], ROUNDS, sizeof(double), by_value);
	return samples[f][ROUNDS / 2];
}

static bool row(const char *what, double value, const char *unit, double goal)
{
	bool pass = value <= goal;

	printf("%-44s %8.2f %-8s %8.2f  %s\n", what, value, unit, goal, pass ? "pass" : "FAIL");
	return pass;
}

static bool report(void)
{
	double store = median(STORE), loads = median(LOADS);
	bool pass = true;

	printf("page tables: medians of %d interleaved rounds\n", ROUNDS);
	printf("%-44s %8.2f ns an entry\n", "floor: plain 8-byte store loop", store);
	printf("%-44s %8.2f ns a translation\n", "floor: four dependent loads", loads);
	printf("%-44s %8.2f ns an entry, map %.2f\n", "floor: descend and store one", median(DESCENT),
	       median(ASCENDING));
	printf("%-44s %8.2f ns a pair, ours %.2f\n\n", "floor: descend and store 16, twice", median(CHUNK_FLOOR),
	       median(CHUNK_PAIR));
	printf("%-44s %8s %-8s %8s\n", "", "measured", "", "goal");
	pass &= row("map 1 GiB by 4 KiB leaves", median(MAP) / store, "x floor", 1.5);
	pass &= row("protect 1 GiB by 4 KiB leaves", median(PROTECT) / store, "x floor", 1.5);
	pass &= row("unmap 1 GiB by 4 KiB leaves", median(UNMAP) / store, "x floor", 1.5);
	pass &= row("ascending maps of one page", median(ASCENDING) / median(DESCENT), "x floor", 2.5);
	pass &= row("random translation", median(LOOKUP) / loads, "x floor", 1.2);
	pass &= row("64 KiB map + unmap in a populated gigabyte", median(CHUNK_PAIR) / median(CHUNK_FLOOR), "x floor",
		    4);
	pass &= row("tables left by unmapping everything", (double)tables_left, "tables", 0);
	return pass;
}

int main(int argc, char **argv)
{
	(void)argv;
	no_bit = (uint64_t)argc >> 32;
	memory = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
	if (!memory)
		return 1;
	/* Physical page 0 ends a chain of frames, so the first frame is page 1. */
	for (size_t i = 0; i < FRAMES; i++)
		free_frames[free_count++] = paddr((FRAMES - i) * PAGE_SIZE);
	for (size_t i = 0; i < LOOKUPS; i++)
		lookups[i] = VA + random_next() % PAGE_SIZE_1G;
	for (size_t i = 0; i < HOLES; i++)
		holes[i] = VA +
			   (i * (PAGES / HOLES / CHUNK) + random_next() % (PAGES / HOLES / CHUNK)) * CHUNK * PAGE_SIZE;
	for (size_t i = HOLES - 1; i > 0; i--) {
		size_t k = random_next() % (i + 1);
		vaddr_t hole = holes[i];

		holes[i] = holes[k];
		holes[k] = hole;
	}

	one_round(0); /* once to touch all memory; overwritten by the first round that counts */
	tables_left = 0;
	for (int round = 0; round < ROUNDS; round++)
		one_round(round);
	free(memory);
	return report() ? 0 : 1;
}
