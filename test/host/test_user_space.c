/*
 * User memory, one thing at a time: what each call does and answers, what it costs in CR3 writes, and that every frame
 * comes back.
 */
#include "test/host/user_machine.h"

#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/mm/user/user_piece.h"
#include "paging/leaves.h"

#define RW   (USER_READ | USER_WRITE)
#define BASE 0x10000000ULL

/* Those of whoever makes the calls. */
static struct user_limits limits;

static const struct user_limits *limits_of_caller(void)
{
	return &limits;
}

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

/* The rights of the leaf that maps the page. */
static enum page_prot leaf_rights(struct user_space *space, vaddr_t va)
{
	return pte_prot(pte_read(space_leaf_slot(&space->context.space, va).pte));
}

static enum status refused(struct user_space *space, vaddr_t va, enum user_rights access)
{
	void *ret;

	return user_touch(space, va, access, &ret);
}

static int setup(void **state)
{
	limits = user_limits_default;
	user_limits_set_source(limits_of_caller);
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

/* A leaf has one right of the two at a time, which the accesses decide; a page that was 2 MiB large becomes small. */
static void by_turns(void **state)
{
	struct user_space *space = new_space(), *child;
	const vaddr_t large = align_up(BASE, PAGE_SIZE_2M) + PAGE_SIZE_2M;

	(void)state;
	map_at(space, BASE, 4 * PAGE_SIZE, RW | USER_EXEC);
	*touch(space, BASE, USER_WRITE) = 5;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(*touch(space, BASE, USER_EXEC), 5 + i);
		assert_true(leaf_rights(space, BASE) == (PROT_USER | PROT_X));
		(*touch(space, BASE, USER_WRITE))++;
		assert_true(leaf_rights(space, BASE) == (PROT_USER | PROT_W));
	}
	assert_int_equal(*touch(space, BASE + PAGE_SIZE, USER_EXEC), 0);
	assert_true(leaf_rights(space, BASE + PAGE_SIZE) == (PROT_USER | PROT_X));
	assert_int_equal(user_space_fork(space, &child), OK);
	assert_int_equal(*touch(child, BASE, USER_EXEC), 8);
	*touch(child, BASE, USER_WRITE) = 1;
	assert_int_equal(*touch(space, BASE, USER_EXEC), 8);
	user_space_put(child);
	map_at(space, large, PAGE_SIZE_2M, RW);
	*touch(space, large, USER_WRITE) = 9;
	assert_int_equal(user_protect(space, large, PAGE_SIZE_2M, RW | USER_EXEC), OK);
	assert_int_equal(*touch(space, large, USER_EXEC), 9);
	assert_true(leaf_rights(space, large) == (PROT_USER | PROT_X));
	assert_true(leaf_rights(space, large + PAGE_SIZE) == (PROT_USER | PROT_W));
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
	assert_int_equal(user_map(space, USER_MIN - PAGE_SIZE, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, BASE + 1, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, USER_END, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, HHDM_BASE, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va), ERR_RANGE);
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, USER_MAP_SHARED, &file.object, 0, &va), ERR_RIGHTS);
	assert_int_equal(user_map(space, 0, PAGE_SIZE, RW, 0, &file.object, ~0ULL, &va), ERR_RANGE);
	limits.address_pages = 3;
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
	vaddr_t va;

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
	/* A thread's stack takes no more than what is touched. */
	assert_int_equal(user_map(space, BASE, PAGE_SIZE_2M, RW, USER_MAP_FIXED | USER_MAP_STACK, NULL, 0, &va), OK);
	*touch(space, BASE, USER_WRITE) = 1;
	assert_int_equal(space_find(&space->context.space, BASE).level, 1);
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
	limits.stack_pages = USER_NO_LIMIT;
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
	limits.brk_pages = 4;
	assert_int_equal(user_brk(space, BASE + 5 * PAGE_SIZE), ERR_NO_MEMORY);
	assert_int_equal(space->brk, BASE + 3 * PAGE_SIZE);
	assert_int_equal(user_brk(space, BASE), OK);
	assert_int_equal(space->mapped_pages, 1);
	user_space_put(space);
}

