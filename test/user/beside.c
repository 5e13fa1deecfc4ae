/*
 * Threads that touch new pages at the same time, on whatever CPUs they are: the same pages, and pages beside those that
 * another thread maps, unmaps, protects or shares with a child, and pages that go meanwhile. Each write is there
 * afterwards, and a new page is zero.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define THREADS     4
#define PAGES       48
#define ROUNDS      40
#define SLOT        8 /* pages that a thread maps at a time */
#define SLOT_ROUNDS 150
#define TOUCHES     3000
#define TABLE       (2UL << 20) /* what one page table maps */

static volatile unsigned long *area; /* what all threads touch; or where the slots are */
static void *alone;                  /* the range around a place that has its page tables for itself */
static unsigned long arrived;
static unsigned long lost, not_zero;

/* Wait until all threads have called this `times` times. */
static void meet(unsigned long times)
{
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < times * THREADS)
		sched_yield();
}

static volatile unsigned long *word(unsigned page, unsigned number)
{
	return area + page * (PAGE / sizeof(*area)) + number;
}

static void run_threads(void *(*body)(void *self))
{
	pthread_t threads[THREADS];

	arrived = 0;
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, body, (void *)i))
			bail("pthread_create", (long)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* ---- the same pages ---- */

static void *touch_same(void *self)
{
	const unsigned number = (unsigned)(unsigned long)self;
	unsigned long times = 0;

	for (unsigned long round = 1; round <= ROUNDS; round++) {
		if (!number)
			area = fresh(PAGES * PAGE, PROT_READ | PROT_WRITE);
		meet(++times);
		for (unsigned page = 0; page < PAGES; page++)
			*word(page, number) = round;
		meet(++times);
		for (unsigned page = 0; page < PAGES; page++)
			if (*word(page, number) != round)
				__atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
		meet(++times);
		if (!number && munmap((void *)area, PAGES * PAGE))
			bail("munmap", 0);
	}
	return NULL;
}

static int same(void *unused)
{
	(void)unused;
	run_threads(touch_same);
	return lost != 0;
}

/* ---- pages beside those that change ---- */

/* Map the slot of this thread, find zeros in it, write to it, and find what was written; unmap it. */
static void use_slot(unsigned number, unsigned long round)
{
	const unsigned first = number * SLOT;
	void *const slot = (void *)word(first, 0);

	if (mmap(slot, SLOT * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != slot)
		bail("mmap", (long)number);
	for (unsigned page = first; page < first + SLOT; page++) {
		if (*word(page, 0))
			__atomic_add_fetch(&not_zero, 1, __ATOMIC_RELAXED);
		*word(page, 0) = round;
	}
	if (round % 4 == number && mprotect(slot, PAGE, PROT_READ))
		bail("mprotect", (long)number);
	for (unsigned page = first; page < first + SLOT; page++)
		if (*word(page, 0) != round)
			__atomic_add_fetch(&lost, 1, __ATOMIC_RELAXED);
	if (round & 1 ? madvise(slot, SLOT * PAGE, MADV_DONTNEED) : munmap(slot, SLOT * PAGE))
		bail("the end of a slot", (long)number);
}

static void *change_beside(void *self)
{
	const unsigned number = (unsigned)(unsigned long)self;

	meet(1);
	for (unsigned long round = 1; round <= SLOT_ROUNDS; round++) {
		use_slot(number, round);
		if (number || round % 16)
			continue;
		const pid_t child = fork();
		int status;

		if (!child)
			_exit(0);
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			bail("the child", child);
	}
	return NULL;
}

static int beside(void *unused)
{
	(void)unused;
	area = fresh(THREADS * SLOT * PAGE, PROT_READ | PROT_WRITE);
	run_threads(change_beside);
	return (lost != 0) + 2 * (not_zero != 0);
}

/* ---- pages that go while they are touched ---- */

static void change_place(unsigned long round)
{
	void *const place = (void *)area;

	if (round % 2) {
		if (madvise(place, SLOT * PAGE, MADV_DONTNEED))
			bail("madvise", (long)round);
	} else if (mmap(place, SLOT * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
		   place) {
		bail("mmap", (long)round);
	}
}

/* The first thread changes the place, again and again, until the others have touched it often enough. */
static void *touch_what_goes(void *self)
{
	unsigned long round = 0;

	if (!self) {
		/* Let nothing else be near, so that page tables come and go as well. No mapping without a place follows. */
		if (munmap(alone, 4 * TABLE))
			bail("munmap", 0);
		change_place(round);
	}
	meet(1);
	if (!self) {
		while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < 2 * THREADS - 1)
			change_place(++round);
		return NULL;
	}
	for (; round < TOUCHES; round++) {
		volatile unsigned long *at = word(round % SLOT, (unsigned)(unsigned long)self);
		const unsigned long saw = *at;

		/* What is there is zero, or of the last time. */
		if (saw && saw != round + 1 - SLOT)
			__atomic_add_fetch(&not_zero, 1, __ATOMIC_RELAXED);
		*at = round + 1;
	}
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int going(void *unused)
{
	(void)unused;
	alone = fresh(4 * TABLE, PROT_NONE);
	area = (void *)(((unsigned long)alone + 2 * TABLE) & ~(TABLE - 1));
	run_threads(touch_what_goes);
	return not_zero != 0;
}

int main(void)
{
	/* In children: the end of a process counts its pages once more. */
	is(in_child(same, NULL), EXITED(0), "threads that touch the same new pages lose no write");
	is(in_child(beside, NULL), EXITED(0),
	   "threads that map and unmap side by side find zeros, and what they wrote");
	is(in_child(going, NULL), EXITED(0), "threads that touch pages while these go find zeros, or what they wrote");
	return finish();
}
