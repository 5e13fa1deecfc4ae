/*
 * Four CPUs, each with a TLB that forgets nothing, load, leave and change the same few contexts at once. Each CPU is a
 * fiber, and at every access to what CPUs share another one may go on: an order of steps that real CPUs could come to.
 * An access must find what the tables say, unless a change of that range is still being made known; and no CPU may walk
 * a table that was given back. The same with the protocol broken on purpose, which must be found.
 *
 * Who may do what when is told in kernel/mm/space/tlb.h; this file has the other half, which sends messages and waits.
 */
#include "paging/layout.h"
#include "test/host/paging_expect.h"
#include "test/host/random.h"
#include "test/host/tlb_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#define CPUS         4
#define STEPS        10000000ULL /* accesses to what the CPUs share, in all modes together; TLB_STEPS changes it */
#define MUTANT_STEPS 40000000ULL /* in which a broken protocol must be found */
#define CONTEXTS     5
#define TOKENS       3
#define FIBER_STACK  (256 << 10)
#define USER_START   0x400000
#define PAGES_IN_USE 4 /* of each range, so that the CPUs meet */

enum mode { PLAIN, PCIDS, INVPCIDS, MODES };

enum mutant {
	MUTANT_NONE,
	MUTANT_NOW,     /* serving a message brings a PCID to the context's generation of now */
	MUTANT_EARLY,   /* whom to tell is asked before the generation is counted */
	MUTANT_NO_WAIT, /* the change is over when the messages are sent */
	MUTANT_OPEN,    /* messages are served in the middle of a load */
	MUTANT_LATE,    /* other CPUs learn what a CPU loads only when it writes CR3, as without a fence */
	MUTANT_GONE,    /* a load that begins ends the announcement of what is loaded until then */
	MUTANT_DEAF,    /* one CPU's INVLPG does nothing */
};

/* A message on its way: each CPU that serves it counts `left` down. */
struct parcel {
	struct tlb_message message;
	struct tlb_flush flush;
	unsigned left;
};

struct token {
	uint64_t cr3;
	struct context *context;
};

static struct cpu {
	struct tlb tlb;
	struct tlb_model model;
	ucontext_t fiber;
	char *stack;
	struct context *loaded; /* as the program believes */
	struct token tokens[TOKENS];
	unsigned token_count;
	bool in_load, in_nmi;
	uint64_t hidden; /* MUTANT_LATE: what `loading` becomes when CR3 is written */
	struct parcel *mail[CPUS * 4];
	unsigned mail_count;
	struct context *changing; /* the context of a change that is not over; the range is `first` to `last` */
	uint64_t first, last;
	struct parcel parcel;
} cpus[CPUS], *now;

static struct context kernel, users[CONTEXTS];
static bool alive[CONTEXTS];
static unsigned uses[CONTEXTS];                /* by CPUs that have it loaded, tokens and changes */
static const struct cpu *holder[CONTEXTS + 1]; /* who changes the tables of it: its lock; the last is the kernel's */
static struct random rng;
static enum mutant mutant;
static ucontext_t test_fiber;
static uint64_t steps, most_steps;
static char fault[200]; /* what was found; empty: nothing */

static void stop(void)
{
	struct cpu *cpu = now;

	swapcontext(&cpu->fiber, &test_fiber);
}

static void found(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!fault[0])
		vsnprintf(fault, sizeof(fault), format, arguments);
	va_end(arguments);
	stop();
}

/* ---- steps ---- */

static void run(struct cpu *cpu)
{
	struct cpu *before = now;

	if (cpu == now)
		return;
	now = cpu;
	tlb_model = &cpu->model;
	swapcontext(&before->fiber, &cpu->fiber);
}

static void serve(void)
{
	while (now->mail_count) {
		struct parcel *parcel = now->mail[--now->mail_count];
		const struct context *c = parcel->message.context;
		struct tlb_slot *slot = &now->tlb.slots[now->model.cr3 & CR3_PCID];

		tlb_serve(&now->tlb, &parcel->message);
		if (mutant == MUTANT_NOW && slot->context == c)
			slot->generation = c->generation;
		parcel->left--;
	}
}

static struct context *some_context(void);
static uint64_t some_address(const struct context *c);

/* Any other CPU may go on from here; messages come as far as interrupts are on. */
static void step(void)
{
	if (++steps >= most_steps)
		stop();
	if (!now->in_load || mutant == MUTANT_OPEN)
		serve();
	if (random_below(&rng, 2))
		run(&cpus[random_below(&rng, CPUS)]);
	if (random_below(&rng, 4) == 0)
		tlb_model_touch(some_address(now->loaded));
}

