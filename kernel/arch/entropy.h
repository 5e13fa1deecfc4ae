/*
 * Gathers entropy at boot for the random-number generator, kernel/lib/random.h.
 */
#pragma once

#include <stddef.h>

/*
 * Add to the generator the firmware's seed (`size` bytes, maybe none), what RDSEED and RDRAND give, and how long the
 * CPU takes for the same work again and again. Declare the generator ready when firmware and CPU together gave 256
 * bits.
 * Returns how many bits firmware and CPU gave.
 */
unsigned entropy_gather(const void *seed, size_t size);
