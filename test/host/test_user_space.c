/*
 * User memory, one thing at a time: what each call does and answers, what it costs in CR3 writes, and that every frame
 * comes back.
 */
#include "test/host/user_machine.h"

#include "kernel/lib/errno.h"
#include "paging/leaves.h"

#define RW   (USER_READ | USER_WRITE)
#define BASE 0x10000000ULL

static struct user_space *new_space(void)
{
	struct user_space *space;

	assert_int_equal(user_space_create(&space), OK);
	return space;
}

static vaddr_t map_at(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights)
{
	vaddr_t ret = 0;

	assert_int_equal(user_map(space, va, size, rights, USER_MAP_FIXED, NULL, 0, &ret), OK);
	assert_int_equal(ret, va);
	return ret;
}

static uint64_t *touch(struct user_space *space, vaddr_t va, enum user_rights access)
{
	void *ret = NULL;

	assert_int_equal(user_touch(space, va, access, &ret), OK);
	return ret;
}

static enum status refused(struct user_space *space, vaddr_t va, enum user_rights access)
{
	void *ret;

	return user_touch(space, va, access, &ret);
}

static int setup(void **state)
{
	(void)state;
	user_machine_start(64 * MIB);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	user_machine_end();
	return 0;
}

static void demand_zero(void **state)
{
	struct user_space *space = new_space();
	uint64_t before;

	(void)state;
	map_at(space, BASE, 16 * PAGE_SIZE, RW);
	assert_int_equal(space->mapped_pages, 16);
	assert_int_equal(space->resident_pages, 0);
	*touch(space, BASE + 8, USER_WRITE) = 5;
	assert_int_equal(*touch(space, BASE + PAGE_SIZE, USER_READ), 0);
	assert_int_equal(*touch(space, BASE + 8, USER_READ), 5);
	assert_int_equal(space->resident_pages, 2);
	before = space->faults;
	*touch(space, BASE + PAGE_SIZE, USER_WRITE) = 6; /* no second fault after the read */
	assert_int_equal(space->faults, before);
	assert_int_equal(refused(space, BASE - 1, USER_READ), ERR_NOT_FOUND);
	assert_int_equal(refused(space, BASE + 16 * PAGE_SIZE, USER_WRITE), ERR_NOT_FOUND);
	assert_int_equal(refused(space, BASE, USER_EXEC), ERR_RIGHTS);
	assert_int_equal(user_fault(space, USER_END, USER_READ), ERR_NOT_FOUND);
	assert_int_equal(user_fault(space, 0xffffffff80000000, USER_READ), ERR_NOT_FOUND);
	user_space_put(space);
}

/* Placing moves no entry and writes CR3 never; a fault writes it twice. */
static void context_switches(void **state)
{
	struct user_space *space = new_space();
	vaddr_t va;

	(void)state;
	context_load(&space->context);
	host_cr3_writes = 0;
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, 0, NULL, 0, &va), OK);
	assert_int_equal(user_protect(space, va, PAGE_SIZE, USER_READ), OK);
	assert_int_equal(user_unmap(space, va, PAGE_SIZE), OK);
	assert_int_equal(host_cr3_writes, 0);
	map_at(space, BASE, 4 * PAGE_SIZE, RW);
	assert_int_equal(host_cr3_writes, 0);
	touch(space, BASE, USER_WRITE);
	assert_int_equal(host_cr3_writes, 2);
	touch(space, BASE + PAGE_SIZE, USER_WRITE);
	assert_int_equal(host_cr3_writes, 4);
	assert_int_equal(user_protect(space, BASE, 2 * PAGE_SIZE, USER_READ), OK);
	assert_int_equal(host_cr3_writes, 6);
	map_at(space, BASE + PAGE_SIZE, 2 * PAGE_SIZE, RW); /* over what is there */
	assert_int_equal(host_cr3_writes, 8);
	assert_int_equal(user_unmap(space, BASE, 4 * PAGE_SIZE), OK);
	assert_int_equal(host_cr3_writes, 10);
	assert_int_equal(space->resident_pages, 0);
	assert_int_equal(space->context.space.tables, 0);
	context_load(&kernel_context);
	user_space_put(space);
}

