/*
 * What a fuzzer is: one function that libFuzzer and AFL++ know by its name. Built with clang's -fsanitize=fuzzer it
 * searches for inputs; with standalone.c it runs over a corpus, as the tests do.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0. Aborts when the code under test breaks its promise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_EXPECT(condition)                                                          \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* A copy that ends where its memory ends, so that the sanitizer sees a byte too many. To be freed. */
static inline void *fuzz_copy(const void *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	FUZZ_EXPECT(copy);
	for (size_t i = 0; i < size; i++)
		copy[i] = ((const uint8_t *)data)[i];
	return copy;
}