static void data_limit(void **state)
{
	struct user_space *space = new_space();
	vaddr_t va = 1;

	(void)state;
	limits.data_pages = 4;
	assert_int_equal(user_map(space, 0, 5 * PAGE_SIZE, RW, 0, NULL, 0, &va), ERR_NO_MEMORY);
	assert_int_equal(user_map(space, 0, 5 * PAGE_SIZE, RW, USER_MAP_SHARED, NULL, 0, &va), OK);
	map_at(space, BASE, 5 * PAGE_SIZE, USER_READ);
	assert_int_equal(space->data_pages, 0);
	assert_int_equal(user_protect(space, BASE, 5 * PAGE_SIZE, RW), ERR_NO_MEMORY);
	assert_int_equal(user_protect(space, BASE + PAGE_SIZE, 3 * PAGE_SIZE, RW), OK);
	assert_int_equal(user_protect(space, BASE, 4 * PAGE_SIZE, RW), OK);
	assert_int_equal(space->data_pages, 4);
	assert_int_equal(user_remap(space, BASE, 4 * PAGE_SIZE, 5 * PAGE_SIZE, USER_REMAP_MAYMOVE, 0, &va),
			 ERR_NO_MEMORY);
	assert_int_equal(user_remap(space, BASE, 4 * PAGE_SIZE, 4 * PAGE_SIZE, USER_REMAP_MAYMOVE | USER_REMAP_FIXED,
				    BASE + MIB, &va),
			 OK);
	assert_int_equal(space->data_pages, 4);
	assert_int_equal(user_unmap(space, BASE + MIB + PAGE_SIZE, PAGE_SIZE), OK);
	assert_int_equal(space->data_pages, 3);
	map_at(space, BASE + MIB, 4 * PAGE_SIZE, RW); /* what is replaced does not count */
	assert_int_equal(space->data_pages, 4);
	user_space_put(space);
}

