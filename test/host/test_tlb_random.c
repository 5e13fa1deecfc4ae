/*
 * Three million random operations: contexts come and go, are switched to, entered, left and changed, and after each
 * no answer of a TLB that forgets nothing may be stale. Then the same with something broken on
 * purpose, which must be found. SEED repeats a run, TLB_OPERATIONS changes its length.
 */
#include "paging/layout.h"
#include "test/host/paging_expect.h"
#include "test/host/random.h"
#include "test/host/tlb_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define OPERATIONS 3000000ULL
#define CONTEXTS   90 /* more than PCIDs */
#define TOKENS     4
#define MUTANT_MAX 400000ULL /* operations in which a broken flush must be found */

/* What the rest of the kernel could get wrong, beside the faults of the model's instructions. */
enum mutant {
	MUTANT_NONE,
	MUTANT_DEBTS,   /* it is forgotten which PCIDs must be flushed at their next load */
	MUTANT_GLOBAL,  /* the flush does not know that a leaf was global */
	MUTANT_TABLES,  /* the flush does not know of dropped tables */
	MUTANT_EARLY,   /* tables are given back before the flush */
	MUTANT_RESTORE, /* a CR3 value that was kept is loaded as it is, without a flush */
};

/* Beginnings of the ranges that are mapped, all on 2 MiB; the last two of a context are neighbours in one PDPT. */
static const uint64_t user_bases[] = { 0x400000, 0x40000000, 0x40200000 };
static const uint64_t kernel_bases[] = { MMIO_BASE, HEAP_BASE, HEAP_BASE + (1 << 30),
					 HEAP_BASE + (1 << 30) + (1 << 21) };
/* Pages of them that are looked at. */
static const unsigned pages_seen[] = { 0, 1, 2, 3, 31, 32, 63, 511 };

static struct random rng;
static struct tlb tlb;
static struct tlb_model model;
static struct context kernel, users[CONTEXTS];
static bool alive[CONTEXTS];
static struct context *loaded; /* as the program believes */
static struct {
	uint64_t cr3;
	struct context *c;
} tokens[TOKENS];
static size_t token_count;
static enum mutant mutant;
static struct tlb_entry stale;

static struct context *random_context(void)
{
	size_t i = random_below(&rng, CONTEXTS + CONTEXTS / 4);

	return i < CONTEXTS && alive[i] ? &users[i] : &kernel;
}

static uint64_t random_base(const struct context *c)
{
	return c == &kernel ? kernel_bases[random_below(&rng, 4)] : user_bases[random_below(&rng, 3)];
}

static uint64_t seen_page(uint64_t base)
{
	return base + pages_seen[random_below(&rng, 8)] * K4;
}

/* An address that the loaded context may map: its own ranges and slot 511. */
static uint64_t random_address(void)
{
	return seen_page(random_below(&rng, 2) ? random_base(&kernel) : random_base(loaded));
}

static bool access_is_right(uint64_t va)
{
	return tlb_model_access(va + random_below(&rng, K4), &stale);
}

/* ---- contexts come and go ---- */

static void create(struct context *c)
{
	static uint64_t last_id;

	*c = (struct context){ .space = new_space(2), .id = c == &kernel ? 0 : ++last_id };
	if (c != &kernel)
		space_share(&c->space, &kernel.space, SHARED_SLOT);
}

static bool has_token(const struct context *c)
{
	for (size_t i = 0; i < token_count; i++)
		if (tokens[i].c == c)
			return true;
	return false;
}

static void destroy(struct context *c)
{
	space_clear(&c->space, 0, 512);
	alive[c - users] = false;
}

static void create_or_destroy(void)
{
	size_t i = random_below(&rng, CONTEXTS);

	if (!alive[i]) {
		create(&users[i]);
		alive[i] = true;
	} else if (loaded != &users[i] && !has_token(&users[i]) && random_below(&rng, 2)) {
		destroy(&users[i]);
	}
}

/* ---- switches ---- */

static void load(struct context *c)
{
	tlb_load(&tlb, c);
	loaded = c;
}

static void restore(uint64_t cr3)
{
	if (mutant == MUTANT_RESTORE && tlb.pcids)
		tlb.ops->write_cr3(cr3 | CR3_NOFLUSH);
	else
		tlb_restore(&tlb, cr3);
}

static void enter_or_leave(void)
{
	if (token_count < TOKENS && random_below(&rng, 2)) {
		tokens[token_count].cr3 = tlb_model->cr3;
		tokens[token_count++].c = loaded;
		load(random_below(&rng, 2) ? &kernel : random_context());
	} else if (token_count) {
		restore(tokens[--token_count].cr3);
		loaded = tokens[token_count].c;
	}
}

/* ---- changes ---- */

