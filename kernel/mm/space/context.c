/*
 * Creates, loads and destroys contexts (address spaces that CR3 can be set to), and provides the CPU's instructions
 * that tlb.c calls. What a context maps is up to its creator.
 */
#include "kernel/mm/space/context.h"

#include "kernel/arch/cpus.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/pcid.h"
#include "kernel/arch/text_patch.h"
#include "kernel/arch/trap.h"
#include "kernel/lib/likely.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/shootdown.h"
#include "kernel/mm/space/tlb.h"
#include "kernel/sync/open_section.h"

static void flush_page_of(unsigned pcid, vaddr_t va)
{
	cpu_invpcid(INVPCID_ADDRESS, pcid, va);
}

static NO_BREAK void flush_all_by_invpcid(void)
{
	cpu_invpcid(INVPCID_ALL, 0, 0);
}

/*
 * Flush all TLB entries: any change of CR4.PGE does that (Intel SDM vol. 3A, "Operations that Invalidate TLBs and
 * Paging-Structure Caches"). This function and flush_all_by_invpcid() are also called in the handler of an NMI, where
 * the IRET after a breakpoint would let another NMI in: NO_BREAK keeps gdb from setting one here.
 */
static NO_BREAK void flush_all_by_cr4(void)
{
	uint64_t cr4 = cpu_read_cr4();

	cpu_write_cr4(cr4 ^ CR4_PGE);
	cpu_write_cr4(cr4);
}

static const struct tlb_ops plain_ops = {
	.read_cr3 = cpu_read_cr3,
	.write_cr3 = cpu_write_cr3,
	.flush_page = cpu_invlpg,
	.flush_all = flush_all_by_cr4,
};

static const struct tlb_ops invpcid_ops = {
	.read_cr3 = cpu_read_cr3,
	.write_cr3 = cpu_write_cr3,
	.flush_page = cpu_invlpg,
	.flush_page_of = flush_page_of,
	.flush_all = flush_all_by_invpcid,
};

/*
 * What the kernel knows of each CPU's TLB. Before context_init() it can be used as well, but without PCIDs. Guard: own
 * CPU, interrupts off. The entry code of system calls reads its count of CR3 writes.
 */
PER_CPU struct tlb context_tlb;

static uint64_t last_id; /* id of the newest context. Guard: tasks only, which the kernel does not preempt */
/* list of all contexts but the kernel's. Guard: tasks only, which the kernel does not preempt */
static struct context *others;

static void enter_for_trap(void)
{
	tlb_load(per_cpu_pointer(context_tlb), &kernel_context);
}

static void leave_for_trap(uint64_t cr3)
{
	tlb_restore(per_cpu_pointer(context_tlb), cr3);
}

void context_prepare(void)
{
	struct tlb *tlb = per_cpu_pointer(context_tlb);

	tlb->ops = &plain_ops;
	tlb->kernel = &kernel_context;
}

void context_init(void)
{
	struct tlb *tlb = per_cpu_pointer(context_tlb);

	tlb->loaded = tlb->loading = kernel_context.space.root.raw;
	if (cpu_features()->invpcid)
		tlb->ops = &invpcid_ops;
	if (pcid_usable()) {
		/* Setting CR4.PCIDE would fault with a PCID other than 0 in CR3; until now no CR3 has had one. */
		cpu_write_cr4(cpu_read_cr4() | CR4_PCIDE);
		tlb_start_pcids(tlb);
		tlb->recorded = true;
	}
	trap_set_context(enter_for_trap, leave_for_trap);
}

void context_share_tlb(void)
{
	struct tlb *tlb = per_cpu_pointer(context_tlb);
	uint64_t flags = irq_guard_enter();

	tlb->loaded = tlb->loading = cpu_read_cr3() & PTE_ADDRESS;
	tlb->recorded = true;
	irq_guard_leave(flags);
}

void context_start_cpu(void)
{
	context_prepare();
	cpu_write_cr3(kernel_context.space.root.raw);
	if (cpu_features()->pge)
		cpu_write_cr4(cpu_read_cr4() | CR4_PGE);
	context_init();
	context_share_tlb();
}

enum status context_create(struct context *ret)
{
	struct space space;
	enum status status = kernel_space_create(&space);

	if (status != OK)
		return status;
	*ret = (struct context){ .space = space, .id = ++last_id, .next = others, .link = &others };
	if (others)
		others->link = &ret->next;
	others = ret;
	return OK;
}

