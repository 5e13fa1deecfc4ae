/*
 * What is done to user memory without the kernel lock, and what is left to a call with it. There is one thread, and so
 * nobody to keep out: test/user/elbow_room.c has that.
 */
#include "test/host/user_machine.h"

#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_fault_open.h"
#include "kernel/mm/user/user_open.h"
#include "kernel/mm/user/user_piece.h"
#include "paging/leaves.h"

#define RW    (USER_READ | USER_WRITE)
#define PLACE 0x10000000ULL
#define SHORT (64 * PAGE_SIZE) /* the longest range that is changed at once */

static struct user_space *space;

static int setup(void **state)
{
	(void)state;
	user_machine_start(64 * MIB);
	assert_int_equal(user_space_create(&space), OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	user_space_put(space);
	user_machine_end();
	return 0;
}

static void map_at(vaddr_t va, uint64_t size, struct memory_object *object)
{
	vaddr_t place;

	assert_int_equal(user_map(space, va, size, RW, USER_MAP_FIXED, object, 0, &place), OK);
}

static void maps_zeros(void **state)
{
	vaddr_t place, other;

	(void)state;
	assert_true(user_map_open(space, 0, 3 * PAGE_SIZE, RW, 0, &place));
	assert_true(user_is_mapped(space, place, 3 * PAGE_SIZE));
	assert_true(user_map_open(space, PLACE + 5, PAGE_SIZE, USER_READ, USER_MAP_STACK, &other));
	assert_int_equal(other, PLACE);
	assert_int_equal(space->mapped_pages, 4);
	assert_false(user_map_open(space, PLACE, PAGE_SIZE, RW, USER_MAP_FIXED, &other));
	assert_false(user_map_open(space, 0, PAGE_SIZE, RW, USER_MAP_SHARED, &other));
	assert_false(user_map_open(space, 0, 0, RW, 0, &other));
	assert_false(user_map_open(space, 0, USER_END, RW, 0, &other));
	assert_int_equal(space->mapped_pages, 4);
}

static void changes_what_is_short(void **state)
{
	(void)state;
	map_at(PLACE, 4 * SHORT, NULL);
	assert_true(user_fault_open(space, PLACE + PAGE_SIZE, USER_WRITE));
	assert_true(user_fault_open(space, PLACE + SHORT, USER_READ));
	assert_int_equal(space->resident_pages, 2);
	assert_true(user_protect_open(space, PLACE, SHORT, USER_READ));
	assert_false(user_fault_open(space, PLACE + PAGE_SIZE, USER_WRITE));
	assert_true(user_protect_open(space, PLACE, SHORT, RW));
	assert_true(user_dontneed_open(space, PLACE, SHORT));
	assert_int_equal(space->resident_pages, 1);
	assert_true(user_unmap_open(space, PLACE, SHORT));
	assert_true(user_unmap_open(space, PLACE + 2 * SHORT, PAGE_SIZE));
	assert_int_equal(space->mapped_pages, 3 * 64 - 1);
	assert_false(user_unmap_open(space, PLACE + SHORT, SHORT + PAGE_SIZE));
	assert_false(user_protect_open(space, PLACE + SHORT, SHORT + 1, USER_READ));
	assert_false(user_dontneed_open(space, PLACE + SHORT, 0));
	assert_false(user_unmap_open(space, PLACE + SHORT + 1, PAGE_SIZE));
	assert_false(user_unmap_open(space, USER_END, PAGE_SIZE));
	assert_false(user_unmap_open(space, ~0ULL - PAGE_SIZE + 1, PAGE_SIZE));
	assert_int_equal(space->mapped_pages, 3 * 64 - 1);
}

static void moves_the_break(void **state)
{
	(void)state;
	space->brk_start = space->brk = PLACE;
	assert_true(user_brk_open(space, PLACE + 100 * SHORT + 1));
	assert_true(user_brk_open(space, PLACE + 99 * SHORT + 1));
	assert_false(user_brk_open(space, PLACE));
	assert_false(user_brk_open(space, PLACE - 1));
	assert_false(user_brk_open(space, ~0ULL));
	assert_int_equal(space->brk, PLACE + 99 * SHORT + 1);
	assert_int_equal(space->mapped_pages, 99 * 64 + 1);
}

static void leaves_objects_alone(void **state)
{
	static struct test_file file;

	(void)state;
	test_file_start(&file);
	map_at(PLACE, 4 * PAGE_SIZE, &file.object);
	assert_false(user_fault_open(space, PLACE, USER_READ));
	assert_false(user_unmap_open(space, PLACE, PAGE_SIZE));
	assert_false(user_protect_open(space, PLACE + PAGE_SIZE, PAGE_SIZE, USER_READ));
	assert_false(user_dontneed_open(space, PLACE, PAGE_SIZE));
	/* A page that is mapped leads to no object any more: a write gets a copy. */
	assert_int_equal(user_fault(space, PLACE, USER_READ), OK);
	assert_true(user_fault_open(space, PLACE, USER_WRITE));
	assert_int_equal(user_unmap(space, PLACE, 4 * PAGE_SIZE), OK);
	test_file_end(&file);
}

/* Both sides of a fork write: the first gets a copy, the last one keeps the frame. */
static void copies_on_write(void **state)
{
	struct user_space *child;
	paddr_t first, copy;

	(void)state;
	map_at(PLACE, PAGE_SIZE, NULL);
	assert_true(user_fault_open(space, PLACE, USER_WRITE));
	assert_int_equal(user_space_fork(space, &child), OK);
	first = pte_paddr(pte_read(space_leaf_slot(&space->context.space, PLACE).pte), 1);
	assert_int_equal(frame_refs(&machine_frames, FRAME_4K, first), 2);
	assert_true(user_fault_open(space, PLACE, USER_WRITE));
	copy = pte_paddr(pte_read(space_leaf_slot(&space->context.space, PLACE).pte), 1);
	assert_int_not_equal(copy.raw, first.raw);
	assert_int_equal(frame_refs(&machine_frames, FRAME_4K, first), 1);
	assert_true(user_fault_open(child, PLACE, USER_WRITE));
	assert_int_equal(pte_paddr(pte_read(space_leaf_slot(&child->context.space, PLACE).pte), 1).raw, first.raw);
	/* Nothing is left to be served. */
	assert_false(user_fault_open(child, PLACE, USER_WRITE));
	user_space_put(child);
}

static void leaves_a_shared_space_alone(void **state)
{
	vaddr_t place;

	(void)state;
	map_at(PLACE, PAGE_SIZE, NULL);
	user_space_get(space);
	assert_false(user_fault_open(space, PLACE, USER_WRITE));
	assert_false(user_map_open(space, 0, PAGE_SIZE, RW, 0, &place));
	assert_false(user_unmap_open(space, PLACE, PAGE_SIZE));
	user_space_put(space);
	space->in_pieces = true;
	assert_false(user_unmap_open(space, PLACE, PAGE_SIZE));
	space->in_pieces = false;
	assert_true(user_unmap_open(space, PLACE, PAGE_SIZE));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(maps_zeros),      TEST(changes_what_is_short), TEST(moves_the_break),
		TEST(copies_on_write), TEST(leaves_objects_alone),  TEST(leaves_a_shared_space_alone),
	};

	return cmocka_run_group_tests_name("user_open", tests, NULL, NULL);
}
