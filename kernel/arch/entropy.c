/*
 * Feeds the random-number generator from the CPU. All input is mixed into the generator's key, so a broken RDRAND does
 * not weaken what the other sources contribute.
 */
#include "kernel/arch/entropy.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_random.h"
#include "kernel/arch/features.h"
#include "kernel/lib/random.h"

#define WORDS    8   /* words of 64 bits to take from each instruction: twice ENOUGH */
#define TRIES    10  /* attempts for a word: Intel's advice for RDRAND. RDSEED may fail more often */
#define ROUNDS   64  /* steps in which readings of the time-stamp counter are mixed in */
#define READINGS 4   /* in a step: as many as the generator mixes at once */
#define ENOUGH   256 /* bits of entropy that are needed before the generator is declared ready */

typedef bool random_instruction(uint64_t *ret);

/* Add what an instruction gives to the generator. Returns how many bits that was. */
static unsigned add_words(random_instruction *next)
{
	unsigned bits = 0;

	for (int i = 0; i < WORDS; i++) {
		uint64_t word;
		int tries = TRIES;

		while (tries && !next(&word)) {
			cpu_pause();
			tries--;
		}
		/*
		 * A broken CPU may always report success with all ones (AMD family 17h before a microcode update): do
		 * not use such a word, and do not count it.
		 */
		if (!tries || word == UINT64_MAX)
			continue;
		random_add(&word, sizeof(word));
		bits += 64;
	}
	return bits;
}

/*
 * Add readings of the time-stamp counter. They are not counted as bits of entropy: under an emulator the counter may be
 * perfectly regular.
 */
static void add_jitter(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t now[READINGS];

		for (int j = 0; j < READINGS; j++)
			now[j] = cpu_rdtsc();
		random_add(now, sizeof(now));
	}
}

unsigned entropy_gather(const void *seed, size_t size)
{
	unsigned bits = (unsigned)size * 8;

	random_add(seed, size);
	if (cpu_features()->rdseed)
		bits += add_words(cpu_rdseed);
	if (cpu_features()->rdrand)
		bits += add_words(cpu_rdrand);
	add_jitter();
	if (bits >= ENOUGH)
		random_set_ready();
	return bits;
}