static enum page_prot random_rights(uint64_t va)
{
	static const enum page_prot rights[] = { PROT_R, PROT_W, PROT_X };
	enum page_prot prot = rights[random_below(&rng, 3)];

	if (va >= HEAP_BASE)
		return prot | PROT_GLOBAL;
	return va >> 63 ? prot : prot | PROT_USER;
}

/* One operation on `c`. Its refusal is no matter: then nothing has changed. */
static void change(struct context *c, struct tlb_flush *flush)
{
	static const size_t sizes[] = { 1, 1, 2, 4, 33, 64, 512, 1024 };
	uint64_t base = random_base(c), va = random_below(&rng, 3) ? seen_page(base) : base;
	size_t pages = sizes[random_below(&rng, 8)];
	uint64_t pa =
		random_below(&rng, 2) ? random_below(&rng, 1 << 20) * K4 : random_below(&rng, 1 << 10) * M2 + va % M2;
	enum status status;

	/* Stay in the ranges: the neighbour's end is the last. */
	if (pages * K4 > M2 - va % M2)
		pages = (M2 - va % M2) / K4;
	switch (random_below(&rng, 8)) {
	case 0:
	case 1:
	case 2:
		status = space_map(&c->space, va, paddr(pa), pages, random_rights(va));
		break;
	case 3:
	case 4:
	case 5:
		status = space_unmap(&c->space, va, pages, flush);
		break;
	case 6:
		status = space_protect(&c->space, va, pages, random_rights(va), flush);
		break;
	default:
		status = space_split(&c->space, va, 1, flush);
	}
	(void)status;
}

static void run_flush(struct context *c, struct tlb_flush *flush)
{
	struct tlb_flush told = *flush;

	if (mutant == MUTANT_GLOBAL)
		told.global = false;
	if (mutant == MUTANT_TABLES)
		told.tables = paddr(0);
	if (mutant == MUTANT_EARLY)
		space_release(&c->space, flush);
	/* The CPU looks ahead when it likes, also between the change and the flush. */
	tlb_model_touch(random_address());
	(void)tlb_flush_run(&tlb, c, &told);
	if (mutant == MUTANT_DEBTS)
		for (size_t i = 0; i < TLB_PCIDS; i++)
			if (tlb.slots[i].context) {
				tlb.slots[i].generation = tlb.slots[i].context->generation;
				tlb.slots[i].shared = tlb.shared;
			}
	space_release(&c->space, flush);
}

static void change_and_flush(void)
{
	struct context *c = random_below(&rng, 2) ? loaded : random_context();
	struct tlb_flush flush = TLB_FLUSH_NONE;

	change(c, &flush);
	if (random_below(&rng, 8) == 0)
		change(c, &flush);
	run_flush(c, &flush);
}

static bool one_operation(void)
{
	switch (random_below(&rng, 16)) {
	case 0:
		create_or_destroy();
		break;
	case 1:
	case 2:
		load(random_context());
		break;
	case 3:
	case 4:
	case 5:
		enter_or_leave();
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		change_and_flush();
		break;
	default:
		break;
	}
	if ((tlb_model->cr3 & PTE_ADDRESS) != loaded->space.root.raw)
		return false;
	return access_is_right(random_address()) && !tlb_model->freed_walks;
}

/* ---- runs ---- */

enum mode { PLAIN, PCIDS, INVPCIDS };

static void begin(enum mode mode)
{
	memset(alive, 0, sizeof(alive));
	token_count = 0;
	create(&kernel);
	assert_int_equal(space_pin(&kernel.space, SHARED_SLOT), OK);
	loaded = &kernel;
	tlb_model_init(&model, &arena, kernel.space.root.raw);
	tlb = (struct tlb){ .ops = mode == INVPCIDS ? &tlb_model_invpcid_ops : &tlb_model_ops, .kernel = &kernel };
	if (mode != PLAIN) {
		tlb_model->pcids = true;
		tlb_start_pcids(&tlb);
	}
}

static void end(void)
{
	token_count = 0;
	load(&kernel);
	for (size_t i = 0; i < CONTEXTS; i++)
		if (alive[i])
			destroy(&users[i]);
	arena_table(&arena, kernel.space.root.raw)[SHARED_SLOT] &= ~PTE_PINNED;
	end_space(&kernel.space);
	assert_int_equal(arena.used, 0);
}

/* Returns the operation after which something stale was found, or `operations`. */
static uint64_t run(enum mode mode, uint64_t operations)
{
	uint64_t done = 0;

	begin(mode);
	while (done < operations && one_operation())
		done++;
	return done;
}

