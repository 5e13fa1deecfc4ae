/*
 * Shootdowns: all CPUs that may have TLB entries of a changed context *serve* the change, that is invalidate these
 * entries, before the unmapped memory can be used for something else. tlb.c decides which entries each CPU invalidates.
 */
#pragma once

#include "kernel/arch/cpus.h"
#include "kernel/mm/space/tlb.h"

extern PER_CPU struct tlb context_tlb; /* guard: own CPU, interrupts off; see context.c */

/* Set the function that interrupts another CPU, which then calls shootdown_serve(). Call once, before others start. */
void shootdown_set_sender(void (*send)(const struct percpu *cpu));

/*
 * Set the function that is called when a CPU has not served a message for `ticks` ticks of the TSC. That function
 * should not return: the late CPU may use stale translations, so the memory behind them can never be given away. Call
 * once.
 */
void shootdown_set_late(void (*is_late)(const struct percpu *cpu), uint64_t ticks);

/*
 * Have the other CPUs that the message concerns serve it, and wait until all have. Call with no lock held that a CPU
 * may wait for with interrupts off. One CPU calls this at a time: the one that runs tasks in the kernel.
 */
void shootdown(const struct tlb_message *message);

/* Assert that the message concerns no other CPU, so that nobody need be told. */
void shootdown_check_none(const struct tlb_message *message);

/* Serve the message that another CPU has sent to this one, if there is any. Call with interrupts off. */
void shootdown_serve(void);

/*
 * Serve the message, if there is any, on a CPU that is held in some place, even by an NMI in the middle of tlb.c. That
 * code may be changing this CPU's records, so the records are left alone, and all entries of the TLB are invalidated.
 * The records then say that the CPU has not served the change, so its next load of the context flushes once more.
 */
void shootdown_serve_held(void);

/* Let other CPUs know that this CPU stops for good, with interrupts off: nobody waits any more for it to serve. */
void shootdown_leave(void);

/* How many messages a CPU has sent. Guard: own CPU */
extern PER_CPU uint64_t shootdowns_sent;
