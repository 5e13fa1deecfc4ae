/*
 * Tests of user memory on the real CPU: page faults, SMAP, the fix-up of failed user copies, TLB flushes. No program
 * runs: the kernel itself accesses user addresses, with the page tables of a user space loaded.
 * Guard of all state here: the test that runs; tests run one at a time, before there are tasks.
 */
#include "kernel/selftest/memory_selftests.h"

#include "kernel/arch/trap.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/mm/user/user_space.h"

#define BASE    0x10000000ULL
#define PAGES   4
#define END     (BASE + PAGES * PAGE_SIZE)
#define LARGEST 1200 /* bytes of the largest copy that is tried */

#define ERROR_WRITE (1 << 1) /* the bit of a #PF's error code that says "write" */

static struct user_space *space;
static SCRATCH unsigned char pattern[LARGEST], buffer[LARGEST + 16];

/*
 * Handle a page fault of a user copy as the kernel does: map the page if the area allows it, otherwise let the copy
 * fail.
 */
static bool on_page_fault(struct trap_frame *frame)
{
	uint64_t va = cpu_read_cr2();

	if (!uaccess_is_at(frame->rip))
		return false;
	if (copy_fault(space, va, frame->error & ERROR_WRITE ? USER_WRITE : USER_READ) == OK)
		return true;
	return uaccess_fixup(frame);
}

static void __user *at(uint64_t va)
{
	return user_pointer(va);
}

/* Check copies of all small sizes and some large ones, across the border of two pages, there and back again. */
static bool copies_arrive(void)
{
	for (size_t bytes = 0; bytes < LARGEST; bytes += bytes < 40 ? 1 : 37) {
		uint64_t to = BASE + PAGE_SIZE - bytes / 2 - bytes % 5;

		memset(buffer, 0xee, sizeof(buffer));
		if (copy_to_user(at(to), pattern, bytes) != OK || copy_from_user(buffer, at(to), bytes) != OK)
			return false;
		if (memcmp(buffer, pattern, bytes) != 0 || buffer[bytes] != 0xee)
			return false;
	}
	return true;
}

/* Check copies over the end of an area: exactly the bytes before the end are copied, and the count says how many. */
static bool counts_are_exact(void)
{
	for (size_t there = 0; there < 600; there += there < 40 ? 1 : 41)
		for (size_t beyond = 1; beyond < 500; beyond += beyond < 20 ? 1 : 97) {
			size_t copied;

			memset(buffer, 0xee, sizeof(buffer));
			if (copy_to_user_some(at(END - there), pattern, there + beyond, &copied) != ERR_FAULT ||
			    copied != there ||
			    copy_from_user_some(buffer, at(END - there), there + beyond, &copied) != ERR_FAULT ||
			    copied != there || memcmp(buffer, pattern, there) != 0 || buffer[there] != 0xee ||
			    copy_from_user(buffer, at(END - there), there + beyond) != ERR_FAULT ||
			    clear_user(at(END - there), there + beyond) != ERR_FAULT)
				return false;
		}
	return true;
}

static bool strings_end(void)
{
	static const char text[] = "twelve chars";
	char got[32];
	size_t length = 0;

	if (copy_to_user(at(END - sizeof(text)), text, sizeof(text)) != OK ||
	    strncpy_from_user(got, at(END - sizeof(text)), sizeof(got), &length) != OK || length != 12 ||
	    memcmp(got, text, sizeof(text)) != 0)
		return false;
	/* Without a NUL the copy must end with ERR_FAULT where memory ends, or with ERR_RANGE where the buffer ends. */
	return copy_to_user(at(END - 12), text, 12) == OK &&
	       strncpy_from_user(got, at(END - 12), sizeof(got), &length) == ERR_FAULT &&
	       strncpy_from_user(got, at(END - 12), 12, &length) == ERR_RANGE &&
	       strncpy_from_user(got, at(END - 12), 0, &length) == ERR_RANGE;
}

static bool words_work(void)
{
	uint32_t word = 0, old = 0;
	uint64_t wide = 0;

	if (put_user_u64(at(BASE + 8), 0x1122334455667788) != OK || get_user_u64(at(BASE + 8), &wide) != OK ||
	    wide != 0x1122334455667788 || get_user_u32(at(BASE + 8), &word) != OK || word != 0x55667788 ||
	    put_user_u32(at(BASE + 8), 5) != OK || get_user_u64(at(BASE + 8), &wide) != OK ||
	    wide != 0x1122334400000005)
		return false;
	if (user_cmpxchg_u32(at(BASE + 8), 4, 9, &old) != OK || old != 5 ||
	    user_cmpxchg_u32(at(BASE + 8), 5, 9, &old) != OK || old != 5 ||
	    user_op_u32(at(BASE + 8), USER_OP_ADD, 2, &old) != OK || old != 9 ||
	    user_op_u32(at(BASE + 8), USER_OP_ANDN, 3, &old) != OK || old != 11 ||
	    get_user_u32(at(BASE + 8), &word) != OK || word != 8)
		return false;
	return user_cmpxchg_u32(at(BASE + 2), 0, 0, &old) == ERR_RANGE &&
	       user_cmpxchg_u32(at(END), 0, 0, &old) == ERR_FAULT && put_user_u32(at(END - 2), 1) == ERR_FAULT &&
	       put_user_u64(at(END - 4), 1) == ERR_FAULT && get_user_u64(at(BASE - 1), &wide) == ERR_FAULT &&
	       get_user_u32(at(BASE - 4), &word) == ERR_FAULT;
}

