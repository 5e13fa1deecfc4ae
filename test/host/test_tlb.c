/*
 * Which invalidation comes of which change, one by one; and which CPUs may use PCIDs. test_tlb_random.c shows that
 * nothing is forgotten, this that nothing is overdone.
 */
#include "kernel/arch/pcid.h"
#include "kernel/mm/space/tlb.h"
#include "paging/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t cr3;
static unsigned pages, pages_of, last_pcid, alls;
static vaddr_t last_va;

static uint64_t read_cr3(void)
{
	return cr3 & ~CR3_NOFLUSH;
}

static void write_cr3(uint64_t value)
{
	cr3 = value;
}

static void flush_page(vaddr_t va)
{
	pages++;
	last_va = va;
}

static void flush_page_of(unsigned pcid, vaddr_t va)
{
	pages_of++;
	last_pcid = pcid;
	last_va = va;
}

static void flush_all(void)
{
	alls++;
}

static const struct tlb_ops ops = { read_cr3, write_cr3, flush_page, NULL, flush_all };
static const struct tlb_ops invpcid_ops = { read_cr3, write_cr3, flush_page, flush_page_of, flush_all };

static struct context kernel, a, b;
static struct tlb tlb;

static int fresh(void **state)
{
	(void)state;
	kernel = (struct context){ .space = { .root = { 0x100001000 } } };
	a = (struct context){ .space = { .root = { 0x100002000 } }, .id = 1 };
	b = (struct context){ .space = { .root = { 0x100003000 } }, .id = 2 };
	tlb = (struct tlb){ .ops = &ops, .kernel = &kernel };
	cr3 = kernel.space.root.raw;
	pages = pages_of = alls = 0;
	return 0;
}

static struct tlb_flush flush_of(vaddr_t va, size_t count, bool global)
{
	return (struct tlb_flush){ .start = va, .last = va + count * PAGE_SIZE - 1, .leaves = count, .global = global };
}

static void run(struct context *c, struct tlb_flush flush)
{
	pages = pages_of = alls = 0;
	(void)tlb_flush_run(&tlb, c, &flush);
}

/* Runs a flush and fails unless it takes so many INVLPG, INVPCID and full flushes, and CR3 writes. */
static void expect(struct context *c, struct tlb_flush flush, unsigned want_pages, unsigned want_pages_of,
		   unsigned want_alls, unsigned want_writes)
{
	uint64_t writes = tlb.stats.cr3_writes;

	run(c, flush);
	assert_int_equal(pages, want_pages);
	assert_int_equal(pages_of, want_pages_of);
	assert_int_equal(alls, want_alls);
	assert_int_equal(tlb.stats.cr3_writes - writes, want_writes);
}

static void test_plain_switch(void **state)
{
	(void)state;
	tlb_load(&tlb, &kernel);
	assert_int_equal(tlb.stats.cr3_writes, 0);
	tlb_load(&tlb, &a);
	assert_int_equal(cr3, a.space.root.raw);
	tlb_restore(&tlb, kernel.space.root.raw);
	assert_int_equal(cr3, kernel.space.root.raw);
	tlb_restore(&tlb, kernel.space.root.raw);
	assert_int_equal(tlb.stats.cr3_writes, 2);
	assert_int_equal(tlb.stats.cr3_flushes, 2);
}

static void test_plain_flush(void **state)
{
	(void)state;
	expect(&kernel, TLB_FLUSH_NONE, 0, 0, 0, 0);
	expect(&kernel, flush_of(MMIO_BASE, 3, false), 3, 0, 0, 0);
	assert_int_equal(last_va, MMIO_BASE + 2 * PAGE_SIZE);
	expect(&kernel, flush_of(MMIO_BASE, TLB_PAGES_MAX, false), TLB_PAGES_MAX, 0, 0, 0);
	expect(&kernel, flush_of(MMIO_BASE, TLB_PAGES_MAX + 1, false), 0, 0, 0, 1);
	expect(&kernel, flush_of(HEAP_BASE, 2, true), 2, 0, 0, 0);
	expect(&kernel, flush_of(HEAP_BASE, TLB_PAGES_MAX + 1, true), 0, 0, 1, 0);
	/* The last page of all: the range ends at 2^64. */
	expect(&kernel, flush_of(-PAGE_SIZE, 1, true), 1, 0, 0, 0);
	/* Not loaded: its entries went with the last CR3 write. */
	expect(&a, flush_of(0x1000, 100, false), 0, 0, 0, 0);
	/* A table without a leaf says no range. */
	expect(&kernel, (struct tlb_flush){ .start = ~0ULL, .tables = { 0x100005000 } }, 0, 0, 0, 1);
	assert_int_equal(tlb.stats.deferred, 0);
}

