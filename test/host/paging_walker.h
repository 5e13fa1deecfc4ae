/*
 * A second opinion on page tables: a walker written from the manual (Intel SDM vol. 3A, "4-Level
 * Paging", "Page Attribute Table"), which takes no line of paging/ but the arena's address type.
 */
#pragma once

#include "test/host/paging_arena.h"

/* What the CPU makes of one leaf entry and the entries above it. */
struct walked_leaf {
	uint64_t va;
	uint64_t pa;
	uint64_t size; /* 4 KiB, 2 MiB or 1 GiB */
	bool writable, user, executable, global;
	uint8_t memory_type; /* as IA32_PAT encodes it */
};

struct walked {
	struct walked_leaf *leaves; /* ascending; room for `capacity` */
	size_t capacity;
	size_t count;
	size_t tables;       /* frames in tables below the PML4 */
	size_t empty_tables; /* those of them without one present entry */
};

/*
 * List all that the tables at `root` map. Ends the test with a message when a reserved bit is set, an
 * accessed bit is clear (the CPU would write the table), a table is referred to twice, or room runs out.
 */
void walker_list(const struct arena *a, uint64_t root, struct walked *w);

/* What `va` translates to. False: page fault. */
bool walker_translate(const struct arena *a, uint64_t root, uint64_t va, struct walked_leaf *ret);