/* Code that an NMI runs enters the kernel context, and leaves it, wherever it has come. */
static void maybe_nmi(void)
{
	uint64_t cr3 = now->model.cr3;
	bool in_load = now->in_load;

	if (now->in_nmi || random_below(&rng, 50))
		return;
	now->in_nmi = now->in_load = true;
	tlb_load(&now->tlb, &kernel);
	tlb_model_touch(some_address(&kernel));
	tlb_restore(&now->tlb, cr3);
	now->in_nmi = false;
	now->in_load = in_load;
}

static void step_in_tlb(void)
{
	struct tlb *t = &now->tlb;

	if (mutant == MUTANT_LATE && now->in_load && !now->in_nmi && !now->hidden && t->loading != t->loaded) {
		now->hidden = t->loading;
		t->loading = t->loaded;
	}
	if (mutant == MUTANT_GONE && now->in_load && !now->in_nmi)
		t->loaded = t->loading;
	step();
	if (mutant != MUTANT_LATE && mutant != MUTANT_GONE)
		maybe_nmi();
}

static uint64_t read_cr3(void)
{
	return tlb_model_ops.read_cr3();
}

static void write_cr3(uint64_t cr3)
{
	step_in_tlb();
	if (now->hidden)
		now->tlb.loading = now->hidden;
	now->hidden = 0;
	tlb_model_ops.write_cr3(cr3);
	step_in_tlb();
}

static void flush_page(vaddr_t va)
{
	step_in_tlb();
	if (mutant != MUTANT_DEAF || now != &cpus[0])
		tlb_model_ops.flush_page(va);
}

static void flush_page_of(unsigned pcid, vaddr_t va)
{
	step_in_tlb();
	tlb_model_invpcid_ops.flush_page_of(pcid, va);
}

static void flush_all(void)
{
	step_in_tlb();
	tlb_model_ops.flush_all();
}

static const struct tlb_ops ops = { read_cr3, write_cr3, flush_page, NULL, flush_all };
static const struct tlb_ops invpcid_ops = { read_cr3, write_cr3, flush_page, flush_page_of, flush_all };

/* ---- contexts ---- */

static size_t index_of(const struct context *c)
{
	return c == &kernel ? CONTEXTS : (size_t)(c - users);
}

static void use(struct context *c)
{
	if (c != &kernel)
		uses[index_of(c)]++;
}

static void end_use(struct context *c)
{
	if (c != &kernel)
		uses[index_of(c)]--;
}

static struct context *some_context(void)
{
	size_t i = random_below(&rng, CONTEXTS + 2);

	return i < CONTEXTS && alive[i] ? &users[i] : &kernel;
}

/* A page that the context maps now and then: of its own or, sometimes, of slot 511. */
static uint64_t some_address(const struct context *c)
{
	uint64_t page = random_below(&rng, PAGES_IN_USE) * K4;

	if (random_below(&rng, 3) == 0)
		return HEAP_BASE + page;
	return (c == &kernel ? MMIO_BASE : USER_START) + page;
}

static void lock(const struct context *c)
{
	while (holder[index_of(c)])
		step();
	holder[index_of(c)] = now;
}

static void unlock(const struct context *c)
{
	holder[index_of(c)] = NULL;
}

static void create_or_destroy(void)
{
	/* Ids with the same PCID, neighbours, and others. */
	static const unsigned strides[] = { 1, TLB_USER_PCIDS - 1, TLB_USER_PCIDS, 7 };
	static uint64_t last_id;
	size_t i = random_below(&rng, CONTEXTS);

	if (!alive[i]) {
		last_id += strides[random_below(&rng, 4)];
		users[i] = (struct context){ .space = new_space(2), .id = last_id };
		space_share(&users[i].space, &kernel.space, SHARED_SLOT);
		alive[i] = true;
	} else if (!uses[i]) {
		space_clear(&users[i].space, 0, 512);
		alive[i] = false;
	}
}

/* ---- loads ---- */

static void load(struct context *c)
{
	now->in_load = true;
	tlb_load(&now->tlb, c);
	now->loaded = c;
	now->in_load = false;
}

static void switch_to(struct context *c)
{
	struct context *before = now->loaded;

	use(c);
	load(c);
	end_use(before);
}

static void enter(struct context *c)
{
	now->tokens[now->token_count++] = (struct token){ now->model.cr3, now->loaded };
	use(c);
	load(c);
}

static void leave(void)
{
	struct token token = now->tokens[--now->token_count];
	struct context *before = now->loaded;

	now->in_load = true;
	tlb_restore(&now->tlb, token.cr3);
	now->loaded = token.context;
	now->in_load = false;
	end_use(before);
}

static void enter_or_leave(void)
{
	if (now->token_count < TOKENS && random_below(&rng, 2))
		enter(random_below(&rng, 2) ? &kernel : some_context());
	else if (now->token_count)
		leave();
}

/* ---- changes ---- */

