/*
 * Tests of contexts (page tables that CR3 can be switched to) on the real CPU with its TLB. Pages in the user half are
 * mapped without PROT_USER, so that SMAP lets the kernel read them.
 * Guard of all state here: the test that runs; tests run one at a time, before there are tasks.
 */
#include "kernel/arch/trap.h"
#include "kernel/lib/log.h"
#include "kernel/lib/scratch.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/tlb.h"
#include "kernel/selftest/memory_selftests.h"

/* The address at which each context has a page of its own. */
#define PAGE_VA 0x400000ULL

/* More contexts than PCIDs, so that a PCID is taken from one context and given to another. */
#define MANY (TLB_PCIDS + 20)

/* A context with one page at PAGE_VA, in which a number is written. */
struct trial {
	struct context context;
	paddr_t page;
	uint64_t number;
};

static SCRATCH struct trial trials[MANY];

static bool trial_map(struct trial *t, uint64_t number)
{
	if (frame_alloc_4k(frame_cache_here(), &t->page) != OK)
		return false;
	t->number = number;
	*(uint64_t *)hhdm_ptr(t->page) = number;
	if (space_map(&t->context.space, PAGE_VA, t->page, 1, PROT_R) == OK)
		return true;
	frame_free_4k(frame_cache_here(), t->page);
	return false;
}

static bool trial_unmap(struct trial *t)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	if (space_unmap(&t->context.space, PAGE_VA, 1, &flush) != OK)
		return false;
	context_flush(&t->context, &flush);
	frame_free_4k(frame_cache_here(), t->page);
	return true;
}

static bool trial_begin(struct trial *t, uint64_t number)
{
	if (context_create(&t->context) != OK)
		return false;
	if (trial_map(t, number))
		return true;
	context_destroy(&t->context);
	return false;
}

static void trial_end(struct trial *t)
{
	context_destroy(&t->context);
	frame_free_4k(frame_cache_here(), t->page);
}

/* Load the context, and return the number that is read at PAGE_VA. */
static uint64_t trial_read(struct trial *t)
{
	context_token_t token = context_enter(&t->context);
	uint64_t number = *(const volatile uint64_t *)PAGE_VA;

	context_leave(token);
	return number;
}

static bool create_takes_one_frame(void)
{
	uint64_t before = frame_free_count(&machine_frames), taken;
	struct context c;

	if (context_create(&c) != OK)
		return false;
	taken = before - frame_free_count(&machine_frames);
	context_destroy(&c);
	return taken == 1 && frame_free_count(&machine_frames) == before;
}

/* Check that a new context's PML4 has slot 511 (heap and image) only: no direct map, no MMIO window. */
static bool has_slot_511_only(void)
{
	const pte_t *root, *kernel_root = hhdm_ptr(kernel_space.root);
	struct mapping m;
	struct context c;
	bool good;

	if (context_create(&c) != OK)
		return false;
	root = hhdm_ptr(c.space.root);
	good = root[SHARED_SLOT].raw == kernel_root[SHARED_SLOT].raw && pte_present(root[SHARED_SLOT]);
	for (unsigned i = 0; i < SHARED_SLOT; i++)
		good &= root[i].raw == 0;
	good &= space_lookup(&c.space, (uintptr_t)root, &m) == ERR_NOT_FOUND;
	good &= space_lookup(&c.space, (uintptr_t)&trials, &m) == OK;
	context_destroy(&c);
	return good;
}

static uint64_t cr3_writes(void)
{
	return context_tlb_stats().cr3_writes;
}

/* Check that entering a context that is loaded already, and leaving it again, does not write CR3. */
static bool entering_twice_is_free(void)
{
	uint64_t before = cr3_writes(), inside;
	context_token_t outer = kernel_context_enter(), inner = kernel_context_enter();
	bool good = cr3_writes() == before;
	struct context c;

	kernel_context_leave(inner);
	kernel_context_leave(outer);
	good &= cr3_writes() == before && context_is_loaded(&kernel_context);
	if (context_create(&c) != OK)
		return false;
	outer = context_enter(&c);
	good &= context_is_loaded(&c);
	inner = kernel_context_enter();
	good &= context_is_loaded(&kernel_context);
	inside = cr3_writes();
	kernel_context_leave(kernel_context_enter());
	good &= cr3_writes() == inside;
	kernel_context_leave(inner);
	good &= context_is_loaded(&c);
	context_leave(outer);
	good &= context_is_loaded(&kernel_context) && cr3_writes() == before + 4;
	context_destroy(&c);
	return good;
}