/* Check that all user copies return ERR_FAULT for bad pointers of every kind. */
static bool bad_pointers_fault(void)
{
	static const uint64_t bad[] = {
		0,
		8,
		USER_MIN,
		BASE - 16,
		END,
		USER_END - 8,
		USER_END,
		USER_END + 4096,
		0x0000800000000000,
		0x00f0000000000000,
		0xffff7fffffffffff,
		0xffff800000000000,
		0xffff900000000000,
		0xffffff8000000000,
		0xffffffff80000000,
		~0ULL - 8,
		~0ULL,
	};
	size_t length;
	uint32_t word;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (copy_from_user(buffer, at(bad[i]), 16) != ERR_FAULT ||
		    copy_to_user(at(bad[i]), pattern, 300) != ERR_FAULT || clear_user(at(bad[i]), 16) != ERR_FAULT ||
		    strncpy_from_user((char *)buffer, at(bad[i]), 16, &length) != ERR_FAULT ||
		    get_user_u32(at(bad[i]), &word) != ERR_FAULT || put_user_u64(at(bad[i]), 0) != ERR_FAULT ||
		    copy_from_user_some(buffer, at(bad[i]), 16, &length) != ERR_FAULT || length != 0)
			return false;
	/* The sum of this address and size overflows 64 bits. */
	return copy_from_user(buffer, at(BASE), ~0ULL - BASE / 2) == ERR_FAULT;
}

/* Check that rights and pages that are taken away are gone at once, although the TLB held entries for them. */
static bool rights_go(void)
{
	uint64_t old = 0;

	if (put_user_u64(at(BASE), 7) != OK || user_protect(space, BASE, PAGE_SIZE, USER_READ) != OK ||
	    put_user_u64(at(BASE), 8) != ERR_FAULT || get_user_u64(at(BASE), &old) != OK || old != 7)
		return false;
	if (user_protect(space, BASE, PAGE_SIZE, USER_NONE) != OK || get_user_u64(at(BASE), &old) != ERR_FAULT ||
	    user_protect(space, BASE, PAGE_SIZE, USER_READ | USER_WRITE) != OK || put_user_u64(at(BASE), 9) != OK)
		return false;
	return user_dontneed(space, BASE, PAGE_SIZE) == OK && get_user_u64(at(BASE), &old) == OK && old == 0;
}

/* Check that after a fork parent and child each write to their own memory. */
static bool fork_copies(void)
{
	struct user_space *parent = space, *child;
	uint64_t here = 0, there = 0;
	bool good;

	if (put_user_u64(at(BASE), 1) != OK || user_space_fork(space, &child) != OK)
		return false;
	good = put_user_u64(at(BASE), 2) == OK;
	space = child;
	context_load(&child->context);
	good &= get_user_u64(at(BASE), &there) == OK && there == 1 && put_user_u64(at(BASE), 3) == OK;
	space = parent;
	context_load(&parent->context);
	good &= get_user_u64(at(BASE), &here) == OK && here == 2;
	user_space_put(child);
	return good && put_user_u64(at(BASE), 4) == OK;
}

/*
 * Check that user_io_put_bulk(), called with the kernel's own page tables, writes to a user's pages that are not mapped
 * yet, and that small copies with the user's page tables then read the same bytes.
 */
static bool io_moves(void)
{
	const struct user_iovec pieces[] = { { BASE + 2 * PAGE_SIZE - 100, 300 }, { END - 10, 20 } };
	struct user_io io;
	size_t moved = 0;
	context_token_t token;
	bool good;

	if (user_dontneed(space, BASE, END - BASE) != OK || user_io_init_vector(&io, space, pieces, 2) != OK)
		return false;
	token = kernel_context_enter();
	good = user_io_put_bulk(&io, pattern, 400, &moved) == ERR_FAULT && moved == 310 && io.left == 10;
	kernel_context_leave(token);
	user_io_init(&io, space, pieces[0].base, 300);
	good &= user_io_get(&io, buffer, 500, &moved) == OK && moved == 300 && memcmp(buffer, pattern, 300) == 0;
	return good && copy_from_user(buffer, at(END - 10), 10) == OK && memcmp(buffer, pattern + 300, 10) == 0;
}

/* Run a check in the context of a new user space that has one area, [BASE, END). */
static bool in_space(bool (*check)(void))
{
	context_token_t token = kernel_context_enter();
	bool good = false;
	vaddr_t va;

	for (size_t i = 0; i < LARGEST; i++)
		pattern[i] = (unsigned char)(1 + i % 251);
	if (user_space_create(&space) != OK)
		return selftest_fail("no user space");
	trap_set_user_handler(on_page_fault);
	if (user_map(space, BASE, END - BASE, USER_READ | USER_WRITE, USER_MAP_FIXED, NULL, 0, &va) == OK) {
		context_load(&space->context);
		good = check();
		context_restore(token);
	}
	trap_set_user_handler(NULL);
	user_space_put(space);
	return good;
}

#define IN_SPACE(check)                    \
	static bool check##_in_space(void) \
	{                                  \
		return in_space(check);    \
	}

IN_SPACE(copies_arrive)
IN_SPACE(counts_are_exact)
IN_SPACE(strings_end)
IN_SPACE(words_work)
IN_SPACE(bad_pointers_fault)
IN_SPACE(rights_go)
IN_SPACE(fork_copies)
IN_SPACE(io_moves)

static const struct selftest user_tests[] = {
	{ "copies arrive, whatever their size", copies_arrive_in_space },
	{ "counts are exact where memory ends", counts_are_exact_in_space },
	{ "strings end", strings_end_in_space },
	{ "words and atomic words", words_work_in_space },
	{ "bad pointers of every kind fault", bad_pointers_fault_in_space },
	{ "rights that go are gone", rights_go_in_space },
	{ "a fork writes to itself", fork_copies_in_space },
	{ "bulk and small pieces", io_moves_in_space },
};

SELFTEST_SUITE(user, user_tests);