static void run_clean(enum mode mode)
{
	const char *given = getenv("TLB_OPERATIONS");
	uint64_t operations = (given ? strtoull(given, NULL, 0) : OPERATIONS) / 3 + 1, done;

	rng = random_start("tlb");
	done = run(mode, operations);
	if (done < operations)
		fail_msg(
			"operation %llu: the %s for %#llx, level %d, target %#llx is stale; %llu walks of freed tables",
			(unsigned long long)done, stale.leaf ? "leaf" : "table", (unsigned long long)stale.va,
			stale.level, (unsigned long long)stale.target, (unsigned long long)tlb_model->freed_walks);
	printf("tlb: %llu operations, %llu accesses with %llu answers cached; %llu CR3 writes, %llu flushed; "
	       "%llu INVLPG, %llu INVPCID, %llu full, %llu deferred, %llu deals\n",
	       (unsigned long long)done, (unsigned long long)tlb_model->accesses, (unsigned long long)tlb_model->hits,
	       (unsigned long long)tlb.stats.cr3_writes, (unsigned long long)tlb.stats.cr3_flushes,
	       (unsigned long long)tlb.stats.pages, (unsigned long long)tlb.stats.pages_of,
	       (unsigned long long)tlb.stats.full_flushes, (unsigned long long)tlb.stats.deferred,
	       (unsigned long long)tlb.stats.deals);
	end();
}

static void test_plain(void **state)
{
	(void)state;
	run_clean(PLAIN);
	assert_int_equal(tlb.stats.cr3_writes, tlb.stats.cr3_flushes);
	assert_int_equal(tlb.stats.deals, 0);
}

static void test_pcids(void **state)
{
	(void)state;
	run_clean(PCIDS);
	assert_true(tlb.stats.cr3_flushes < tlb.stats.cr3_writes);
	assert_int_equal(tlb.stats.pages_of, 0);
}

static void test_invpcid(void **state)
{
	(void)state;
	run_clean(INVPCIDS);
	assert_true(tlb.stats.cr3_flushes < tlb.stats.cr3_writes);
	assert_true(tlb.stats.pages_of > 0);
}

/* Broken on purpose: the model must find it, or "0 stale uses" above would mean nothing. */
static void test_mutants(void **state)
{
	static const struct {
		const char *name;
		enum mode mode;
		enum tlb_fault fault;
		enum mutant mutant;
	} table[] = {
		{ "INVLPG does nothing", PLAIN, TLB_FAULT_PAGE, MUTANT_NONE },
		{ "INVLPG does nothing, with PCIDs", INVPCIDS, TLB_FAULT_PAGE, MUTANT_NONE },
		{ "INVPCID does nothing", INVPCIDS, TLB_FAULT_PAGE_OF, MUTANT_NONE },
		{ "full flush does nothing", PLAIN, TLB_FAULT_ALL, MUTANT_NONE },
		{ "full flush does nothing, with PCIDs", PCIDS, TLB_FAULT_ALL, MUTANT_NONE },
		{ "CR3 writes do not flush", PLAIN, TLB_FAULT_NOFLUSH, MUTANT_NONE },
		{ "CR3 writes do not flush, with PCIDs", PCIDS, TLB_FAULT_NOFLUSH, MUTANT_NONE },
		{ "CR3 writes spare tables", PLAIN, TLB_FAULT_SPARE_PSC, MUTANT_NONE },
		{ "debts are lost", PCIDS, TLB_FAULT_NONE, MUTANT_DEBTS },
		{ "debts are lost, with INVPCID", INVPCIDS, TLB_FAULT_NONE, MUTANT_DEBTS },
		{ "global is forgotten", PLAIN, TLB_FAULT_NONE, MUTANT_GLOBAL },
		{ "global is forgotten, with PCIDs", PCIDS, TLB_FAULT_NONE, MUTANT_GLOBAL },
		{ "dropped tables are forgotten", PCIDS, TLB_FAULT_NONE, MUTANT_TABLES },
		{ "tables are freed early", PLAIN, TLB_FAULT_NONE, MUTANT_EARLY },
		{ "CR3 is restored blindly", PCIDS, TLB_FAULT_NONE, MUTANT_RESTORE },
	};

	(void)state;
	rng = random_start("tlb mutants");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t done;

		arena_destroy(&arena);
		arena_init(&arena);
		mutant = table[i].mutant;
		begin(table[i].mode);
		tlb_model->fault = table[i].fault;
		for (done = 0; done < MUTANT_MAX && one_operation(); done++)
			;
		printf("tlb: %s: found after %llu operations\n", table[i].name, (unsigned long long)done);
		if (done == MUTANT_MAX)
			fail_msg("%s: not found", table[i].name);
		mutant = MUTANT_NONE;
	}
	arena_destroy(&arena);
	arena_init(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, fresh_arena, check_arena),
		cmocka_unit_test_setup_teardown(test_pcids, fresh_arena, check_arena),
		cmocka_unit_test_setup_teardown(test_invpcid, fresh_arena, check_arena),
		cmocka_unit_test_setup_teardown(test_mutants, fresh_arena, check_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
