/*
 * What makes kernel/lib/random.h's numbers hard to guess.
 */
#pragma once

#include <stddef.h>

/*
 * Add the firmware's seed (`size` bytes, maybe none), what RDSEED and RDRAND give, and how long the CPU takes for the
 * same thing again and again. Says that it suffices when the firmware or the CPU gave 256 bits. Returns how many bits
 * those two gave.
 */
unsigned entropy_gather(const void *seed, size_t size);