static void test_pcid_switch(void **state)
{
	uint64_t kernel_cr3 = kernel.space.root.raw | 1, a_cr3;

	(void)state;
	tlb_start_pcids(&tlb);
	assert_int_equal(cr3, kernel_cr3);
	tlb_load(&tlb, &a);
	a_cr3 = cr3;
	assert_int_equal(a_cr3 & ~CR3_PCID, a.space.root.raw);
	assert_true((a_cr3 & CR3_PCID) > 1);
	/* Known ones are loaded with all that the TLB has of them. */
	tlb_load(&tlb, &kernel);
	assert_int_equal(cr3, kernel_cr3 | CR3_NOFLUSH);
	tlb_restore(&tlb, a_cr3);
	assert_int_equal(cr3, a_cr3 | CR3_NOFLUSH);
	assert_int_equal(tlb.stats.deals, 2);
	assert_int_equal(tlb.stats.cr3_flushes, 2);
}

/* A context that was changed from outside is flushed by its next load, and only by that. */
static void test_pcid_debt(void **state)
{
	uint64_t a_cr3;

	(void)state;
	tlb_start_pcids(&tlb);
	tlb_load(&tlb, &a);
	a_cr3 = cr3;
	tlb_load(&tlb, &kernel);
	expect(&a, flush_of(0x1000, 1, false), 0, 0, 0, 0);
	expect(&a, flush_of(0x5000, 1, false), 0, 0, 0, 0);
	assert_int_equal(tlb.stats.deferred, 1);
	tlb_load(&tlb, &a);
	assert_int_equal(cr3, a_cr3);
	tlb_load(&tlb, &kernel);
	tlb_load(&tlb, &a);
	assert_int_equal(cr3, a_cr3 | CR3_NOFLUSH);
	/* It has none while it is loaded: done at once. */
	expect(&a, flush_of(0x1000, 2, false), 2, 0, 0, 0);
	expect(&a, flush_of(0x1000, 500, false), 0, 0, 0, 1);
	assert_int_equal(tlb.stats.deferred, 1);
}

static void test_invpcid(void **state)
{
	struct tlb_flush flush = flush_of(0x1000, 2, false);
	unsigned a_pcid;

	(void)state;
	tlb.ops = &invpcid_ops;
	tlb_start_pcids(&tlb);
	tlb_load(&tlb, &a);
	a_pcid = cr3 & CR3_PCID;
	tlb_load(&tlb, &kernel);
	expect(&a, flush, 0, 2, 0, 0);
	assert_int_equal(last_pcid, a_pcid);
	assert_int_equal(last_va, 0x2000);
	/* Nobody has entries of a context that was never loaded. */
	expect(&b, flush, 0, 0, 0, 0);
	assert_int_equal(tlb.stats.deferred, 0);
	/* With tables among it everything of the context goes, later; after that single pages need no word. */
	flush.tables = paddr(0x100005000);
	expect(&a, flush, 0, 0, 0, 0);
	assert_int_equal(tlb.stats.deferred, 1);
	expect(&a, flush_of(0x9000, 1, false), 0, 0, 0, 0);
}

/* What is walked in every context is flushed in every context; global leaves alone go at once. */
static void test_shared_slot(void **state)
{
	struct tlb_flush flush = flush_of(HEAP_BASE, 1, true);

	(void)state;
	tlb_start_pcids(&tlb);
	tlb_load(&tlb, &a);
	tlb_load(&tlb, &b);
	tlb_load(&tlb, &kernel);
	expect(&kernel, flush, 1, 0, 0, 0);
	tlb_load(&tlb, &a);
	assert_true(cr3 & CR3_NOFLUSH);
	tlb_load(&tlb, &kernel);
	flush.tables = paddr(0x100005000);
	expect(&kernel, flush, 1, 0, 0, 0);
	tlb_load(&tlb, &b);
	assert_false(cr3 & CR3_NOFLUSH);
	tlb_load(&tlb, &kernel);
	assert_true(cr3 & CR3_NOFLUSH);
	/* After a flush of everything nobody needs another. */
	expect(&kernel, flush_of(HEAP_BASE, 100, true), 0, 0, 1, 0);
	tlb_load(&tlb, &a);
	assert_true(cr3 & CR3_NOFLUSH);
	tlb_load(&tlb, &kernel);
	/* The MMIO window is the kernel context's alone. */
	expect(&kernel, flush_of(MMIO_BASE, 1, false), 1, 0, 0, 0);
	tlb_load(&tlb, &b);
	assert_true(cr3 & CR3_NOFLUSH);
}