void context_destroy(struct context *c)
{
	ASSERT(c != &kernel_context && !context_is_loaded(c));
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	space_clear(&c->space, 0, 512);
}

/*
 * Have the other CPUs that have the context loaded serve the message. In an open section (kernel/sync/open_section.h)
 * no other CPU has it loaded: the context is that of a process whose only task runs here, and a CPU that leaves a task
 * loads another context.
 */
static void tell_others(const struct tlb_message *message)
{
	if (!open_section_is_here())
		shootdown(message);
#if DEBUG
	else
		shootdown_check_none(message);
#endif
}

void context_flush(struct context *c, struct tlb_flush *flush)
{
	uint64_t flags = irq_guard_enter(); /* tlb.c must not be interrupted by other work on this CPU's TLB */
	struct tlb_message message = tlb_flush_run(per_cpu_pointer(context_tlb), c, flush);

	irq_guard_leave(flags);
	if (unlikely(cpu_count > 1))
		tell_others(&message);
	space_release(&c->space, flush);
}

void context_interrupt(struct context *c)
{
	/* A flush of one page, no matter which, makes context_flush() send the interrupt that is wanted. */
	struct tlb_flush flush = { .last = PAGE_SIZE - 1, .leaves = 1 };

	if (cpu_count > 1)
		context_flush(c, &flush);
}

/*
 * Return whether this CPU need not record which context it loads. That is so without PCIDs, when there is only one CPU
 * or this CPU is in an open section (kernel/sync/open_section.h). The context that is loaded when a section begins is
 * loaded again when it ends, and stays recorded meanwhile; so at worst another CPU sends this one a message in vain.
 */
static inline bool loads_unrecorded(void)
{
	return !per_cpu(context_tlb).recorded || (open_section_is_here() && !per_cpu(context_tlb).pcids);
}

/*
 * Load a context without calling tlb.c. Call when loads are not recorded (loads_unrecorded()); there are no PCIDs then,
 * so each load flushes. No record of tlb.c changes, so interrupts may stay on. This takes a third of tlb_load()'s
 * instructions.
 */
static inline void load_without_pcid(uint64_t cr3)
{
	cpu_write_cr3(cr3 & PTE_ADDRESS);
	per_cpu(context_tlb).stats.cr3_writes++;
	per_cpu(context_tlb).stats.cr3_flushes++;
}

void context_load(struct context *c)
{
	uint64_t flags;

	if (loads_unrecorded()) {
		if (!context_is_loaded(c))
			load_without_pcid(c->space.root.raw);
		return;
	}
	flags = irq_guard_enter();
	tlb_load(per_cpu_pointer(context_tlb), c);
	irq_guard_leave(flags);
}

void context_restore(context_token_t token)
{
	uint64_t flags;

	if (loads_unrecorded()) {
		if ((cpu_read_cr3() ^ token.cr3) & PTE_ADDRESS)
			load_without_pcid(token.cr3);
		return;
	}
	flags = irq_guard_enter();

	tlb_restore(per_cpu_pointer(context_tlb), token.cr3);
	irq_guard_leave(flags);
}

void context_visit(void (*see)(void *ctx, const struct context *c), void *ctx)
{
	see(ctx, &kernel_context);
	for (const struct context *c = others; c; c = c->next)
		see(ctx, c);
}

static void add_tables(void *ctx, const struct context *c)
{
	*(size_t *)ctx += c->space.tables + 1;
}

size_t context_table_frames(void)
{
	size_t frames = 0;

	context_visit(add_tables, &frames);
	return frames;
}

struct tlb_stats context_tlb_stats(void)
{
	struct tlb_stats sum = { 0 };

	CPUS_EACH(cpu) {
		const struct tlb_stats *stats = &per_cpu_of(cpu, context_tlb)->stats;

		sum.cr3_writes += stats->cr3_writes;
		sum.cr3_flushes += stats->cr3_flushes;
		sum.pages += stats->pages;
		sum.pages_of += stats->pages_of;
		sum.full_flushes += stats->full_flushes;
		sum.deferred += stats->deferred;
		sum.deals += stats->deals;
		sum.served += stats->served;
	}
	return sum;
}

uint64_t context_cr3_writes(void)
{
	return per_cpu(context_tlb).stats.cr3_writes;
}