/* The machine has 64 MiB: what came before the call stays, what it took goes. */
static void populate_or_nothing(void **state)
{
	struct user_space *space = new_space();
	uint64_t resident;
	vaddr_t va;

	(void)state;
	map_at(space, BASE, 80 * MIB, RW);
	*touch(space, BASE + 5 * PAGE_SIZE_2M, USER_WRITE) = 7;
	map_at(space, BASE + 2 * PAGE_SIZE_2M, PAGE_SIZE, USER_READ); /* the rest of its 2 MiB comes by pages */
	resident = space->resident_pages;
	assert_int_equal(user_populate_all(space, BASE, 80 * MIB, USER_READ), ERR_NO_MEMORY);
	assert_int_equal(space->resident_pages, resident);
	assert_int_equal(*touch(space, BASE + 5 * PAGE_SIZE_2M, USER_READ), 7);
	assert_int_equal(user_populate_all(space, BASE, 8 * MIB, USER_READ), OK);
	assert_int_equal(space->resident_pages, resident + 4 * 512);
	resident = space->resident_pages;
	assert_int_equal(user_map(space, 0, 80 * MIB, RW, USER_MAP_POPULATE, NULL, 0, &va), OK);
	assert_int_equal(space->resident_pages, resident);
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

/* The page that both sides of a fork write to at once is parted without a fault; nothing else is. */
static void stack_is_parted(void **state)
{
	struct user_space *space = new_space(), *child;
	const uint64_t *ours;

	(void)state;
	map_at(space, BASE, 2 * PAGE_SIZE, RW);
	map_at(space, BASE + 8 * PAGE_SIZE, PAGE_SIZE, USER_READ);
	*touch(space, BASE, USER_WRITE) = 1;
	*touch(space, BASE + PAGE_SIZE, USER_WRITE) = 2;
	ours = touch(space, BASE, USER_READ);
	assert_int_equal(user_space_fork(space, &child), OK);
	user_fork_part(space, child, BASE + 100);
	user_fork_part(space, child, BASE + 8 * PAGE_SIZE);  /* not writable, not touched */
	user_fork_part(space, child, BASE + 16 * PAGE_SIZE); /* not mapped */
	assert_ptr_equal(touch(space, BASE, USER_READ), ours);
	assert_ptr_not_equal(touch(child, BASE, USER_READ), ours);
	assert_ptr_equal(touch(child, BASE + PAGE_SIZE, USER_READ), touch(space, BASE + PAGE_SIZE, USER_READ));
	/* Both may be written to without another frame. */
	assert_ptr_equal(touch(space, BASE, USER_WRITE), ours);
	*touch(child, BASE, USER_WRITE) += 10;
	assert_int_equal(*touch(space, BASE, USER_READ), 1);
	assert_int_equal(*touch(child, BASE, USER_READ), 11);
	assert_int_equal(child->resident_pages, 2);
	user_space_put(space);
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

/* 2 MiB leaves move whole, or cut where what moves ends. */
static void remap_large(void **state)
{
	struct user_space *space = new_space();
	vaddr_t va;

	(void)state;
	map_at(space, BASE, PAGE_SIZE_2M, RW);
	*touch(space, BASE + 7 * PAGE_SIZE, USER_WRITE) = 7;
	assert_int_equal(user_remap(space, BASE, PAGE_SIZE_2M, PAGE_SIZE_2M, USER_REMAP_MAYMOVE | USER_REMAP_FIXED,
				    BASE + 8 * PAGE_SIZE_2M, &va),
			 OK);
	assert_int_equal(space_find(&space->context.space, va).level, 2);
	assert_int_equal(*touch(space, va + 7 * PAGE_SIZE, USER_READ), 7);
	assert_int_equal(user_remap(space, va, PAGE_SIZE_2M, 8 * PAGE_SIZE, USER_REMAP_MAYMOVE | USER_REMAP_FIXED, BASE,
				    &va),
			 OK);
	assert_int_equal(*touch(space, BASE + 7 * PAGE_SIZE, USER_READ), 7);
	assert_int_equal(refused(space, BASE + 8 * PAGE_SIZE, USER_READ), ERR_NOT_FOUND);
	assert_int_equal(space->resident_pages, 8);
	assert_int_equal(user_remap(space, BASE, 8 * PAGE_SIZE, 8 * PAGE_SIZE, USER_REMAP_MAYMOVE | USER_REMAP_FIXED,
				    BASE + 100 * PAGE_SIZE, &va),
			 OK);
	assert_int_equal(*touch(space, va + 7 * PAGE_SIZE, USER_READ), 7);
	user_space_put(space);
}

/* Bytes between frames and user memory, where neither's pages begin with the other's, up to a page that is not there. */
static void io_frames(void **state)
{
	static char out[3 * PAGE_SIZE];
	struct user_space *space = new_space();
	char *direct = (char *)space->context.space.direct;
	struct user_frames list = { .direct = direct, .start = 100 };
	paddr_t frames[3];
	struct user_io job;
	size_t moved;

	(void)state;
	host_user_space = space;
	map_at(space, BASE, 3 * PAGE_SIZE, RW);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(frame_alloc_4k(&machine_frame_cache, &frames[i]), OK);
		for (size_t byte = 0; byte < PAGE_SIZE; byte++)
			direct[frames[i].raw + byte] = (char)(i * 7 + byte * 13);
	}
	list.frames = frames;
	user_io_init(&job, space, BASE + PAGE_SIZE - 50, 3 * PAGE_SIZE);
	assert_int_equal(user_io_put_frames(&job, &list, 2 * PAGE_SIZE + 40, &moved), OK);
	assert_int_equal(moved, 2 * PAGE_SIZE + 40);
	user_io_init(&job, space, BASE + PAGE_SIZE - 50, 3 * PAGE_SIZE);
	assert_int_equal(user_io_get_bulk(&job, out, sizeof(out), &moved), ERR_FAULT);
	assert_int_equal(moved, 2 * PAGE_SIZE + 50);
	for (size_t i = 0; i < 2 * PAGE_SIZE + 40; i++) {
		size_t from = i + 100;

		assert_int_equal(out[i], (char)(from / PAGE_SIZE * 7 + from % PAGE_SIZE * 13));
	}
	for (size_t i = 2 * PAGE_SIZE + 40; i < 2 * PAGE_SIZE + 50; i++)
		assert_int_equal(out[i], 0);

	/* Back, from what is there of it, to the second frame on; the bytes around stay. */
	list.start = PAGE_SIZE + 1;
	user_io_init(&job, space, BASE + 2 * PAGE_SIZE - 50, 2 * PAGE_SIZE);
	assert_int_equal(user_io_get_frames(&job, &list, 2 * PAGE_SIZE - 1, &moved), ERR_FAULT);
	assert_int_equal(moved, PAGE_SIZE + 50);
	assert_int_equal(direct[frames[1].raw], 7);
	assert_memory_equal(direct + frames[1].raw + 1, out + PAGE_SIZE, PAGE_SIZE - 1);
	assert_memory_equal(direct + frames[2].raw, out + 2 * PAGE_SIZE - 1, 51);
	assert_int_equal(direct[frames[2].raw + 51], (char)(2 * 7 + 51 * 13));
	for (size_t i = 0; i < 3; i++)
		frame_free_4k(&machine_frame_cache, frames[i]);
	user_space_put(space);
}

/* Small pieces and bulk, to pages that nobody touched, as far as the memory goes. */
static void io(void **state)
{
	struct user_space *space = new_space();
	const struct user_iovec pieces[] = { { BASE + PAGE_SIZE - 5, 10 }, { 0, 0 }, { BASE + 3 * PAGE_SIZE - 4, 9 } };
	char in[32] = "0123456789abcdefgh", out[32];
	struct user_io job;
	size_t moved = 9;

	(void)state;
	host_user_space = space;
	map_at(space, BASE, 3 * PAGE_SIZE, RW);
	assert_int_equal(user_io_init_vector(&job, space, pieces, 3), OK);
	assert_int_equal(job.left, 19);
	assert_int_equal(user_io_put_bulk(&job, in, 7, &moved), OK);
	assert_int_equal(moved, 7);
	assert_int_equal(user_io_put(&job, in + 7, 2, &moved), OK);
	assert_int_equal(user_io_put_bulk(&job, in + 9, 9, &moved), ERR_FAULT);
	assert_int_equal(moved, 5);
	assert_int_equal(job.left, 5);
	assert_int_equal(user_io_put(&job, in, 1, &moved), ERR_FAULT);
	assert_int_equal(moved, 0);

	assert_int_equal(user_io_init_vector(&job, space, pieces, 3), OK);
	memset(out, 0, sizeof(out));
	assert_int_equal(user_io_get(&job, out, 3, &moved), OK);
	assert_int_equal(user_io_get_bulk(&job, out + 3, 9, &moved), OK);
	assert_int_equal(user_io_get(&job, out + 12, 20, &moved), ERR_FAULT);
	assert_int_equal(moved, 2);
	assert_string_equal(out, "0123456789abcd");

	/* A write to a page that a fork shares copies it; read-only is a fault. */
	user_io_init(&job, space, BASE, PAGE_SIZE);
	assert_int_equal(user_io_zero_bulk(&job, 2 * PAGE_SIZE, &moved), OK);
	assert_int_equal(moved, PAGE_SIZE);
	assert_int_equal(user_protect(space, BASE, PAGE_SIZE, USER_READ), OK);
	user_io_init(&job, space, BASE, 1);
	assert_int_equal(user_io_put_bulk(&job, in, 1, &moved), ERR_FAULT);
	assert_int_equal(user_io_get_bulk(&job, out, 1, &moved), OK);
	assert_int_equal(out[0], 0);
	user_io_init(&job, space, HHDM_BASE, 1);
	assert_int_equal(user_io_get_bulk(&job, out, 1, &moved), ERR_FAULT);
	assert_int_equal(user_io_get(&job, out, 1, &moved), ERR_FAULT);

	user_io_init_kernel(&job, out, 4);
	assert_int_equal(user_io_put(&job, "ab", 2, &moved), OK);
	assert_int_equal(user_io_put_bulk(&job, "cdef", 4, &moved), OK);
	assert_int_equal(moved, 2);
	assert_memory_equal(out, "abcd", 4);
	assert_int_equal(user_io_init_vector(&job, space, (struct user_iovec[]){ { 0, 1ULL << 62 }, { 0, 1ULL << 62 } },
					     2),
			 ERR_RANGE);
	user_space_put(space);
}

/* Every pointer that cannot be a user's is refused before it is used. */
static void pointers(void **state)
{
	static const uint64_t bad[] = { USER_END - 3,       USER_END,  0x0000800000000000,
					0x0100000000000000, HHDM_BASE, HEAP_BASE,
					IMAGE_BASE,         ~0ULL - 3, ~0ULL };
	struct user_space *space = new_space();
	uint32_t word = 0;
	size_t length;
	char text[8];

	(void)state;
	host_user_space = space;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(copy_from_user(text, user_pointer(bad[i]), 4), ERR_FAULT);
		assert_int_equal(copy_to_user(user_pointer(bad[i]), text, 4), ERR_FAULT);
		assert_int_equal(clear_user(user_pointer(bad[i]), 4), ERR_FAULT);
		assert_int_equal(get_user_u32(user_pointer(bad[i]), &word), ERR_FAULT);
		assert_int_equal(put_user_u32(user_pointer(bad[i]), 0), ERR_FAULT);
	}
	assert_int_equal(strncpy_from_user(text, user_pointer(HHDM_BASE), 8, &length), ERR_FAULT);
	assert_int_equal(copy_from_user(text, user_pointer(BASE), ~0ULL), ERR_FAULT);
	assert_int_equal(copy_from_user_some(text, user_pointer(BASE), 4, &length), ERR_FAULT);
	assert_int_equal(length, 0);
	map_at(space, BASE, PAGE_SIZE, RW);
	assert_int_equal(copy_to_user(user_pointer(BASE + PAGE_SIZE - 3), "abc", 3), OK);
	assert_int_equal(strncpy_from_user(text, user_pointer(BASE + PAGE_SIZE - 3), 3, &length), ERR_RANGE);
	assert_int_equal(strncpy_from_user(text, user_pointer(BASE + PAGE_SIZE - 3), 4, &length), ERR_FAULT);
	assert_int_equal(strncpy_from_user(text, user_pointer(BASE), 4, &length), OK);
	assert_int_equal(length, 0);
	assert_int_equal(user_op_u32(user_pointer(BASE), (enum user_op)5, 1, &word), ERR_RANGE);
	assert_int_equal(user_op_u32(user_pointer(BASE + 1), USER_OP_SET, 1, &word), ERR_RANGE);
	assert_int_equal(user_op_u32(user_pointer(BASE), USER_OP_SET, 6, &word), OK);
	assert_int_equal(user_op_u32(user_pointer(BASE), USER_OP_OR, 9, &word), OK);
	assert_int_equal(user_op_u32(user_pointer(BASE), USER_OP_XOR, 1, &word), OK);
	assert_int_equal(word, 15);
	assert_int_equal(user_cmpxchg_u32(user_pointer(BASE), 14, 1, &word), OK);
	assert_int_equal(word, 14);
	user_space_put(space);
}

