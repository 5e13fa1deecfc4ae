/*
 * The model of the memory map, and the comparison with it.
 */
#include "test/host/memmap_model.h"

#include <stdlib.h>
#include <string.h>

void memmap_model_add(struct memmap_model *model, size_t first, size_t end, enum mem_type type)
{
	for (size_t i = first; i < end; i++)
		if (model->types[i] < type)
			model->types[i] = (uint8_t)type;
}

size_t memmap_model_list(const struct memmap_model *model, struct mem_range *ranges)
{
	size_t count = 0;

	for (size_t i = 0; i < MODEL_PAGES; i++) {
		uint64_t start = MODEL_BASE + i * PAGE_SIZE;

		if (model->types[i] == MEM_NONE)
			continue;
		if (!i || model->types[i - 1] != model->types[i])
			ranges[count++] = (struct mem_range){ start, start, model->types[i] };
		ranges[count - 1].end += PAGE_SIZE;
	}
	return count;
}

static bool map_is(const struct memmap *map, const struct mem_range *ranges, size_t count)
{
	return map->count == count && memcmp(map->ranges, ranges, count * sizeof(ranges[0])) == 0;
}

const char *memmap_model_claim(struct memmap *map, struct memmap_model *model, size_t first, size_t end,
			       enum mem_type type)
{
	struct mem_range before[MODEL_PAGES], after[MODEL_PAGES];
	size_t before_count = memmap_model_list(model, before), after_count;
	struct memmap_model claimed = *model;
	enum status status;

	memmap_model_add(&claimed, first, end, type);
	after_count = memmap_model_list(&claimed, after);
	status = memmap_add(map, MODEL_BASE + first * PAGE_SIZE, MODEL_BASE + end * PAGE_SIZE, type);
	if (after_count > map->capacity) {
		if (status != ERR_NO_MEMORY)
			return "a map without room did not say so";
		return map_is(map, before, before_count) ? NULL : "a map without room has changed";
	}
	if (status != OK)
		return "a claim with room for it was refused";
	if (!map_is(map, after, after_count))
		return "the map is not what the model says";
	*model = claimed;
	return NULL;
}
