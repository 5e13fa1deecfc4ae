/*
 * The frame allocator against a plain model: random calls on two caches, and then two threads at once.
 * The model knows of each frame how many references it has and in which size it was handed out.
 */
#include <pthread.h>

#include "test/host/frame_machine.h"

#define OPERATIONS 4000000
#define HELD_MAX   200000
#define MANY       300

/* A frame that is handed out. */
struct held {
	paddr_t pa;
	enum frame_size size;
	unsigned refs;
};

struct model {
	struct machine *m;
	struct random random;
	uint8_t *taken; /* by frame number: handed out, or never to be */
	struct held *held;
	size_t count;
	uint64_t free; /* 4 KiB frames */
	size_t failures;
};

static uint64_t below(struct model *model, uint64_t bound)
{
	return random_below(&model->random, bound);
}

static struct frame_cache *any_cache(struct model *model)
{
	return &model->m->caches[below(model, MACHINE_CACHES)];
}

/* 512 blocks of 2 MiB and more, two regions that are whole, holes, and memory below 4 GiB. */
static void model_start(struct model *model)
{
	struct machine *m = machine_new();
	uint64_t frames;

	machine_range(m, 0, 640 * KIB, MEM_USABLE);
	machine_range(m, MIB, 64 * MIB + 3 * PAGE_SIZE, MEM_USABLE);
	machine_range(m, 64 * MIB + 7 * PAGE_SIZE, 65 * MIB, MEM_USABLE);
	machine_range(m, GIB - 5 * PAGE_SIZE, GIB + 100 * MIB, MEM_USABLE);
	machine_range(m, 5 * GIB, 7 * GIB + 33 * MIB, MEM_USABLE);
	machine_start(m);
	frames = 8 * GIB / PAGE_SIZE;
	*model = (struct model){ .m = m, .random = random_start("frame: model") };
	model->taken = malloc(frames);
	model->held = malloc(HELD_MAX * sizeof(*model->held));
	memset(model->taken, 1, frames);
	for (size_t i = 0; i < m->map.count; i++)
		memset(&model->taken[m->ranges[i].start / PAGE_SIZE], 0,
		       (m->ranges[i].end - m->ranges[i].start) / PAGE_SIZE);
	/* The metadata: cut from the end of the last range, the largest. */
	memset(&model->taken[(7 * GIB + 33 * MIB - m->frames.metadata) / PAGE_SIZE], 1, m->frames.metadata / PAGE_SIZE);
	model->taken[0] = model->taken[m->frames.low_page.raw / PAGE_SIZE] = 1;
	for (uint64_t i = 0; i < frames; i++)
		model->free += !model->taken[i];
	assert_int_equal(model->free, frame_free_count(&m->frames));
}

static void model_take(struct model *model, enum frame_size size, paddr_t pa)
{
	uint64_t frames = frame_size_frames(size), first = pa.raw / PAGE_SIZE;

	assert_int_equal(pa.raw % (frames * PAGE_SIZE), 0);
	assert_true(first + frames <= 8 * GIB / PAGE_SIZE);
	for (uint64_t i = first; i < first + frames; i++) {
		assert_int_equal(model->taken[i], 0);
		model->taken[i] = 1;
	}
	model->free -= frames;
	assert_true(model->count < HELD_MAX);
	model->held[model->count++] = (struct held){ pa, size, 1 };
}

static void model_drop(struct model *model, size_t at)
{
	struct held held = model->held[at];
	uint64_t frames = frame_size_frames(held.size);

	memset(&model->taken[held.pa.raw / PAGE_SIZE], 0, frames);
	model->free += frames;
	model->held[at] = model->held[--model->count];
}

/* Nothing was there for this cache: then the model must not know a place either, once other caches are empty. */
static void check_failure(struct model *model, enum frame_size size)
{
	uint64_t frames = frame_size_frames(size), run = 0;

	for (int i = 0; i < MACHINE_CACHES; i++)
		frame_cache_drain(&model->m->caches[i]);
	for (uint64_t i = 0; i < 8 * GIB / PAGE_SIZE; i++) {
		run = i % frames == 0 ? 0 : run;
		run += !model->taken[i];
		if (run == frames) {
			paddr_t pa;

			/* It may have lain in another cache's stack. */
			assert_int_equal(frame_alloc(&model->m->caches[0], size, &pa), OK);
			model_take(model, size, pa);
			return;
		}
	}
}

static void do_alloc(struct model *model, enum frame_size size)
{
	paddr_t pa;

	if (frame_alloc(any_cache(model), size, &pa) == OK)
		model_take(model, size, pa);
	else if (model->failures++ % 256 == 0)
		check_failure(model, size);
}