/* A page that has no frame yet and gets none: the copy says so, once it is known which page that was. */
static void a_copy_lacks_memory(void **state)
{
	struct user_space *space = new_space(), *another = new_space();
	enum user_rights access;
	struct user_io job;
	char text[8] = "abcdefg";
	size_t moved;
	vaddr_t va;

	(void)state;
	host_user_space = space;
	map_at(space, BASE, 2 * PAGE_SIZE, RW);
	touch(space, BASE, USER_WRITE);
	assert_false(copy_shortage_take(space, &va, &access));

	frame_fail_nth(&machine_frame_cache, 1);
	assert_int_equal(copy_to_user_some(user_pointer(BASE + PAGE_SIZE - 3), text, 8, &moved), ERR_NO_MEMORY);
	assert_int_equal(moved, 3);
	assert_true(copy_shortage_take(space, &va, &access));
	assert_int_equal(align_down(va, PAGE_SIZE), BASE + PAGE_SIZE);
	assert_int_equal(access, USER_WRITE);
	assert_false(copy_shortage_take(space, &va, &access));

	frame_fail_nth(&machine_frame_cache, 1);
	assert_int_equal(copy_from_user(text, user_pointer(BASE + PAGE_SIZE), 1), ERR_NO_MEMORY);
	assert_false(copy_shortage_take(another, &va, &access));
	assert_false(copy_shortage_take(space, &va, &access));

	/* The same in bulk; then there is a frame. What is not the user's is still another status. */
	frame_fail_nth(&machine_frame_cache, 1);
	user_io_init(&job, space, BASE + PAGE_SIZE - 3, PAGE_SIZE);
	assert_int_equal(user_io_put_bulk(&job, text, 8, &moved), ERR_NO_MEMORY);
	assert_int_equal(moved, 3);
	assert_true(copy_shortage_take(space, &va, &access));
	assert_int_equal(va, BASE + PAGE_SIZE);
	assert_int_equal(user_io_put_bulk(&job, text, 5, &moved), OK);
	assert_int_equal(copy_to_user(user_pointer(BASE + 2 * PAGE_SIZE), text, 1), ERR_FAULT);
	assert_false(copy_shortage_take(space, &va, &access));
	user_space_put(another);
	user_space_put(space);
}

