/*
 * What the frame allocator's tests share: a machine whose memory is an arena full of garbage, and
 * a panic that comes back.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "kernel/lib/panic.h"
#include "kernel/mm/frame/frame.h"
#include "test/host/random.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define MACHINE_RANGES 64
#define MACHINE_CACHES 2

struct machine {
	struct mem_range ranges[MACHINE_RANGES];
	struct memmap map;
	uint64_t start; /* of physical memory */
	uint64_t size;
	char *memory;
	struct frames frames;
	struct frame_cache caches[MACHINE_CACHES];
};

/* What the last panic said, and where it goes on. */
static jmp_buf panic_return;
static char panic_text[200];

static inline void catch_panic(const char *format, va_list args)
{
	vsnprintf(panic_text, sizeof(panic_text), format, args);
	longjmp(panic_return, 1);
}

static inline void print_panic(const char *format, va_list args)
{
	vfprintf(stderr, format, args);
	abort();
}

/* A call that is wrong, on the frame at `pa`. */
typedef void wrong_call(struct frame_cache *cache, enum frame_size size, paddr_t pa);

/* `call` must panic with `text` in its message. */
static inline void assert_panic(wrong_call *call, struct frame_cache *cache, enum frame_size size, paddr_t pa,
				const char *text)
{
	panic_text[0] = 0;
	panic_set_handler(catch_panic);
	if (setjmp(panic_return) == 0)
		call(cache, size, pa);
	panic_set_handler(print_panic);
	if (!strstr(panic_text, text))
		fail_msg("\"%s\" expected; panic: \"%s\"", text, panic_text);
}

static inline void machine_range(struct machine *m, uint64_t start, uint64_t end, enum mem_type type)
{
	assert_true(m->map.count < MACHINE_RANGES);
	m->ranges[m->map.count++] = (struct mem_range){ .start = start, .end = end, .type = type };
}

/*
 * Give the machine memory for its ranges. RAM is not zero when a kernel gets it: where the metadata will lie every
 * 16-bit word is 1, which a count that was not set up would take for "handed out".
 */
static inline void machine_memory(struct machine *m)
{
	uint64_t garbage;

	m->map.ranges = m->ranges;
	m->map.capacity = MACHINE_RANGES;
	m->start = m->ranges[0].start;
	m->size = m->ranges[m->map.count - 1].end - m->start;
	m->memory = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(m->memory != MAP_FAILED);
	for (size_t i = 0; i < m->map.count; i++) {
		struct mem_range *range = &m->ranges[i];

		garbage = m->size / 512 + MIB;
		if (range->type != MEM_USABLE)
			continue;
		if (garbage > range->end - range->start)
			garbage = range->end - range->start;
		for (uint64_t at = range->end - garbage; at < range->end; at += sizeof(uint16_t))
			*(uint16_t *)(m->memory + (at - m->start)) = 1;
	}
}

static inline void machine_start(struct machine *m)
{
	machine_memory(m);
	assert_int_equal(frame_init(&m->frames, &m->map, (uintptr_t)m->memory - m->start), OK);
	for (int i = 0; i < MACHINE_CACHES; i++)
		frame_cache_init(&m->caches[i], &m->frames);
}

/* A machine with one usable range. */
static inline struct machine *machine_simple(uint64_t start, uint64_t size)
{
	struct machine *m = calloc(1, sizeof(*m));

	machine_range(m, start, start + size, MEM_USABLE);
	machine_start(m);
	return m;
}

static inline struct machine *machine_new(void)
{
	return calloc(1, sizeof(struct machine));
}

static inline void machine_end(struct machine *m)
{
	munmap(m->memory, m->size);
	free(m);
}