static void do_alloc_many(struct model *model)
{
	size_t count = below(model, MANY);
	paddr_t many[MANY];

	if (model->count + count > HELD_MAX || frame_alloc_many(any_cache(model), count, many) != OK)
		return;
	for (size_t i = 0; i < count; i++)
		model_take(model, FRAME_4K, many[i]);
}

static void do_put(struct model *model, size_t at)
{
	struct held *held = &model->held[at];
	bool last = held->refs == 1;

	assert_int_equal(frame_refs(&model->m->frames, held->size, held->pa), held->refs);
	if (last && below(model, 2))
		frame_free(any_cache(model), held->size, held->pa);
	else
		assert_int_equal(frame_put(any_cache(model), held->size, held->pa), last);
	held->refs--;
	if (last)
		model_drop(model, at);
}

/* Up to MANY frames that were taken one after the other. */
static void do_free_many(struct model *model)
{
	size_t count = 0, at = below(model, model->count);
	paddr_t many[MANY];

	while (count < MANY && at < model->count && model->held[at].size == FRAME_4K && model->held[at].refs == 1) {
		many[count++] = model->held[at].pa;
		model_drop(model, at);
		at += below(model, 8) != 0;
	}
	frame_free_many(any_cache(model), count, many);
}

static void one_operation(struct model *model, unsigned share)
{
	uint64_t what = below(model, 1000);
	paddr_t pa;

	if (model->count && below(model, 100) >= share) {
		if (what < 5)
			do_free_many(model);
		else
			do_put(model, below(model, model->count));
	} else if (what < 800) {
		if (model->count < HELD_MAX)
			do_alloc(model, FRAME_4K);
	} else if (what < 830) {
		if (model->count < HELD_MAX)
			do_alloc(model, FRAME_2M);
	} else if (what < 832) {
		if (model->count < HELD_MAX)
			do_alloc(model, FRAME_1G);
	} else if (what < 836) {
		do_alloc_many(model);
	} else if (what < 860) {
		if (model->count < HELD_MAX && frame_alloc_low(any_cache(model), &pa) == OK) {
			assert_true(pa.raw < 4 * GIB);
			model_take(model, FRAME_4K, pa);
		}
	} else if (what < 861) {
		frame_cache_drain(any_cache(model));
	} else if (model->count) {
		struct held *held = &model->held[below(model, model->count)];

		assert_int_equal(frame_get(any_cache(model), held->size, held->pa), OK);
		held->refs++;
	}
	assert_int_equal(frame_free_count(&model->m->frames), model->free);
}

static void test_model(void **state)
{
	struct model model;
	uint64_t total;
	unsigned share = 50;

	(void)state;
	model_start(&model);
	total = model.free;
	for (size_t i = 0; i < OPERATIONS; i++) {
		/* Now it fills, now it empties. */
		if (i % 50000 == 0)
			share = 20 + below(&model, 75);
		one_operation(&model, share);
	}
	while (model.count)
		do_put(&model, model.count - 1);
	assert_int_equal(frame_free_count(&model.m->frames), total);
	for (int i = 0; i < MACHINE_CACHES; i++)
		frame_cache_drain(&model.m->caches[i]);
	/* Nothing stuck: both whole regions, and every block, can be had again. */
	for (int i = 0; i < 2; i++)
		do_alloc(&model, FRAME_1G);
	assert_int_equal(model.count, 2);
	free(model.taken);
	free(model.held);
	machine_end(model.m);
}

/* ---- two threads ---- */

#define STRESS_OPERATIONS 600000
#define STRESS_HELD       4000
#define BASKETS           64

/* Frames on their way from one thread to the other. */
static uint64_t baskets[BASKETS];

struct stress {
	struct machine *m;
	uint8_t *owner; /* by frame number: 0, or the thread that has it */
	struct random random;
	int thread;
	paddr_t shared;
};

static void own(struct stress *stress, paddr_t pa, uint8_t from, uint8_t to)
{
	uint8_t *owner = &stress->owner[(pa.raw - stress->m->start) / PAGE_SIZE];

	if (__atomic_exchange_n(owner, to, __ATOMIC_RELAXED) != from) {
		fprintf(stderr, "frame %#lx has two owners\n", (unsigned long)pa.raw);
		abort();
	}
}

