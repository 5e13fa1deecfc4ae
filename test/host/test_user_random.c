/*
 * User memory against a model: random calls and accesses in several spaces, with allocations that fail. After each call
 * the model says what must be where; at the end every frame is back. A stale TLB entry that is used ends the test.
 */
#include "kernel/mm/user/user_pages.h"
#include "test/host/user_machine.h"

#include "paging/leaves.h"
#include "test/host/random.h"

#define BASE   0x10000000ULL
#define PAGES  2048 /* 8 MiB: four 2 MiB leaves */
#define SPACES 4
#define SHARED 24 /* shared objects that the model can tell apart */

/* One page of a space. */
struct model_page {
	bool mapped;
	unsigned rights;
	int shared;     /* the shared object, or -1 */
	int file_page;  /* of the test file, private; -1: none */
	int index;      /* page in the shared object */
	bool own;       /* private and written: `value` is what it holds; else zero, or the file's */
	uint64_t value; /* its first word */
};

struct model_space {
	struct user_space *space; /* NULL: none */
	struct model_page pages[PAGES];
};

static struct model_space spaces[SPACES];
static uint64_t shared_values[SHARED][PAGES];
static int shared_next;
static struct test_file file;
static struct random r;
static uint64_t value_next = 1;
static bool failing; /* some allocation may fail in this run */

static uint64_t expected_value(const struct model_page *p)
{
	if (p->shared >= 0)
		return shared_values[p->shared][p->index];
	if (p->own)
		return p->value;
	return p->file_page >= 0 ? file_word((uint64_t)p->file_page) : 0;
}

static vaddr_t va_of(size_t page)
{
	return BASE + page * PAGE_SIZE;
}

/* A range, often on 2 MiB borders. */
static void random_range(size_t *page, size_t *count)
{
	if (random_below(&r, 4) == 0) {
		*page = random_below(&r, 4) * 512;
		*count = 512 * (1 + random_below(&r, 4));
	} else {
		*page = random_below(&r, PAGES);
		*count = 1 + random_below(&r, random_below(&r, 3) ? 12 : 700);
	}
	if (*count > PAGES - *page)
		*count = PAGES - *page;
}

static unsigned random_rights(void)
{
	static const unsigned all[] = { USER_NONE,
					USER_READ,
					USER_READ | USER_WRITE,
					USER_READ | USER_WRITE,
					USER_READ | USER_WRITE,
					USER_READ | USER_EXEC,
					USER_READ | USER_WRITE | USER_EXEC };

	return all[random_below(&r, sizeof(all) / sizeof(all[0]))];
}

/* Whether the call's status is the expected one, or the failure that was injected. True: it happened. */
static bool happened(enum status status, enum status expected)
{
	if (failing && status == ERR_NO_MEMORY)
		return false;
	assert_int_equal(status, expected);
	return status == OK;
}

/* ---- the calls ---- */

static void do_map(struct model_space *m)
{
	unsigned rights = random_rights(), flags = USER_MAP_FIXED;
	size_t page, count, kind = random_below(&r, 6);
	uint64_t offset = 0;
	vaddr_t va;

	random_range(&page, &count);
	if (kind == 0 && shared_next < SHARED)
		flags |= USER_MAP_SHARED;
	if (kind == 1) {
		if (count > FILE_PAGES)
			count = FILE_PAGES;
		offset = random_below(&r, FILE_PAGES - count + 1);
	}
	if (random_below(&r, 8) == 0)
		flags |= USER_MAP_POPULATE;
	if (!happened(user_map(m->space, va_of(page), count * PAGE_SIZE, rights, flags, kind == 1 ? &file.object : NULL,
			       offset, &va),
		      OK))
		return;
	for (size_t i = 0; i < count; i++)
		m->pages[page + i] = (struct model_page){ .mapped = true,
							  .rights = rights,
							  .shared = flags & USER_MAP_SHARED ? shared_next : -1,
							  .index = (int)i,
							  .file_page = kind == 1 ? (int)(offset + i) : -1 };
	if (flags & USER_MAP_SHARED)
		shared_next++;
}

static void do_unmap(struct model_space *m)
{
	size_t page, count;

	random_range(&page, &count);
	if (happened(user_unmap(m->space, va_of(page), count * PAGE_SIZE), OK))
		memset(&m->pages[page], 0, count * sizeof(m->pages[0]));
}

static bool all_mapped(const struct model_space *m, size_t page, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!m->pages[page + i].mapped)
			return false;
	return true;
}

