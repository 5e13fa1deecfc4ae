/*
 * What the page-table tests assert: the complete list of mappings, and nothing else.
 */
#pragma once

#include "test/host/paging_walker.h"

#define K4 PAGE_SIZE
#define M2 PAGE_SIZE_2M
#define G1 PAGE_SIZE_1G

/* The arena that the tests share, fresh for each test. */
extern struct arena arena;

/* cmocka setup and teardown: a fresh arena; nothing handed out at the end (the tests clear their spaces). */
int fresh_arena(void **state);
int check_arena(void **state);

/* A space in the arena with leaves up to `max_leaf`. */
struct space new_space(int max_leaf);

/* Clear the whole space and its root. */
void end_space(struct space *s);

/* `leaves` leaves of `size` bytes in a row, virtual and physical. */
struct expected {
	uint64_t va;
	uint64_t pa;
	uint64_t size;
	size_t leaves;
	enum page_prot prot;
};

/*
 * Fails unless the second walker finds exactly these leaves in `s`, ascending, no empty table, and
 * s->tables, the tables found and the arena's frames agree (a flush or another space may hold `elsewhere` frames).
 */
void expect_leaves(const struct space *s, const struct expected *expected, size_t count, size_t elsewhere,
		   const char *file, int line);

#define EXPECT_COUNT(...) (sizeof((struct expected[]){ __VA_ARGS__ }) / sizeof(struct expected))

/* expect_mappings(&space, { va, pa, size, leaves, prot }, ...) */
#define expect_mappings(s, ...) \
	expect_leaves(s, (struct expected[]){ __VA_ARGS__ }, EXPECT_COUNT(__VA_ARGS__), 0, __FILE__, __LINE__)
#define expect_mappings_beside(s, elsewhere, ...) \
	expect_leaves(s, (struct expected[]){ __VA_ARGS__ }, EXPECT_COUNT(__VA_ARGS__), elsewhere, __FILE__, __LINE__)
#define expect_no_mapping(s) expect_leaves(s, NULL, 0, 0, __FILE__, __LINE__)

/* The rights and type that the walker found, as the library names them. */
enum page_prot walked_prot(const struct walked_leaf *leaf);

/* Fails unless the flush spans exactly [start, last] with so many leaves; then releases it. */
void expect_flush(struct space *s, struct tlb_flush *flush, uint64_t start, uint64_t last, size_t leaves);

/* Fails unless the flush asks for nothing. */
void expect_no_flush(const struct tlb_flush *flush);