static void map_errors(void **state)
{
	struct user_space *space = new_space();
	struct test_file file;
	vaddr_t va = 1;

	(void)state;
	test_file_start(&file);
	assert_int_equal(user_map(space, 0, 0, RW, 0, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, 0, ~0ULL, RW, 0, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, 0, USER_END, RW, 0, NULL, 0, &va), ERR_NO_MEMORY);
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW | USER_EXEC, 0, NULL, 0, &va), ERR_RIGHTS);
	assert_int_equal(user_map(space, USER_MIN - PAGE_SIZE, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, BASE + 1, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, USER_END, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, HHDM_BASE, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, USER_MAP_SHARED, &file.object, 0, &va), ERR_RIGHTS);
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, 0, &file.object, ~0ULL, &va), ERR_RANGE);
	space->limit_pages = 3;
	assert_int_equal(user_map(space, 0, 4 * PAGE_SIZE, RW, 0, NULL, 0, &va), ERR_NO_MEMORY);
	assert_int_equal(va, 1);
	map_at(space, BASE, 3 * PAGE_SIZE, RW);
	map_at(space, BASE, 3 * PAGE_SIZE, USER_READ); /* what is replaced does not count */
	assert_int_equal(user_map(space, BASE, PAGE_SIZE, RW, USER_MAP_FIXED_NOREPLACE, NULL, 0, &va), ERR_EXISTS);
	assert_int_equal(user_unmap(space, BASE + 1, PAGE_SIZE), ERR_RANGE);
	assert_int_equal(user_unmap(space, BASE, 0), ERR_RANGE);
	assert_int_equal(user_unmap(space, USER_END, PAGE_SIZE), ERR_RANGE);
	assert_int_equal(user_unmap(space, BASE, ~0ULL), ERR_RANGE);
	assert_int_equal(user_protect(space, BASE, 4 * PAGE_SIZE, RW), ERR_NOT_FOUND);
	assert_int_equal(user_protect(space, BASE, PAGE_SIZE, RW | USER_EXEC), ERR_RIGHTS);
	assert_int_equal(user_protect(space, BASE, 0, RW), OK);
	assert_int_equal(space->areas.count, 1);
	user_space_put(space);
	test_file_end(&file);
}

/* Hints, and the place from the top down. */
static void placing(void **state)
{
	struct user_space *space = new_space();
	vaddr_t va;

	(void)state;
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, 0, NULL, 0, &va), OK);
	assert_int_equal(va, USER_MMAP_TOP - PAGE_SIZE);
	assert_int_equal(user_map(space, 0, 1, RW, 0, NULL, 0, &va), OK);
	assert_int_equal(va, USER_MMAP_TOP - 2 * PAGE_SIZE);
	assert_int_equal(space->areas.count, 1);
	assert_int_equal(user_map(space, BASE + 5, PAGE_SIZE, RW, 0, NULL, 0, &va), OK);
	assert_int_equal(va, BASE);
	assert_int_equal(user_map(space, BASE, PAGE_SIZE, RW, 0, NULL, 0, &va), OK);
	assert_int_equal(va, USER_MMAP_TOP - 3 * PAGE_SIZE);
	assert_int_equal(user_map(space, 0, 4 * MIB, RW, 0, NULL, 0, &va), OK);
	assert_true(is_aligned(va, PAGE_SIZE_2M) && va + 4 * MIB <= USER_MMAP_TOP);
	user_space_put(space);
}