static void *stress_thread(void *arg)
{
	struct stress *stress = arg;
	struct frame_cache *cache = &stress->m->caches[stress->thread - 1];
	paddr_t held[STRESS_HELD], pa;
	size_t count = 0;

	for (int i = 0; i < STRESS_OPERATIONS; i++) {
		uint64_t what = random_below(&stress->random, 100);

		if (what < 2) {
			if (frame_alloc(cache, FRAME_2M, &pa) != OK)
				continue;
			for (uint64_t at = 0; at < PAGE_SIZE_2M; at += 64 * PAGE_SIZE)
				own(stress, paddr_add(pa, at), 0, stress->thread);
			for (uint64_t at = 0; at < PAGE_SIZE_2M; at += 64 * PAGE_SIZE)
				own(stress, paddr_add(pa, at), stress->thread, 0);
			frame_free(cache, FRAME_2M, pa);
		} else if (what < 20) {
			/* Swap one with what lies in a basket. */
			if (!count)
				continue;
			own(stress, held[count - 1], stress->thread, 3);
			pa = paddr(__atomic_exchange_n(&baskets[what % BASKETS], held[--count].raw, __ATOMIC_ACQ_REL));
			if (pa.raw) {
				own(stress, pa, 3, 0);
				frame_free(cache, FRAME_4K, pa);
			}
		} else if (what < 62 - (count > STRESS_HELD / 2) * 20 && count < STRESS_HELD) {
			if (frame_alloc(cache, FRAME_4K, &pa) != OK)
				continue;
			own(stress, pa, 0, stress->thread);
			assert_int_equal(frame_get(cache, FRAME_4K, pa), OK);
			held[count++] = pa;
			frame_put(cache, FRAME_4K, pa);
		} else if (count) {
			size_t at = random_below(&stress->random, count);

			own(stress, held[at], stress->thread, 0);
			frame_free(cache, FRAME_4K, held[at]);
			held[at] = held[--count];
		}
	}
	while (count) {
		own(stress, held[--count], stress->thread, 0);
		frame_free(cache, FRAME_4K, held[count]);
	}
	return NULL;
}

static void test_two_threads(void **state)
{
	/* So little memory that the threads meet in every block, and run out of it at times. */
	struct machine *m = machine_simple(4 * GIB, 24 * MIB);
	struct stress stress[2];
	pthread_t threads[2];
	uint8_t *owner = calloc(m->size / PAGE_SIZE, 1);

	(void)state;
	for (int i = 0; i < 2; i++) {
		stress[i] = (struct stress){ m, owner, random_start("frame: thread"), i + 1, { 0 } };
		stress[i].random.state += i;
		assert_int_equal(pthread_create(&threads[i], NULL, stress_thread, &stress[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < BASKETS; i++)
		if (baskets[i])
			frame_free(&m->caches[0], FRAME_4K, paddr(baskets[i]));
	assert_int_equal(frame_free_count(&m->frames), m->frames.total);
	free(owner);
	machine_end(m);
}

#define SHARED_BASE   40000 /* references before, */
#define SHARED_MORE   30000 /* and those that each thread takes and gives back: together they need batches */
#define SHARED_ROUNDS 20

static void *share_thread(void *arg)
{
	struct stress *stress = arg;
	struct frame_cache *cache = &stress->m->caches[stress->thread - 1];

	for (int round = 0; round < SHARED_ROUNDS; round++) {
		for (int i = 0; i < SHARED_MORE; i++)
			assert_int_equal(frame_get(cache, FRAME_4K, stress->shared), OK);
		for (int i = 0; i < SHARED_MORE; i++)
			assert_false(frame_put(cache, FRAME_4K, stress->shared));
	}
	return NULL;
}

static void test_two_threads_share_a_frame(void **state)
{
	struct machine *m = machine_simple(4 * GIB, 24 * MIB);
	struct frame_cache *cache = &m->caches[0];
	struct stress stress[2];
	pthread_t threads[2];
	paddr_t pa;

	(void)state;
	assert_int_equal(frame_alloc(cache, FRAME_4K, &pa), OK);
	for (int i = 1; i < SHARED_BASE; i++)
		assert_int_equal(frame_get(cache, FRAME_4K, pa), OK);
	for (int i = 0; i < 2; i++) {
		stress[i] = (struct stress){ .m = m, .thread = i + 1, .shared = pa };
		assert_int_equal(pthread_create(&threads[i], NULL, share_thread, &stress[i]), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(frame_refs(&m->frames, FRAME_4K, pa), SHARED_BASE);
	for (int i = 1; i < SHARED_BASE; i++)
		assert_false(frame_put(cache, FRAME_4K, pa));
	assert_true(frame_put(cache, FRAME_4K, pa));
	assert_int_equal(frame_free_count(&m->frames), m->frames.total);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_two_threads_share_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
