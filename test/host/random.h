/*
 * Random numbers that can be had again: a test prints its seed, and SEED=… in the environment repeats the run.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random {
	uint64_t state; /* never 0 */
};

/* xorshift64*. */
static inline uint64_t random_next(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1d;
}

/* 0 … bound - 1; bound is not 0. */
static inline uint64_t random_below(struct random *r, uint64_t bound)
{
	return (random_next(r) >> 16) % bound;
}

/* Another seed in each run, unless SEED is set. Says which. */
static inline struct random random_start(const char *test)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 0x9e3779b97f4a7c15;

	printf("%s: SEED=0x%llx\n", test, (unsigned long long)seed);
	return (struct random){ seed ? seed : 1 };
}