static void large_frames(void **state)
{
	struct user_space *space = new_space(), *child;
	struct slot slot;

	(void)state;
	map_at(space, BASE, 3 * PAGE_SIZE_2M, RW);
	*touch(space, BASE + 5 * PAGE_SIZE, USER_WRITE) = 1;
	slot = space_find(&space->context.space, BASE);
	assert_int_equal(slot.level, 2);
	assert_int_equal(space->resident_pages, 512);
	*touch(space, BASE + PAGE_SIZE_2M + 7 * PAGE_SIZE, USER_WRITE) = 2;
	/* A hole in it: the rest stays what it was. */
	assert_int_equal(user_unmap(space, BASE + 4 * PAGE_SIZE, PAGE_SIZE), OK);
	assert_int_equal(*touch(space, BASE + 5 * PAGE_SIZE, USER_READ), 1);
	assert_int_equal(refused(space, BASE + 4 * PAGE_SIZE, USER_READ), ERR_NOT_FOUND);
	assert_int_equal(space->resident_pages, 1023);
	assert_int_equal(user_space_fork(space, &child), OK);
	assert_int_equal(child->resident_pages, 1023);
	/* One page of a shared 2 MiB is copied, not all of it. */
	*touch(child, BASE + PAGE_SIZE_2M + 7 * PAGE_SIZE, USER_WRITE) = 3;
	assert_int_equal(*touch(space, BASE + PAGE_SIZE_2M + 7 * PAGE_SIZE, USER_READ), 2);
	assert_int_equal(*touch(child, BASE + 5 * PAGE_SIZE, USER_READ), 1);
	assert_int_equal(space_find(&space->context.space, BASE + PAGE_SIZE_2M).level, 2);
	assert_int_equal(space_find(&child->context.space, BASE + PAGE_SIZE_2M).level, 1);
	user_space_put(child);
	/* Sole again: the whole leaf is writable at the next write. */
	*touch(space, BASE + PAGE_SIZE_2M, USER_WRITE) = 4;
	assert_int_equal(space_find(&space->context.space, BASE + PAGE_SIZE_2M).level, 2);
	/* Not to be had, and back: parked as a whole, cut, taken up again. */
	assert_int_equal(user_protect(space, BASE + PAGE_SIZE_2M, PAGE_SIZE_2M, USER_NONE), OK);
	assert_int_equal(refused(space, BASE + PAGE_SIZE_2M, USER_READ), ERR_RIGHTS);
	assert_int_equal(user_protect(space, BASE + PAGE_SIZE_2M, PAGE_SIZE, RW), OK);
	assert_int_equal(*touch(space, BASE + PAGE_SIZE_2M, USER_READ), 4);
	assert_int_equal(refused(space, BASE + PAGE_SIZE_2M + 7 * PAGE_SIZE, USER_READ), ERR_RIGHTS);
	assert_int_equal(user_protect(space, BASE + PAGE_SIZE_2M, PAGE_SIZE_2M, RW), OK);
	assert_int_equal(*touch(space, BASE + PAGE_SIZE_2M + 7 * PAGE_SIZE, USER_READ), 2);
	user_space_put(space);
}

static void stack(void **state)
{
	struct user_space *space = new_space();
	const vaddr_t top = BASE + 64 * MIB;
	vaddr_t va;

	(void)state;
	assert_int_equal(user_map(space, top - 4 * PAGE_SIZE, 4 * PAGE_SIZE, RW, USER_MAP_FIXED | USER_MAP_GROWS_DOWN,
				  NULL, 0, &va),
			 OK);
	*touch(space, top - 10 * PAGE_SIZE, USER_WRITE) = 1;
	assert_int_equal(space->mapped_pages, 10);
	*touch(space, top - 8 * MIB, USER_WRITE) = 1;
	assert_int_equal(refused(space, top - 8 * MIB - 1, USER_WRITE), ERR_NOT_FOUND);
	space->stack_pages = USER_NO_LIMIT;
	map_at(space, top - 12 * MIB, PAGE_SIZE, USER_READ);
	assert_int_equal(refused(space, top - 12 * MIB + PAGE_SIZE + USER_GUARD_GAP - 1, USER_WRITE), ERR_NOT_FOUND);
	*touch(space, top - 12 * MIB + PAGE_SIZE + USER_GUARD_GAP, USER_WRITE) = 1;
	user_space_put(space);
}