/* A CR3 value that still names a PCID which has another context's entries is loaded without them. */
static void test_common_pcid(void **state)
{
	struct context far = { .space = { .root = { 0x100004000 } }, .id = a.id + TLB_USER_PCIDS };
	uint64_t a_cr3, far_cr3;

	(void)state;
	tlb_start_pcids(&tlb);
	tlb_load(&tlb, &a);
	a_cr3 = cr3;
	tlb_load(&tlb, &b);
	assert_int_not_equal(cr3 & CR3_PCID, a_cr3 & CR3_PCID);
	tlb_load(&tlb, &a);
	assert_int_equal(cr3, a_cr3 | CR3_NOFLUSH);
	tlb_load(&tlb, &far);
	far_cr3 = cr3;
	assert_int_equal(far_cr3 & CR3_PCID, a_cr3 & CR3_PCID);
	assert_false(far_cr3 & CR3_NOFLUSH);
	tlb_load(&tlb, &kernel);
	tlb_restore(&tlb, a_cr3);
	assert_int_equal(cr3, a.space.root.raw);
	/* Loaded with PCID 0, a context leaves nothing behind that its own PCID would have to forget. */
	expect(&a, flush_of(0x1000, 1, false), 1, 0, 0, 0);
	tlb_restore(&tlb, far_cr3);
	assert_int_equal(cr3, far_cr3 | CR3_NOFLUSH);
	tlb_load(&tlb, &a);
	assert_false(cr3 & CR3_NOFLUSH);
}

/* What comes after a context that is gone gets nothing of it, though all but its id be the same. */
static void test_reborn(void **state)
{
	(void)state;
	tlb_start_pcids(&tlb);
	tlb_load(&tlb, &a);
	tlb_load(&tlb, &kernel);
	a.id += TLB_USER_PCIDS;
	tlb_load(&tlb, &a);
	assert_false(cr3 & CR3_NOFLUSH);
}

/* One of `others` changes what the CPU has loaded, or not; what it is told of, it serves. */
static void test_message(void **state)
{
	struct tlb other = { .ops = &ops, .kernel = &kernel };
	struct tlb_flush flush = flush_of(0x1000, 2, false);
	struct tlb_message first, second;
	uint64_t a_cr3;

	(void)state;
	tlb_start_pcids(&other);
	tlb_start_pcids(&tlb);
	tlb_load(&tlb, &a);
	a_cr3 = cr3;
	cr3 = kernel.space.root.raw;
	first = tlb_flush_run(&other, &a, &flush);
	second = tlb_flush_run(&other, &a, &flush);
	assert_true(tlb_concerns(&tlb, &first));
	assert_false(tlb_concerns(&other, &first));
	cr3 = a_cr3;
	pages = 0;
	/* The second overtakes the first: after it the entries are right as of neither. */
	tlb_serve(&tlb, &second);
	assert_int_equal(pages, 2);
	tlb_serve(&tlb, &first);
	tlb_load(&tlb, &kernel);
	tlb_load(&tlb, &a);
	assert_int_equal(cr3, a_cr3);
	/* One alone, in its turn, leaves nothing to flush. */
	first = (struct tlb_message){ .context = &a, .generation = ++a.generation, .flush = &flush };
	tlb_serve(&tlb, &first);
	tlb_load(&tlb, &kernel);
	tlb_load(&tlb, &a);
	assert_int_equal(cr3, a_cr3 | CR3_NOFLUSH);
	/* Not loaded: nothing is said, and the next load flushes. */
	tlb_load(&tlb, &kernel);
	first.generation = ++a.generation;
	assert_false(tlb_concerns(&tlb, &first));
	tlb_load(&tlb, &a);
	assert_int_equal(cr3, a_cr3);
	/* Slot 511 concerns everybody. */
	flush = flush_of(HEAP_BASE, 1, true);
	first.context = &kernel;
	assert_true(tlb_concerns(&tlb, &first));
	flush.leaves = 0;
	assert_false(tlb_concerns(&tlb, &first));
}

/* Intel errata ADL063 and RPL042. */
static void test_sound_cpus(void **state)
{
	struct cpu_features f = { .vendor = "GenuineIntel", .family = 6, .model = 0x8c, .pcid = true, .pge = true };

	(void)state;
	assert_true(pcid_is_sound(&f, 0));
	f.pcid = false;
	assert_false(pcid_is_sound(&f, UINT32_MAX));
	f.pcid = true;
	f.model = 0x97;
	assert_false(pcid_is_sound(&f, 0x2d));
	assert_true(pcid_is_sound(&f, 0x2e));
	f.model = 0xba;
	assert_false(pcid_is_sound(&f, 0x4116));
	assert_true(pcid_is_sound(&f, 0x4117));
	strcpy(f.vendor, "AuthenticAMD");
	assert_true(pcid_is_sound(&f, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain_switch, fresh), cmocka_unit_test_setup(test_plain_flush, fresh),
		cmocka_unit_test_setup(test_pcid_switch, fresh),  cmocka_unit_test_setup(test_pcid_debt, fresh),
		cmocka_unit_test_setup(test_invpcid, fresh),      cmocka_unit_test_setup(test_shared_slot, fresh),
		cmocka_unit_test_setup(test_common_pcid, fresh),  cmocka_unit_test_setup(test_reborn, fresh),
		cmocka_unit_test_setup(test_message, fresh),      cmocka_unit_test(test_sound_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