/* Each call with its n-th frame missing, for every n: a status, and nothing has changed. */
static void every_nth_failure(void **state)
{
	struct user_space *space = new_space(), *child = NULL;
	enum status status = ERR_NO_MEMORY;
	uint64_t moved, n;
	vaddr_t va;

	(void)state;
	map_at(space, BASE, 3 * PAGE_SIZE_2M, RW);
	map_at(space, BASE + PAGE_SIZE_1G, 5 * PAGE_SIZE, RW);
	touch(space, BASE, USER_WRITE);
	touch(space, BASE + PAGE_SIZE_1G, USER_WRITE);
	for (n = 1; status != OK; n++) {
		uint64_t before = frame_free_count(&machine_frames);

		frame_fail_nth(&machine_frame_cache, n);
		status = user_space_fork(space, &child);
		frame_fail_nth(&machine_frame_cache, 0);
		if (status != OK) {
			assert_int_equal(status, ERR_NO_MEMORY);
			assert_int_equal(frame_free_count(&machine_frames), before);
		}
	}
	assert_true(n > 6);
	for (n = 1, status = ERR_NO_MEMORY; status != OK; n++) {
		uint64_t before = frame_free_count(&machine_frames);

		frame_fail_nth(&machine_frame_cache, n);
		status = user_unmap(space, BASE + 5 * PAGE_SIZE, PAGE_SIZE);
		frame_fail_nth(&machine_frame_cache, 0);
		if (status != OK) {
			assert_int_equal(frame_free_count(&machine_frames), before);
			assert_int_equal(space->resident_pages, 513);
			assert_int_equal(space->mapped_pages, 3 * 512 + 5);
		}
	}
	assert_true(n > 2);
	for (n = 1, status = ERR_NO_MEMORY; status != OK; n++) {
		frame_fail_nth(&machine_frame_cache, n);
		status = user_remap(space, BASE, PAGE_SIZE, PAGE_SIZE, USER_REMAP_MAYMOVE | USER_REMAP_FIXED,
				    1ULL << 40, &va);
		frame_fail_nth(&machine_frame_cache, 0);
		assert_int_equal(user_is_mapped(space, BASE, PAGE_SIZE), status != OK);
	}
	assert_true(n > 2);
	for (n = 1, status = ERR_NO_MEMORY; status != OK; n++) {
		frame_fail_nth(&machine_frame_cache, n);
		status = user_populate(space, BASE + PAGE_SIZE_1G, 5 * PAGE_SIZE, USER_WRITE, &moved);
		frame_fail_nth(&machine_frame_cache, 0);
		assert_int_equal(moved == 5 * PAGE_SIZE, status == OK);
	}
	assert_true(n > 4);
	user_space_put(child);
	user_space_put(space);
}