static bool trap_was_in_kernel;

static bool note_trap(struct trap_frame *frame)
{
	context_token_t token = kernel_context_enter();

	(void)frame;
	trap_was_in_kernel = context_is_loaded(&kernel_context);
	kernel_context_leave(token);
	return true;
}

/*
 * Check that a trap's handler can enter the kernel context, and that the interrupted context is loaded when it returns.
 */
static bool survives_a_trap(void)
{
	struct context c;
	bool good;

	if (context_create(&c) != OK)
		return false;
	trap_set_handler(TRAP_BP, note_trap);
	for (int in_kernel = 0; in_kernel < 2; in_kernel++) {
		context_token_t outer = context_enter(&c), inner = { 0 };

		if (in_kernel)
			inner = kernel_context_enter();
		trap_was_in_kernel = false;
		cpu_breakpoint();
		good = trap_was_in_kernel && context_is_loaded(in_kernel ? &kernel_context : &c);
		if (in_kernel)
			kernel_context_leave(inner);
		context_leave(outer);
		if (!good)
			break;
	}
	trap_set_handler(TRAP_BP, NULL);
	context_destroy(&c);
	return good;
}

/* Check that each context sees its own page at PAGE_VA, also after its PCID has been given to another context. */
static bool memory_is_private(void)
{
	unsigned begun = 0;
	bool good = true;

	while (begun < MANY && trial_begin(&trials[begun], 0x1000 + begun))
		begun++;
	good = begun == MANY;
	for (int round = 0; round < 3; round++)
		for (unsigned i = 0; i < begun; i++)
			good &= trial_read(&trials[i]) == trials[i].number;
	while (begun)
		trial_end(&trials[--begun]);
	return good;
}

/*
 * Replace a page of a context while another context is loaded, and check that the context then sees the new page, so
 * that no TLB entry of the old one is left. In the first rounds the unmapping frees the page tables, too; from the
 * sixth round on a neighbouring page is mapped, so the tables stay.
 */
static bool changes_from_outside_are_seen(void)
{
	struct trial *t = &trials[0], *other = &trials[1];
	bool good = true;

	if (!trial_begin(t, 1))
		return false;
	if (!trial_begin(other, 2)) {
		trial_end(t);
		return false;
	}
	for (uint64_t number = 10; good && number < 20; number++) {
		if (number == 15)
			good = space_map(&t->context.space, PAGE_VA + PAGE_SIZE, other->page, 1, PROT_R) == OK;
		good &= trial_read(t) == t->number && trial_read(other) == other->number;
		if (!trial_unmap(t) || !trial_map(t, number))
			panic("context self-test: a page cannot be exchanged");
		good &= trial_read(t) == number;
	}
	trial_end(other);
	trial_end(t);
	return good;
}

/* Check that the heap grows and shrinks while a user context is loaded, and that all contexts map its memory. */
static bool heap_works_everywhere(void)
{
	const size_t size = 5 << 20;
	context_token_t token;
	struct context c;
	uint64_t *block;
	bool good;

	if (context_create(&c) != OK)
		return false;
	token = context_enter(&c);
	block = kmalloc(size);
	good = block && context_is_loaded(&c);
	if (block)
		block[0] = block[size / 8 - 1] = 7;
	context_leave(token);
	good &= block && block[0] == 7 && block[size / 8 - 1] == 7;
	token = context_enter(&c);
	kfree(block);
	good &= context_is_loaded(&c);
	context_leave(token);
	context_destroy(&c);
	return good;
}

/* Check that log_info() works in a context that does not map the screen, on which the log is shown. */
static bool can_speak_inside(void)
{
	context_token_t token;
	struct context c;
	bool good;

	if (context_create(&c) != OK)
		return false;
	token = context_enter(&c);
	log_info("# said in a context without a screen\n");
	good = context_is_loaded(&c);
	context_leave(token);
	context_destroy(&c);
	return good;
}

static const struct selftest tests[] = {
	{ "something can be said in any", can_speak_inside },
	{ "creating takes one frame", create_takes_one_frame },
	{ "slot 511 and nothing else", has_slot_511_only },
	{ "entering twice is free", entering_twice_is_free },
	{ "survives a trap", survives_a_trap },
	{ "memory is private", memory_is_private },
	{ "changes from outside are seen", changes_from_outside_are_seen },
	{ "the heap grows in any", heap_works_everywhere },
};

SELFTEST_SUITE(context, tests);