static void do_protect(struct model_space *m)
{
	unsigned rights = random_rights();
	enum status status;
	size_t page, count;

	random_range(&page, &count);
	status = user_protect(m->space, va_of(page), count * PAGE_SIZE, rights);
	/* What lies before a hole gets the rights. */
	if (!happened(status, all_mapped(m, page, count) ? OK : ERR_NOT_FOUND) && status != ERR_NOT_FOUND)
		return;
	for (size_t i = 0; i < count && m->pages[page + i].mapped; i++)
		m->pages[page + i].rights = rights;
}

static void do_dontneed(struct model_space *m)
{
	enum status status;
	size_t page, count;

	random_range(&page, &count);
	status = user_dontneed(m->space, va_of(page), count * PAGE_SIZE);
	/* What is there is dropped, hole or no hole. */
	if (!happened(status, all_mapped(m, page, count) ? OK : ERR_NOT_FOUND) && status != ERR_NOT_FOUND)
		return;
	for (size_t i = 0; i < count; i++)
		m->pages[page + i].own = false;
}

/* Move what lies in one area to another place of the window. */
static void do_remap(struct model_space *m)
{
	static struct model_page moved[PAGES];
	const struct area *area;
	size_t page, count, to, to_count;
	vaddr_t va;

	random_range(&page, &count);
	random_range(&to, &to_count);
	if (to < page + count && page < to + to_count)
		return;
	area = area_find(&m->space->areas, va_of(page));
	if (!area || area->end < va_of(page + count)) {
		assert_int_equal(user_remap(m->space, va_of(page), count * PAGE_SIZE, to_count * PAGE_SIZE,
					    USER_REMAP_MAYMOVE | USER_REMAP_FIXED, va_of(to), &va),
				 ERR_FAULT);
		return;
	}
	/* A call that fails may have unmapped the target: keep to free ones when it can. */
	if (failing)
		for (size_t i = 0; i < to_count; i++)
			if (m->pages[to + i].mapped)
				return;
	/* The tail of what grows is new pages of the same kind; beyond an object's end the model does not go. */
	if (to_count > count && (m->pages[page].shared >= 0 || m->pages[page].file_page >= 0))
		to_count = count;
	memcpy(moved, &m->pages[page], sizeof(moved[0]) * (count < to_count ? count : to_count));
	for (size_t i = count; i < to_count; i++)
		moved[i] =
			(struct model_page){ .mapped = true, .rights = moved[0].rights, .shared = -1, .file_page = -1 };
	if (!happened(user_remap(m->space, va_of(page), count * PAGE_SIZE, to_count * PAGE_SIZE,
				 USER_REMAP_MAYMOVE | USER_REMAP_FIXED, va_of(to), &va),
		      OK))
		return;
	memset(&m->pages[page], 0, count * sizeof(moved[0]));
	memcpy(&m->pages[to], moved, to_count * sizeof(moved[0]));
}

static void do_fork(struct model_space *m)
{
	struct model_space *child = &spaces[random_below(&r, SPACES)];

	if (child->space)
		return;
	if (!happened(user_space_fork(m->space, &child->space), OK)) {
		child->space = NULL;
		return;
	}
	memcpy(child->pages, m->pages, sizeof(m->pages));
}

static void do_access(struct model_space *m, size_t page)
{
	static const enum user_rights kinds[] = { USER_READ, USER_WRITE, USER_WRITE, USER_EXEC };
	struct model_page *p = &m->pages[page];
	enum user_rights access = kinds[random_below(&r, 4)];
	enum status expected = OK;
	void *at;

	if (!p->mapped)
		expected = ERR_NOT_FOUND;
	else if (access == USER_READ ? p->rights == USER_NONE : !(p->rights & access))
		expected = ERR_RIGHTS;
	/* As bulk copies do: no fault of the CPU's, which would make it forget what it knew of the page. */
	if (random_below(&r, 3) == 0) {
		if (!happened(user_fault(m->space, va_of(page), access), expected))
			return;
		assert_int_equal(user_touch(m->space, va_of(page), USER_READ, &at), OK);
		assert_int_equal(*(uint64_t *)at, expected_value(p));
	}
	if (!happened(user_touch(m->space, va_of(page), access, &at), expected))
		return;
	assert_int_equal(*(uint64_t *)at, expected_value(p));
	if (access != USER_WRITE)
		return;
	*(uint64_t *)at = value_next;
	if (p->shared >= 0) {
		shared_values[p->shared][p->index] = value_next++;
	} else {
		p->own = true;
		p->value = value_next++;
	}
}