static enum page_prot rights_at(uint64_t va)
{
	return (random_below(&rng, 2) ? PROT_R : PROT_W) | (va >= HEAP_BASE ? PROT_GLOBAL : va >> 63 ? 0 : PROT_USER);
}

/* Change the tables of `c` by one operation, whose refusal is no matter: then nothing has changed. */
static void change_tables(struct context *c, struct tlb_flush *flush)
{
	uint64_t va = some_address(c);
	size_t pages = 1 + random_below(&rng, PAGES_IN_USE - va / K4 % PAGES_IN_USE);
	enum status status;

	/* A context's own tables lead to slot 511, but only the kernel's context is changed there. */
	if (va >= HEAP_BASE && c != &kernel)
		va = USER_START + va % (PAGES_IN_USE * K4);
	/* The whole table's reach: a dropped table is gone from all of it. */
	now->first = va & ~(G1 - 1);
	now->last = now->first + G1 - 1;
	now->changing = c;
	switch (random_below(&rng, 4)) {
	case 0:
		status = space_protect(&c->space, va, pages, rights_at(va), flush);
		break;
	case 1:
		status = space_unmap(&c->space, va, pages, flush);
		break;
	default:
		status = space_map(&c->space, va, paddr(random_below(&rng, 1 << 20) * K4), pages, rights_at(va));
	}
	(void)status;
}

static void send(struct parcel *parcel, const bool *early)
{
	for (size_t i = 0; i < CPUS; i++) {
		struct cpu *to = &cpus[i];

		step();
		if (to == now || !(early ? early[i] : tlb_concerns(&to->tlb, &parcel->message)))
			continue;
		if (to->mail_count == CPUS * 4)
			abort();
		parcel->left++;
		to->mail[to->mail_count++] = parcel;
	}
}

/* Change a context as the kernel does: the tables under the lock, then everybody's TLB, then the tables' frames. */
static void change(struct context *c)
{
	struct parcel *parcel = &now->parcel;
	bool early[CPUS];

	use(c);
	lock(c);
	parcel->flush = TLB_FLUSH_NONE;
	change_tables(c, &parcel->flush);
	unlock(c);
	step();
	parcel->message = (struct tlb_message){ .context = c, .flush = &parcel->flush };
	for (size_t i = 0; i < CPUS; i++)
		early[i] = tlb_concerns(&cpus[i].tlb, &parcel->message);
	now->in_load = true;
	parcel->message = tlb_flush_run(&now->tlb, c, &parcel->flush);
	now->in_load = false;
	send(parcel, mutant == MUTANT_EARLY ? early : NULL);
	if (mutant == MUTANT_NO_WAIT)
		now->changing = NULL;
	while (parcel->left)
		step();
	now->changing = NULL;
	lock(c);
	space_release(&c->space, &parcel->flush);
	unlock(c);
	end_use(c);
}

/* ---- accesses ---- */

/* Return whether some CPU is still making known a change that concerns `va` as `c` maps it. */
static bool in_change(const struct context *c, uint64_t va)
{
	for (size_t i = 0; i < CPUS; i++) {
		const struct cpu *cpu = &cpus[i];

		if (cpu->changing && va >= cpu->first && va <= cpu->last && (cpu->changing == c || va >= HEAP_BASE))
			return true;
	}
	return false;
}

static void access(void)
{
	uint64_t va = some_address(now->loaded);
	struct tlb_entry stale;

	if ((now->model.cr3 & PTE_ADDRESS) != now->loaded->space.root.raw)
		found("CPU %zu has another context loaded than it believes", now - cpus);
	if (in_change(now->loaded, va))
		tlb_model_touch(va);
	else if (!tlb_model_access(va, &stale))
		found("CPU %zu, %#llx: the %s, level %d, target %#llx is stale", now - cpus, (unsigned long long)va,
		      stale.leaf ? "leaf" : "table", stale.level, (unsigned long long)stale.target);
	if (now->model.freed_walks)
		found("CPU %zu walked a table that had been given back", now - cpus);
}

/* ---- runs ---- */

static void live(void)
{
	for (;;) {
		switch (random_below(&rng, 8)) {
		case 0:
			create_or_destroy();
			break;
		case 1:
			switch_to(some_context());
			break;
		case 2:
		case 3:
			enter_or_leave();
			break;
		case 4:
			change(random_below(&rng, 2) ? now->loaded : some_context());
			break;
		default:
			access();
		}
		step();
	}
}

