/*
 * The arena of paging_arena.h. Knows nothing of page tables: it counts frames and distrusts who takes them.
 */
#include "test/host/paging_arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void broken(const char *what, uint64_t pa)
{
	fprintf(stderr, "arena: %s: %#llx\n", what, (unsigned long long)pa);
	abort();
}

static size_t frame_index(const struct arena *a, uint64_t pa)
{
	size_t i = (pa - ARENA_BASE) / PAGE_SIZE;

	if (pa < ARENA_BASE || pa % PAGE_SIZE || i >= ARENA_FRAMES)
		broken("not a frame of the arena", pa);
	if (!a->taken[i])
		broken("frame is not handed out", pa);
	return i;
}

void arena_init(struct arena *a)
{
	*a = (struct arena){ .most = ARENA_FRAMES, .fail_after = SIZE_MAX, .free_count = ARENA_FRAMES };
	a->memory = aligned_alloc(PAGE_SIZE, ARENA_FRAMES * PAGE_SIZE);
	if (!a->memory)
		abort();
	for (size_t i = 0; i < ARENA_FRAMES; i++)
		a->free_list[i] = (uint32_t)(ARENA_FRAMES - 1 - i);
}

void arena_destroy(struct arena *a)
{
	free(a->memory);
	a->memory = NULL;
}

uintptr_t arena_direct(const struct arena *a)
{
	return (uintptr_t)a->memory - ARENA_BASE;
}

uint64_t *arena_table(const struct arena *a, uint64_t pa)
{
	return (uint64_t *)(a->memory + frame_index(a, pa) * PAGE_SIZE);
}

static enum status arena_alloc(void *ctx, paddr_t *ret_pa)
{
	struct arena *a = ctx;
	size_t i;

	if (a->used == a->most || !a->fail_after)
		return ERR_NO_MEMORY;
	if (a->fail_after != SIZE_MAX)
		a->fail_after--;
	a->used++;
	i = a->free_list[--a->free_count];
	a->taken[i] = true;
	/* Read as an entry, this is present and writable: a table that is not cleared shows. */
	memset(a->memory + i * PAGE_SIZE, 0xa3, PAGE_SIZE);
	*ret_pa = paddr(ARENA_BASE + i * PAGE_SIZE);
	return OK;
}

static void arena_free(void *ctx, paddr_t pa)
{
	struct arena *a = ctx;
	size_t i = frame_index(a, pa.raw);

	memset(a->memory + i * PAGE_SIZE, 0xa3, PAGE_SIZE);
	a->taken[i] = false;
	a->used--;
	a->free_list[a->free_count++] = (uint32_t)i;
}

const struct space_ops arena_ops = { arena_alloc, arena_free };