/* ---- the check ---- */

static void check_counts(const struct model_space *m)
{
	uint64_t mapped = 0, data = 0, resident = 0, in_areas = 0;
	const struct area *before = NULL;
	struct space_run run;

	for (size_t i = 0; i < PAGES; i++)
		mapped += m->pages[i].mapped;
	for (size_t i = 0; i < PAGES; i++)
		data += m->pages[i].mapped && m->pages[i].rights & USER_WRITE && m->pages[i].shared < 0;
	assert_int_equal(m->space->mapped_pages, mapped);
	assert_int_equal(m->space->data_pages, data);
	for (const struct area *a = area_find_from(&m->space->areas, 0); a; a = area_next(a)) {
		in_areas += (a->end - a->start) / PAGE_SIZE;
		assert_true(!a->object || (a->space == m->space && *a->link_of_object == a));
		if (before)
			assert_false(area_continues(before, a));
		before = a;
	}
	assert_int_equal(in_areas, mapped);
	for (vaddr_t va = 0; va < USER_END && space_run(&m->space->context.space, va, USER_END - 1, &run);
	     va = space_run_end(&run))
		for (size_t i = 0; i < run.count; i++)
			if (run.at[i].raw) {
				vaddr_t at = run.va + i * level_size(run.level);
				pte_t leaf = user_leaf(run.at[i]);

				assert_true(!(leaf.raw & PTE_WRITABLE) || leaf.raw & PTE_NX);
				assert_non_null(area_find(&m->space->areas, at));
				assert_true(area_find(&m->space->areas, at)->flags & AREA_TOUCHED);
				resident += level_size(run.level) / PAGE_SIZE;
			}
	assert_int_equal(m->space->resident_pages, resident);
}

static void check_rights(struct model_space *m)
{
	for (size_t i = 0; i < PAGES; i++) {
		const struct area *a = area_find(&m->space->areas, va_of(i));

		assert_int_equal(a != NULL, m->pages[i].mapped);
		if (a)
			assert_int_equal(a->rights, m->pages[i].rights);
	}
}

static void end_space(struct model_space *m)
{
	user_space_put(m->space);
	memset(m, 0, sizeof(*m));
}

static void operate(struct model_space *m)
{
	switch (random_below(&r, 16)) {
	case 0:
	case 1:
		do_map(m);
		break;
	case 2:
		do_unmap(m);
		break;
	case 3:
	case 4:
		do_protect(m);
		break;
	case 5:
		do_dontneed(m);
		break;
	case 6:
	case 7:
		do_remap(m);
		break;
	case 8:
		do_fork(m);
		break;
	case 9:
		if (random_below(&r, 4) == 0)
			end_space(m);
		return;
	default:
		for (int i = 0; i < 20; i++)
			do_access(m, random_below(&r, PAGES));
	}
	check_counts(m);
	if (random_below(&r, 8) == 0)
		check_rights(m);
}

static void run(int operations, bool inject)
{
	/* Enough for all spaces, or so little that it runs out. */
	user_machine_start(inject ? 48 * MIB : 128 * MIB);
	test_file_start(&file);
	memset(spaces, 0, sizeof(spaces));
	memset(shared_values, 0, sizeof(shared_values));
	shared_next = 0;
	failing = inject;
	for (int i = 0; i < operations; i++) {
		struct model_space *m = &spaces[random_below(&r, SPACES)];

		if (!m->space) {
			if (user_space_create(&m->space) != OK)
				m->space = NULL;
			continue;
		}
		if (inject && random_below(&r, 2))
			frame_fail_nth(&machine_frame_cache, 1 + random_below(&r, 12));
		operate(m);
		if (inject)
			frame_fail_nth(&machine_frame_cache, 0);
	}
	for (int i = 0; i < SPACES; i++)
		if (spaces[i].space)
			end_space(&spaces[i]);
	test_file_end(&file);
	user_machine_end();
}

static void random_calls(void **state)
{
	(void)state;
	r = random_start("user_random");
	for (int i = 0; i < 8; i++)
		run(1500, false);
}

static void random_calls_that_fail(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		run(1500, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_calls),
		cmocka_unit_test(random_calls_that_fail),
	};

	return cmocka_run_group_tests_name("user_random", tests, NULL, NULL);
}
