/*
 * The memory map under any claims, against the model of test/host/memmap_model.c. Input: the capacity, then four bytes
 * a claim: type, two of the first page, length.
 */
#include "test/fuzz/fuzz.h"
#include "test/host/memmap_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memmap_model model = { .types = { 0 } };
	struct memmap map = { .capacity = size ? data[0] : 0 };
	size_t bad;

	map.ranges = calloc(map.capacity ? map.capacity : 1, sizeof(map.ranges[0]));
	FUZZ_EXPECT(map.ranges);
	for (size_t i = 1; i + 4 <= size; i += 4) {
		enum mem_type type = (enum mem_type)(1 + data[i] % (MEM_TYPES - 1));
		size_t first = (data[i + 1] | (size_t)data[i + 2] << 8) % MODEL_PAGES;
		size_t end = first + 1 + data[i + 3];
		const char *wrong;

		wrong = memmap_model_claim(&map, &model, first, end < MODEL_PAGES ? end : MODEL_PAGES, type);
		if (wrong)
			fprintf(stderr, "claim %zu: %s\n", i / 4, wrong);
		FUZZ_EXPECT(!wrong);
	}
	FUZZ_EXPECT(memmap_check(&map, &bad) == OK);
	free(map.ranges);
	return 0;
}
