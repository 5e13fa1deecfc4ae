/*
 * What a CPU knows when it reads its own counter after a word that the first CPU has shown: its counter minus the word
 * is its lead, or more, since time has passed in between. When it reads its own counter first, and then waits for a
 * word that was surely shown later: its counter minus that word is its lead, or less. Many such pairs leave a narrow
 * range, which holds 0 if the counters go alike.
 */
#include "kernel/irq/tsc_sync.h"

#include "kernel/arch/cpu.h"

#define MSR_TSC 0x10
#define PAIRS   8

static uint64_t shown;       /* the first CPU's counter. Atomic */
static uint64_t shown_count; /* how often it was shown. Atomic */

void tsc_sync_show(void)
{
	__atomic_store_n(&shown, cpu_rdtsc(), __ATOMIC_SEQ_CST);
	__atomic_store_n(&shown_count, shown_count + 1, __ATOMIC_SEQ_CST);
}

static uint64_t read_count(void)
{
	return __atomic_load_n(&shown_count, __ATOMIC_SEQ_CST);
}

/* Find by how much this CPU's counter leads, at the least and at the most. */
static void measure(int64_t *ret_least, int64_t *ret_most)
{
	*ret_least = INT64_MIN;
	*ret_most = INT64_MAX;
	for (int i = 0; i < PAIRS; i++) {
		uint64_t word = __atomic_load_n(&shown, __ATOMIC_SEQ_CST), own = cpu_rdtsc(), count = read_count();
		int64_t most = (int64_t)(own - word), least;

		/* The showing after the next one has begun after `own` was read. */
		while (read_count() < count + 2)
			cpu_pause();
		least = (int64_t)(own - __atomic_load_n(&shown, __ATOMIC_SEQ_CST));
		*ret_most = most < *ret_most ? most : *ret_most;
		*ret_least = least > *ret_least ? least : *ret_least;
	}
}

enum status tsc_sync_follow(int64_t *ret_ticks)
{
	int64_t least, most;

	measure(&least, &most);
	if (least <= 0 && most >= 0)
		return OK;
	cpu_write_msr(MSR_TSC, cpu_rdtsc() - (uint64_t)(least / 2 + most / 2));
	measure(&least, &most);
	if (least <= 0 && most >= 0)
		return OK;
	*ret_ticks = least > 0 ? least : most;
	return ERR_RANGE;
}