static void program_break(void **state)
{
	struct user_space *space = new_space();

	(void)state;
	assert_int_equal(user_brk(space, BASE), ERR_NO_MEMORY);
	space->brk_start = space->brk = BASE;
	assert_int_equal(user_brk(space, BASE + 10), OK);
	*touch(space, BASE, USER_WRITE) = 1;
	assert_int_equal(user_brk(space, BASE + 3 * PAGE_SIZE), OK);
	assert_int_equal(space->areas.count, 1);
	*touch(space, BASE + 2 * PAGE_SIZE, USER_WRITE) = 2;
	assert_int_equal(user_brk(space, BASE + 2 * PAGE_SIZE), OK);
	assert_int_equal(refused(space, BASE + 2 * PAGE_SIZE, USER_READ), ERR_NOT_FOUND);
	assert_int_equal(user_brk(space, BASE + 3 * PAGE_SIZE), OK);
	assert_int_equal(*touch(space, BASE + 2 * PAGE_SIZE, USER_READ), 0);
	assert_int_equal(user_brk(space, BASE - 1), ERR_NO_MEMORY);
	map_at(space, BASE + 8 * PAGE_SIZE, PAGE_SIZE, USER_READ);
	assert_int_equal(user_brk(space, BASE + 9 * PAGE_SIZE), ERR_NO_MEMORY);
	space->data_pages = 4;
	assert_int_equal(user_brk(space, BASE + 5 * PAGE_SIZE), ERR_NO_MEMORY);
	assert_int_equal(space->brk, BASE + 3 * PAGE_SIZE);
	assert_int_equal(user_brk(space, BASE), OK);
	assert_int_equal(space->mapped_pages, 1);
	user_space_put(space);
}

static void files(void **state)
{
	struct user_space *space = new_space(), *child;
	struct test_file file;
	vaddr_t va;

	(void)state;
	test_file_start(&file);
	assert_int_equal(user_map(space, BASE, 310 * PAGE_SIZE, RW, USER_MAP_FIXED, &file.object, 2, &va), OK);
	assert_int_equal(*touch(space, BASE, USER_READ), file_word(2));
	assert_in_range(space->resident_pages, 2, 16); /* neighbours too */
	*touch(space, BASE, USER_WRITE) = 1;
	assert_int_equal(*touch(space, BASE + 8, USER_READ), file_word(2));
	*touch(space, BASE + 100 * PAGE_SIZE, USER_WRITE) = 2;
	assert_int_equal(*touch(space, BASE + 100 * PAGE_SIZE + 8, USER_READ), file_word(102));
	assert_int_equal(refused(space, BASE + 299 * PAGE_SIZE, USER_READ), ERR_RANGE);
	assert_int_equal(user_space_fork(space, &child), OK);
	assert_int_equal(user_dontneed(space, BASE, PAGE_SIZE), OK);
	assert_int_equal(*touch(space, BASE, USER_READ), file_word(2));
	assert_int_equal(*touch(child, BASE, USER_READ), 1);
	assert_int_equal(file.references, 2);
	/* The other half of a cut has the right offset. */
	assert_int_equal(user_unmap(space, BASE + 10 * PAGE_SIZE, PAGE_SIZE), OK);
	assert_int_equal(*touch(space, BASE + 11 * PAGE_SIZE, USER_READ), file_word(13));
	user_space_put(space);
	assert_int_equal(*touch(child, BASE + 100 * PAGE_SIZE, USER_READ), 2);
	user_space_put(child);
	test_file_end(&file);
}

static void shared(void **state)
{
	struct user_space *space = new_space(), *child;
	vaddr_t va;

	(void)state;
	assert_int_equal(user_map(space, BASE, 4 * MIB, RW, USER_MAP_FIXED | USER_MAP_SHARED, NULL, 0, &va), OK);
	*touch(space, BASE, USER_WRITE) = 1;
	assert_int_equal(user_space_fork(space, &child), OK);
	*touch(child, BASE, USER_WRITE) = 2;
	*touch(child, BASE + MIB, USER_WRITE) = 3;
	assert_int_equal(*touch(space, BASE, USER_READ), 2);
	assert_int_equal(*touch(space, BASE + MIB, USER_READ), 3);
	assert_int_equal(user_dontneed(space, BASE, 4 * MIB), OK);
	assert_int_equal(*touch(space, BASE, USER_READ), 2);
	user_space_put(space);
	assert_int_equal(*touch(child, BASE + MIB, USER_READ), 3);
	user_space_put(child);
}

