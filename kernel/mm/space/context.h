/*
 * Contexts: spaces that the CPU can be switched to. The kernel context, the firmware context and every user
 * context are objects of one kind; slot 511 is the same in all of them.
 *
 * Tables are reached through the direct map, so whoever changes any context does so in the kernel context.
 * One CPU: no lock. Interrupt handlers may enter and leave contexts, but change none.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/lib/panic.h"
#include "paging/space.h"

struct context {
	struct space space;
	uint64_t tag;          /* which PCID it had last: kernel/mm/space/tlb.h */
	struct context *next;  /* in the list of all contexts */
	struct context **link; /* what points at this one in that list */
};

/* The context with the direct map and the MMIO window. Its space is kernel_space.c's. */
extern struct context kernel_context;

/* What was loaded before: a CR3 by value, so that it outlives whatever lies between. */
typedef struct {
	uint64_t cr3;
} context_token_t;

/*
 * Take PCIDs into use where the CPU has them, and let trap handlers run in the kernel context from now on.
 * kernel_space_init has been called.
 */
void context_init(void);

/*
 * A new context: slot 511 as everywhere and nothing else. Takes one frame, copies one entry.
 * Returns ERR_NO_MEMORY; *ret is then as before.
 */
MUST_CHECK enum status context_create(struct context *ret);

/*
 * Give every table of the context back, the root too. The frames that its leaves map are the caller's.
 * It must not be loaded, nor may anybody hold a token for it. Its TLB entries can stay: no other context gets them.
 */
void context_destroy(struct context *c);

/*
 * Do what `flush`, which came from changing the context's space, demands: until this returns the CPU
 * may use the mappings that went. Then gives the flush's tables back, and empties it.
 */
void context_flush(struct context *c, struct tlb_flush *flush);

/* Load a context, unless it is loaded. Does not fail. */
void context_load(struct context *c);

/* Load the context that `token` was taken in, unless it is loaded. */
void context_restore(context_token_t token);

/* The one instruction below; a host test has a variable for the register (test/host/context_host.c). */
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

/* Whether the CPU is in `c` now. */
static inline bool context_is_loaded(const struct context *c)
{
	return (context_read_cr3() & PTE_ADDRESS) == c->space.root.raw;
}

/*
 * Into a context and back: context_leave gets what context_enter returned. They nest. Between the two traps may
 * come and go; they leave CR3 as they found it. When the context is loaded already neither writes CR3.
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

/* For doors that are open in the kernel context only. Debug builds check it, once there is a kernel context. */
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

/* Call `see` with each context, the kernel's first. It must not create or destroy one. */
void context_visit(void (*see)(void *ctx, const struct context *c), void *ctx);

/* Frames in tables of all contexts, roots included. */
size_t context_table_frames(void);

/* What switching and flushing cost so far: kernel/mm/space/tlb.h. */
struct tlb_stats;
const struct tlb_stats *context_tlb_stats(void);
