/*
 * What tests of user memory share: a machine of frames, the heap, contexts, and a file that areas can map. A header
 * because the heap's host part is one: included once a program.
 */
#pragma once

#include "test/host/context_host.h"
#include "test/host/frame_machine.h"
#include "test/host/heap_host.h"

#define MACHINE_BASE (4 * GIB)

static struct machine *user_machine;
static uint64_t frames_at_start;
static struct heap_host user_heap;

/* A machine with `size` bytes of memory from 4 GiB on. */
static inline void user_machine_start(uint64_t size)
{
	static bool heap_started;
	uintptr_t direct;

	panic_set_handler(print_panic);
	if (!heap_started) {
		heap_host_init(&user_heap, 64 * KIB);
		heap_started = true;
	}
	user_machine = machine_new();
	machine_range(user_machine, MACHINE_BASE, MACHINE_BASE + size, MEM_USABLE);
	machine_memory(user_machine);
	direct = (uintptr_t)user_machine->memory - user_machine->start;
	memset(&machine_frames, 0, sizeof(machine_frames));
	assert_int_equal(frame_init(&machine_frames, &user_machine->map, direct), OK);
	frame_cache_init(&machine_frame_cache, &machine_frames);
	context_host_start(direct);
	frames_at_start = frame_free_count(&machine_frames);
}

/* Every frame must be back. */
static inline void user_machine_end(void)
{
	assert_int_equal(frame_free_count(&machine_frames), frames_at_start);
	machine_end(user_machine);
}

/* ---- a file ---- */

#define FILE_PAGES 300

/* Page n of it starts with this word and is that word all over. */
static inline uint64_t file_word(uint64_t page)
{
	return 0xf11e000000000000 + page;
}

struct test_file {
	struct memory_object object;
	size_t references;
	paddr_t frames[FILE_PAGES];
};

static inline enum status test_file_frame(struct memory_object *object, uint64_t page, paddr_t *ret)
{
	struct test_file *file = (struct test_file *)object;

	if (page >= FILE_PAGES)
		return ERR_RANGE;
	if (!file->frames[page].raw) {
		enum status status = frame_alloc_4k(&machine_frame_cache, &file->frames[page]);
		uint64_t *words;

		if (status != OK)
			return status;
		words = (uint64_t *)(user_machine->memory + (file->frames[page].raw - MACHINE_BASE));
		for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
			words[i] = file_word(page);
	}
	if (frame_get(frame_cache_here(), FRAME_4K, file->frames[page]) != OK)
		return ERR_NO_MEMORY;
	*ret = file->frames[page];
	return OK;
}

static inline void test_file_get(struct memory_object *object)
{
	((struct test_file *)object)->references++;
}

static inline void test_file_put(struct memory_object *object)
{
	struct test_file *file = (struct test_file *)object;

	assert_true(file->references > 0);
	file->references--;
}

/* Pages are read in as they are asked for, and those around as well. */
static inline bool test_file_has(struct memory_object *object, uint64_t page)
{
	(void)object;
	return page < FILE_PAGES;
}

static const struct memory_object_ops test_file_ops = {
	.frame = test_file_frame, .get = test_file_get, .put = test_file_put, .has = test_file_has
};

static inline void test_file_start(struct test_file *file)
{
	memset(file, 0, sizeof(*file));
	file->object.ops = &test_file_ops;
}

/* Nobody may map it any more. */
static inline void test_file_end(struct test_file *file)
{
	assert_int_equal(file->references, 0);
	for (unsigned i = 0; i < FILE_PAGES; i++)
		if (file->frames[i].raw) {
			assert_int_equal(frame_refs(&machine_frames, FRAME_4K, file->frames[i]), 1);
			frame_free_4k(&machine_frame_cache, file->frames[i]);
		}
}
