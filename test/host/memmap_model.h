/*
 * What the memory map must say, kept the plain way: one type for each page of a short stretch of addresses.
 */
#pragma once

#include "kernel/boot/memmap.h"

#define MODEL_BASE  0x100000000ULL /* 4 GiB: an address cut to 32 bits is seen at once */
#define MODEL_PAGES 512

struct memmap_model {
	uint8_t types[MODEL_PAGES]; /* enum mem_type of the page MODEL_BASE + i * PAGE_SIZE */
};

/* The claim of pages [first, end). */
void memmap_model_add(struct memmap_model *model, size_t first, size_t end, enum mem_type type);

/* The map that says the same, into `ranges` with room for MODEL_PAGES; returns how many ranges it has. */
size_t memmap_model_list(const struct memmap_model *model, struct mem_range *ranges);

/*
 * Make the claim on the map and on the model. Returns NULL when the map then is, in every range, what the model
 * says; or, when that has more ranges than the map has room for, ERR_NO_MEMORY has come and nothing has
 * changed, the model neither. Otherwise a text that says what is wrong.
 */
const char *memmap_model_claim(struct memmap *map, struct memmap_model *model, size_t first, size_t end,
			       enum mem_type type);
