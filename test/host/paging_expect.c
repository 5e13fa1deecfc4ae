/*
 * The assertions of paging_expect.h.
 */
#include "test/host/paging_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROOM (1 << 20)

struct arena arena;

static struct walked_leaf leaves[ROOM];

int fresh_arena(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

int check_arena(void **state)
{
	size_t used = arena.used;

	(void)state;
	arena_destroy(&arena);
	if (used)
		print_error("%zu frames were lost\n", used);
	return used ? -1 : 0;
}

struct space new_space(int max_leaf)
{
	struct space s;

	assert_int_equal(space_init(&s, &arena_ops, &arena, arena_direct(&arena), max_leaf), OK);
	assert_int_equal(s.tables, 0);
	return s;
}

void end_space(struct space *s)
{
	space_clear(s, 0, 512);
	assert_int_equal(s->root.raw, 0);
}

enum page_prot walked_prot(const struct walked_leaf *leaf)
{
	enum page_prot type = PROT_WB;

	switch (leaf->memory_type) {
	case 6:
		break;
	case 1:
		type = PROT_WC;
		break;
	case 4:
		type = PROT_WT;
		break;
	case 0:
		type = PROT_UC;
		break;
	default:
		fail_msg("memory type %d at %#llx", leaf->memory_type, (unsigned long long)leaf->va);
	}
	return (enum page_prot)(type | (leaf->writable ? PROT_W : 0) | (leaf->executable ? PROT_X : 0) |
				(leaf->user ? PROT_USER : 0) | (leaf->global ? PROT_GLOBAL : 0));
}

static void print_list(const struct walked *w)
{
	for (size_t i = 0; i < w->count && i < 64; i++)
		print_error("  found %#llx -> %#llx, %#llx bytes, prot %#x\n", (unsigned long long)w->leaves[i].va,
			    (unsigned long long)w->leaves[i].pa, (unsigned long long)w->leaves[i].size,
			    walked_prot(&w->leaves[i]));
}

void expect_leaves(const struct space *s, const struct expected *expected, size_t count, size_t elsewhere,
		   const char *file, int line)
{
	struct walked w = { .leaves = leaves, .capacity = ROOM };
	size_t at = 0;

	walker_list(&arena, s->root.raw, &w);
	for (size_t i = 0; i < count; i++) {
		const struct expected *e = &expected[i];

		for (size_t k = 0; k < e->leaves; k++, at++) {
			const struct walked_leaf *l = &leaves[at];

			if (at < w.count && l->va == e->va + k * e->size && l->pa == e->pa + k * e->size &&
			    l->size == e->size && walked_prot(l) == e->prot)
				continue;
			print_list(&w);
			print_error("expected entry %zu, leaf %zu: %#llx -> %#llx, %#llx bytes, prot %#x\n", i, k,
				    (unsigned long long)(e->va + k * e->size),
				    (unsigned long long)(e->pa + k * e->size), (unsigned long long)e->size, e->prot);
			_fail(file, line);
		}
	}
	if (at != w.count) {
		print_list(&w);
		print_error("%zu leaves found, %zu expected\n", w.count, at);
		_fail(file, line);
	}
	_assert_int_equal(w.empty_tables, 0, file, line);
	_assert_int_equal(w.tables, s->tables, file, line);
	_assert_int_equal(arena.used, s->tables + 1 + elsewhere, file, line);
}

void expect_flush(struct space *s, struct tlb_flush *flush, uint64_t start, uint64_t last, size_t count)
{
	assert_int_equal(flush->start, start);
	assert_int_equal(flush->last, last);
	assert_int_equal(flush->leaves, count);
	space_release(s, flush);
	expect_no_flush(flush);
}

void expect_no_flush(const struct tlb_flush *flush)
{
	assert_int_equal(flush->start, ~0ULL);
	assert_int_equal(flush->last, 0);
	assert_int_equal(flush->leaves, 0);
	assert_int_equal(flush->tables.raw, 0);
	assert_false(flush->global);
}