/* No more heap: no area can be made or cut, and those that are stay as they are. */
static void no_heap(void **state)
{
	struct user_space *space = new_space();
	enum status status = OK;
	uint64_t n = 0;
	size_t count;
	vaddr_t va;

	(void)state;
	map_at(space, BASE, 16 * PAGE_SIZE, RW);
	touch(space, BASE, USER_WRITE);
	user_heap.fail_above = user_heap.mapped;
	while (status == OK && n < 60000) {
		n++;
		status = user_map(space, BASE + n * 32 * PAGE_SIZE, PAGE_SIZE, RW, USER_MAP_FIXED, NULL, 0, &va);
	}
	assert_int_equal(status, ERR_NO_MEMORY);
	count = space->areas.count;
	assert_int_equal(space->mapped_pages, 16 + n - 1);
	assert_int_equal(user_unmap(space, BASE + PAGE_SIZE, PAGE_SIZE), ERR_NO_MEMORY);
	assert_int_equal(user_protect(space, BASE, PAGE_SIZE, USER_READ), ERR_NO_MEMORY);
	assert_int_equal(user_map(space, BASE, PAGE_SIZE, USER_READ, USER_MAP_FIXED, NULL, 0, &va), ERR_NO_MEMORY);
	assert_int_equal(user_remap(space, BASE, PAGE_SIZE, 2 * PAGE_SIZE, USER_REMAP_MAYMOVE, 0, &va), ERR_NO_MEMORY);
	assert_int_equal(space->areas.count, count);
	assert_int_equal(space->mapped_pages, 16 + n - 1);
	touch(space, BASE, USER_WRITE);
	touch(space, BASE + PAGE_SIZE, USER_WRITE);
	/* What needs no node works. */
	assert_int_equal(user_unmap(space, BASE, 16 * PAGE_SIZE), OK);
	user_heap.fail_above = 0;
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
	static const struct memory_object_ops ops = { .frame = foreign_frame, .get = nothing, .put = nothing };
	static uint64_t page[512] __attribute__((aligned(4096))) = { 77 };
	struct memory_object object = { .ops = &ops };
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
		TEST(demand_zero),
		TEST(context_switches),
		TEST(by_turns),
		TEST(map_errors),
		TEST(placing),
		TEST(large_frames),
		TEST(stack),
		TEST(program_break),
		TEST(data_limit),
		TEST(populate_or_nothing),
		TEST(files),
		TEST(shared),
		TEST(stack_is_parted),
		TEST(remap),
		TEST(immortal_frames),
		TEST(remap_large),
		TEST(io),
		TEST(io_frames),
		TEST(pointers),
		TEST(a_copy_lacks_memory),
		TEST(every_nth_failure),
		TEST(no_heap),
	};

	return cmocka_run_group_tests_name("user_space", tests, NULL, NULL);
}