static void start_cpu(struct cpu *cpu, enum mode mode)
{
	char *stack = cpu->stack;

	memset(cpu, 0, sizeof(*cpu));
	cpu->stack = stack ? stack : malloc(FIBER_STACK);
	assert_non_null(cpu->stack);
	cpu->loaded = &kernel;
	cpu->tlb = (struct tlb){ .ops = &tlb_model_ops,
				 .kernel = &kernel,
				 .loaded = kernel.space.root.raw,
				 .loading = kernel.space.root.raw };
	tlb_model_init(&cpu->model, &arena, kernel.space.root.raw);
	if (mode != PLAIN) {
		cpu->model.pcids = true;
		tlb_start_pcids(&cpu->tlb);
	}
	cpu->tlb.ops = mode == INVPCIDS ? &invpcid_ops : &ops;
	getcontext(&cpu->fiber);
	cpu->fiber.uc_stack.ss_sp = cpu->stack;
	cpu->fiber.uc_stack.ss_size = FIBER_STACK;
	makecontext(&cpu->fiber, live, 0);
}

/* Return the steps after which something was found, or `count`. The CPUs end where they are. */
static uint64_t run_cpus(enum mode mode, uint64_t count)
{
	kernel = (struct context){ .space = new_space(2) };
	assert_int_equal(space_pin(&kernel.space, SHARED_SLOT), OK);
	memset(alive, 0, sizeof(alive));
	memset(uses, 0, sizeof(uses));
	memset(holder, 0, sizeof(holder));
	for (size_t i = 0; i < CPUS; i++)
		start_cpu(&cpus[i], mode);
	fault[0] = 0;
	steps = 0;
	most_steps = count;
	now = &cpus[0];
	tlb_model = &now->model;
	tlb_host_step = step_in_tlb;
	swapcontext(&test_fiber, &now->fiber);
	tlb_host_step = NULL;
	return steps;
}

static void test_cpus(void **state)
{
	static const char *const names[MODES] = { "no PCIDs", "PCIDs", "INVPCID" };
	const char *given = getenv("TLB_STEPS");
	uint64_t count = (given ? strtoull(given, NULL, 0) : STEPS) / MODES + 1;

	(void)state;
	rng = random_start("tlb cpus");
	for (enum mode mode = PLAIN; mode < MODES; mode++) {
		struct tlb_stats sum = { 0 };
		uint64_t done = run_cpus(mode, count), hits = 0, accesses = 0;

		if (fault[0])
			fail_msg("%s, step %llu: %s", names[mode], (unsigned long long)done, fault);
		for (size_t i = 0; i < CPUS; i++) {
			sum.cr3_writes += cpus[i].tlb.stats.cr3_writes;
			sum.cr3_flushes += cpus[i].tlb.stats.cr3_flushes;
			sum.served += cpus[i].tlb.stats.served;
			accesses += cpus[i].model.accesses;
			hits += cpus[i].model.hits;
		}
		printf("tlb cpus: %s: %llu steps, %llu accesses with %llu answers cached; %llu CR3 writes, %llu "
		       "flushed; %llu messages served\n",
		       names[mode], (unsigned long long)done, (unsigned long long)accesses, (unsigned long long)hits,
		       (unsigned long long)sum.cr3_writes, (unsigned long long)sum.cr3_flushes,
		       (unsigned long long)sum.served);
		assert_true(accesses > count / 50 && hits > accesses / 2 && sum.served > count / 1000);
		assert_true(mode == PLAIN || sum.cr3_flushes < sum.cr3_writes);
		arena_destroy(&arena);
		arena_init(&arena);
	}
}

static void test_mutants(void **state)
{
	static const struct {
		const char *name;
		enum mutant mutant;
		enum mode mode;
	} table[] = {
		{ "a message moves a PCID to now", MUTANT_NOW, PCIDS },
		{ "whom to tell is asked too early", MUTANT_EARLY, PCIDS },
		{ "a load forgets what CR3 still has, with PCIDs", MUTANT_GONE, PCIDS },
		{ "nobody waits", MUTANT_NO_WAIT, PCIDS },
		{ "nobody waits, without PCIDs", MUTANT_NO_WAIT, PLAIN },
		{ "messages are served in a load", MUTANT_OPEN, PCIDS },
		{ "a load is announced late", MUTANT_LATE, PCIDS },
		{ "one CPU's INVLPG does nothing", MUTANT_DEAF, PLAIN },
	};

	(void)state;
	rng = random_start("tlb cpus mutants");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t done;

		mutant = table[i].mutant;
		done = run_cpus(table[i].mode, MUTANT_STEPS);
		mutant = MUTANT_NONE;
		printf("tlb cpus: %s: after %llu steps %s\n", table[i].name, (unsigned long long)done, fault);
		if (!fault[0])
			fail_msg("%s: not found", table[i].name);
		arena_destroy(&arena);
		arena_init(&arena);
	}
}

static int end_fibers(void **state)
{
	for (size_t i = 0; i < CPUS; i++)
		free(cpus[i].stack);
	return check_arena(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_cpus, fresh_arena),
		cmocka_unit_test_teardown(test_mutants, end_fibers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