static void remap(void **state)
{
	struct user_space *space = new_space();
	vaddr_t va = 0;

	(void)state;
	map_at(space, BASE, 4 * PAGE_SIZE, RW);
	map_at(space, BASE + 8 * PAGE_SIZE, PAGE_SIZE, USER_READ);
	*touch(space, BASE, USER_WRITE) = 1;
	*touch(space, BASE + 3 * PAGE_SIZE, USER_WRITE) = 4;
	assert_int_equal(user_remap(space, BASE, 4 * PAGE_SIZE, 8 * PAGE_SIZE, 0, 0, &va), OK);
	assert_int_equal(va, BASE);
	assert_int_equal(user_remap(space, BASE, 8 * PAGE_SIZE, 9 * PAGE_SIZE, 0, 0, &va), ERR_NO_MEMORY);
	assert_int_equal(user_remap(space, BASE, 9 * PAGE_SIZE, PAGE_SIZE, 0, 0, &va), ERR_FAULT);
	assert_int_equal(user_remap(space, BASE, 8 * PAGE_SIZE, 9 * PAGE_SIZE, USER_REMAP_MAYMOVE, 0, &va), OK);
	assert_int_equal(va, USER_MMAP_TOP - 9 * PAGE_SIZE);
	assert_int_equal(*touch(space, va, USER_READ), 1);
	assert_int_equal(*touch(space, va + 3 * PAGE_SIZE, USER_READ), 4);
	assert_int_equal(refused(space, BASE, USER_READ), ERR_NOT_FOUND);
	assert_int_equal(user_remap(space, va, 9 * PAGE_SIZE, 4 * PAGE_SIZE, USER_REMAP_MAYMOVE | USER_REMAP_FIXED,
				    BASE + 7 * PAGE_SIZE, &va),
			 OK);
	assert_int_equal(*touch(space, BASE + 10 * PAGE_SIZE, USER_READ), 4);
	assert_int_equal(user_remap(space, va, 4 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 0, &va), OK);
	assert_int_equal(space->mapped_pages, 2);
	assert_int_equal(space->resident_pages, 1);
	user_space_put(space);
}

/* A frame that the allocator does not manage is mapped, shared, copied, and never counted. */
static paddr_t foreign;

static enum status foreign_frame(struct memory_object *object, uint64_t page, paddr_t *ret)
{
	(void)object;
	if (page)
		return ERR_RANGE;
	*ret = foreign;
	return OK;
}

static void nothing(struct memory_object *object)
{
	(void)object;
}

static void immortal_frames(void **state)
{
	static const struct memory_object_ops ops = { foreign_frame, NULL, nothing, nothing };
	static uint64_t page[512] __attribute__((aligned(4096))) = { 77 };
	struct memory_object object = { &ops };
	struct user_space *space = new_space(), *child;
	vaddr_t va;

	(void)state;
	/* Beyond all RAM that there is, seen at `page`. */
	foreign = paddr((uintptr_t)page - ((uintptr_t)user_machine->memory - user_machine->start));
	if (foreign.raw & ~PTE_ADDRESS)
		foreign = paddr(MACHINE_BASE + 64 * MIB);
	assert_int_equal(user_map(space, BASE, PAGE_SIZE, RW, USER_MAP_FIXED, &object, 0, &va), OK);
	assert_int_equal(user_fault(space, BASE, USER_READ), OK);
	assert_int_equal(user_space_fork(space, &child), OK);
	assert_int_equal(space_find(&child->context.space, BASE).pte->raw & PTE_ADDRESS, foreign.raw);
	assert_int_equal(user_dontneed(space, BASE, PAGE_SIZE), OK);
	user_space_put(space);
	user_space_put(child);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(demand_zero),     TEST(context_switches), TEST(map_errors), TEST(placing), TEST(large_frames),
		TEST(stack),           TEST(program_break),    TEST(files),      TEST(shared),  TEST(remap),
		TEST(immortal_frames),
	};

	return cmocka_run_group_tests_name("user_space", tests, NULL, NULL);
}
