/*
 * Compares another CPU's time-stamp counter with the first CPU's, and corrects it. The first CPU writes its counter to
 * the word `shown` again and again. The other CPU's *lead* is by how much its counter is ahead of the first CPU's. When
 * the other CPU reads the word and then its own counter, the difference is the lead or more, since time has passed in
 * between. When it reads its own counter and then waits for a word that was written later, the difference is the lead
 * or less. The closest of PAIRS such pairs of bounds give a narrow range for the lead, which contains 0 if the counters
 * agree.
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

/* Find the least and the most that this CPU's lead can be, in ticks. */
static void measure(int64_t *ret_least, int64_t *ret_most)
{
	*ret_least = INT64_MIN;
	*ret_most = INT64_MAX;
	for (int i = 0; i < PAIRS; i++) {
		uint64_t word = __atomic_load_n(&shown, __ATOMIC_SEQ_CST), own = cpu_rdtsc(), count = read_count();
		int64_t most = (int64_t)(own - word), least;

		/* The write that makes the count larger by 2 has begun after the count, and so `own`, was read. */
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
