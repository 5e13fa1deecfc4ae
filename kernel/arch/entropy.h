/*
 * Gathers entropy at boot for the random-number generator, kernel/lib/random.h.
 */
#pragma once

#include <stddef.h>

/*
 * Add to the generator the firmware's seed (`size` bytes, maybe none), the output of RDSEED and RDRAND, and a few
 * hundred readings of the time-stamp counter. Declare the generator ready if firmware and CPU together gave 256 bits.
 * Returns how many bits firmware and CPU gave.
 */
unsigned entropy_gather(const void *seed, size_t size);
