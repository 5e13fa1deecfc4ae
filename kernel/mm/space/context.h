/*
 * Contexts: spaces (a PML4 and all tables below) that the CPU can be switched to. The kernel context, the firmware
 * context and every user context are objects of one kind; PML4 slot 511 (heap, stacks, kernel image) is the same in all
 * of them.
 *
 * Tables are reached through the direct map, so change a context only while the kernel context is loaded. Guard of
 * contexts: tasks only, which the kernel does not preempt. Interrupt handlers may enter and leave contexts, but change
 * none.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/lib/panic.h"
#include "paging/space.h"

struct context {
	struct space space;
	/* no other context ever gets this number, not even later. 0: the kernel context. Fixed when made */
	uint64_t id;
	/* how often a change of the space has made entries in TLBs wrong (kernel/mm/space/tlb.h). Atomic */
	uint64_t generation;
	struct context *next;  /* in the list of all contexts but the kernel's */
	struct context **link; /* the pointer that points at this context in that list */
};

/* The context with the direct map and the MMIO window. kernel_space.c sets up its space. */
extern struct context kernel_context;

/* The context that was loaded before context_enter(), as its value of CR3. */
typedef struct {
	uint64_t cr3;
} context_token_t;

/* Make flushes work on this CPU. Call before kernel_space_init(). */
void context_prepare(void);

/*
 * Use PCIDs from now on if the CPU has them, and tell trap.c how to load contexts. Call after kernel_space_init().
 */
void context_init(void);

/*
 * context_share_tlb: have this CPU tell the others from now on which context it has loaded; call before they start.
 * context_start_cpu: load the kernel context on another CPU that has started, and take its TLB into use, with
 * interrupts off.
 */
void context_share_tlb(void);
void context_start_cpu(void);

/*
 * Create a context that maps nothing but PML4 slot 511, which is the same in all contexts. Takes one frame, copies one
 * entry. Returns ERR_NO_MEMORY; *ret is then as before.
 */
MUST_CHECK enum status context_create(struct context *ret);

/*
 * Give every table of the context back, the root too. The frames that its leaves map belong to the caller. The context
 * must not be loaded on any CPU, nor may anybody hold a token for it. No TLB flush is needed: the context's entries
 * have its PCID, and the next context with this PCID has another id, so that its load flushes first; without PCIDs
 * every load of CR3 flushes.
 */
void context_destroy(struct context *c);

/*
 * Invalidate the TLB entries that `flush` names; the function that changed the context's space has recorded them. Until
 * this function returns, the CPU may use the mappings that were removed. Then give back the tables that `flush`
 * carries, and empty it.
 */
void context_flush(struct context *c, struct tlb_flush *flush);

/*
 * Interrupt each other CPU that has the context loaded, and wait until each has been interrupted. Before its task's
 * next instruction in user mode such a CPU then does what the task is wanted for (task_return()), for example deliver a
 * signal. Call as shootdown() demands. Does nothing on a machine with one CPU.
 */
void context_interrupt(struct context *c);

/* Load a context. Does nothing when it is loaded already. Cannot fail. */
void context_load(struct context *c);

/* Load the context that was loaded when `token` was taken. Does nothing when it is loaded already. */
void context_restore(context_token_t token);

/* context_read_cr3() returns CR3; in a host test a variable stands for the register (test/host/context_host.c). */
#ifdef HOST_TEST
extern uint64_t host_cr3;
static inline uint64_t context_read_cr3(void)
{
	return host_cr3;
}
#else
static inline uint64_t context_read_cr3(void)
{
	return cpu_read_cr3();
}
#endif

/* Return whether `c` is loaded. */
static inline bool context_is_loaded(const struct context *c)
{
	return (context_read_cr3() & PTE_ADDRESS) == c->space.root.raw;
}

/*
 * Load a context, and later load again the one that was loaded before: pass context_leave what context_enter returned.
 * Pairs may nest. Traps between the two calls leave CR3 as they found it. When the context is loaded already, neither
 * call writes CR3.
 */
static inline context_token_t context_enter(struct context *c)
{
	context_token_t token = { context_read_cr3() };

	if ((token.cr3 & PTE_ADDRESS) != c->space.root.raw)
		context_load(c);
	return token;
}

static inline void context_leave(context_token_t token)
{
	if ((context_read_cr3() ^ token.cr3) & PTE_ADDRESS)
		context_restore(token);
}

static inline context_token_t kernel_context_enter(void)
{
	return context_enter(&kernel_context);
}

static inline void kernel_context_leave(context_token_t token)
{
	context_leave(token);
}

/* Panic, in debug builds, unless the kernel context is loaded; no check before kernel_space_init(). */
#if DEBUG && !defined(HOST_TEST)
#define ASSERT_KERNEL_CONTEXT()                                                                               \
	do {                                                                                                  \
		if (unlikely(kernel_context.space.root.raw && !context_is_loaded(&kernel_context)))           \
			panic("only the kernel context maps this: call kernel_context_enter() first (%s:%d)", \
			      __FILE__, __LINE__);                                                            \
	} while (0)
#else
#define ASSERT_KERNEL_CONTEXT() ((void)0)
#endif

/* Call `see` with each context, the kernel's first. `see` must not create or destroy contexts. */
void context_visit(void (*see)(void *ctx, const struct context *c), void *ctx);

/* Return how many frames the tables of all contexts take, roots included. */
size_t context_table_frames(void);

/*
 * context_tlb_stats: return the counts of CR3 writes and TLB flushes so far (kernel/mm/space/tlb.h), of all CPUs
 * together. context_cr3_writes: return how many CR3 writes the running CPU has made.
 */
struct tlb_stats;
struct tlb_stats context_tlb_stats(void);
uint64_t context_cr3_writes(void);
