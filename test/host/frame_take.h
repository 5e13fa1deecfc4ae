/*
 * Taking frames the way a test wants it: each one checked against the machine's map, the count exact.
 */
#pragma once

#include "test/host/frame_machine.h"

/* One frame that must be there. */
static inline paddr_t alloc(struct frame_cache *cache, enum frame_size size)
{
	paddr_t pa;

	assert_int_equal(frame_alloc(cache, size, &pa), OK);
	assert_int_equal(pa.raw & (frame_size_frames(size) * PAGE_SIZE - 1), 0);
	return pa;
}

static inline bool in_usable(const struct machine *m, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < m->map.count; i++)
		if (m->ranges[i].type == MEM_USABLE && m->ranges[i].start <= start && end <= m->ranges[i].end)
			return true;
	return false;
}

/* Take all there is of `size`: each frame once, all of it usable, the count exact. Returns how many. */
static inline size_t take_all(struct machine *m, enum frame_size size, paddr_t *held)
{
	uint64_t frames = frame_size_frames(size);
	uint64_t left = frame_free_count(&m->frames);
	uint8_t *seen = calloc(m->size / PAGE_SIZE / frames + 2, 1);
	size_t count = 0;

	while (frame_alloc(&m->caches[0], size, &held[count]) == OK) {
		uint64_t pa = held[count].raw;
		uint64_t number = pa / PAGE_SIZE / frames - m->start / PAGE_SIZE / frames;

		assert_true(in_usable(m, pa, pa + frames * PAGE_SIZE));
		assert_int_equal(seen[number], 0);
		seen[number] = 1;
		count++;
		left -= frames;
		assert_int_equal(frame_free_count(&m->frames), left);
	}
	assert_int_equal(frame_free_count(&m->frames), left);
	if (size == FRAME_4K)
		assert_int_equal(left, 0);
	free(seen);
	return count;
}

static inline void give_all(struct machine *m, enum frame_size size, const paddr_t *held, size_t count)
{
	for (size_t i = 0; i < count; i++)
		frame_free(&m->caches[0], size, held[i]);
}
