/*
 * Device interrupts: vectors 32 to 255, and the handlers of those vectors.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/irq/acpi.h"

/* What each vector is for. Higher vectors are served first. */
enum irq_vector {
	/* the 16 vectors of the 8259s. Where the 8259s are not used, only spurious interrupts arrive here */
	VECTOR_PIC = 32,
	VECTOR_DEVICE = 48, /* the first vector that irq_vector_alloc() may hand out */
	VECTOR_DEVICE_END = 240,
	VECTOR_TIMER = 240,
	VECTOR_RESCHEDULE = 241, /* another CPU wants this one to look whether a task should run (cpu_calls.h) */
	VECTOR_SHOOTDOWN = 242,  /* another CPU has changed page tables (cpu_calls.h) */
	VECTOR_ERROR = 254,
	VECTOR_SPURIOUS = 255,
};

/*
 * A handler, called with interrupts off, in whatever context (set of page tables) was interrupted. It may touch the
 * heap and the kernel image, which all contexts map; for device memory and the direct map it must enter the kernel
 * context (kernel_context_enter/_leave). It must not block, and must not allocate or free heap memory. Its caller tells
 * the APIC that the interrupt is over. With several CPUs the handler runs with the kernel lock held, except those of
 * VECTOR_RESCHEDULE and VECTOR_SHOOTDOWN.
 */
typedef void irq_handler_fn(void *ctx);

/*
 * Find and start the machine's local and I/O APICs, clocks and timer, with the help of the ACPI tables; then turn
 * interrupts on. Without an I/O APIC the 8259s take its place, and without a local APIC the 8259s and the PIT. The
 * command line's acpi=off, noapic and nolapic make the kernel do without. Logs what was found, and what was broken.
 * Panics when the machine has neither a local APIC nor 8259s, or when the rate of the time-stamp counter cannot be
 * found. Call once, in the kernel context, before reclaim_boot_memory() reuses the tables' memory.
 */
void irq_init(const struct boot_info *info);

/*
 * Return the registers of the code that the current interrupt has interrupted, or NULL outside a handler. A handler may
 * change them: they are loaded when the interrupt returns.
 */
struct percpu;
struct trap_frame;
struct trap_frame *irq_frame(void);

/* Return what the ACPI tables say; all zero before irq_init. The pointer stays valid. */
const struct acpi_info *irq_acpi(void);

/*
 * Have `handler` called for a global system interrupt (GSI); flags: ACPI_ACTIVE_LOW, ACPI_LEVEL. The GSI stays masked
 * until irq_enable().
 * Returns ERR_NOT_FOUND (no I/O APIC and no 8259 has it), ERR_EXISTS (it has a handler), ERR_NO_MEMORY (all vectors
 * are taken), ERR_RANGE (no I/O APIC reaches this CPU); nothing has changed then.
 */
MUST_CHECK enum status irq_register(uint32_t gsi, unsigned flags, irq_handler_fn *handler, void *ctx);

/*
 * Have `handler` called for an ISA interrupt, 0 to 15, which the MADT's overrides map to a GSI. *ret_gsi is that GSI:
 * the functions below take the GSI. Returns what irq_register returns.
 */
MUST_CHECK enum status irq_register_isa(unsigned isa, irq_handler_fn *handler, void *ctx, uint32_t *ret_gsi);

/*
 * Have an ISA interrupt arrive as an NMI from now on, so that the handler of TRAP_NMI is called. The interrupt must not
 * be registered.
 * Returns ERR_NOT_FOUND and ERR_RANGE for the same reasons as irq_register().
 */
MUST_CHECK enum status irq_route_nmi(unsigned isa);

/* Mask the GSI, which must be registered, and forget its handler. */
void irq_unregister(uint32_t gsi);

/*
 * Unmask or mask a registered GSI. May be called in any context; outside the kernel context that takes two CR3 writes.
 */
void irq_enable(uint32_t gsi);
void irq_disable(uint32_t gsi);

/* Take a vector for interrupts that a device sends by itself (MSI). Returns ERR_NO_MEMORY when all are taken. */
MUST_CHECK enum status irq_vector_alloc(irq_handler_fn *handler, void *ctx, unsigned *ret_vector);
void irq_vector_free(unsigned vector);

/* Run handlers with the kernel lock from now on. Call with interrupts off; for kernel/irq/cpu_calls.c only. */
void irq_use_lock(void);

/*
 * For kernel/irq only. irq_vectors_init: handle all vectors from 32 on. irq_use_8259s: from now on GSIs 0 to 15 are the
 * inputs of the 8259s, and those of the I/O APICs are not used; call before any interrupt is registered.
 * irq_set_vector: give a handler to a vector that has a fixed purpose.
 */
void irq_vectors_init(void);
void irq_use_8259s(void);
void irq_set_vector(unsigned vector, irq_handler_fn *handler, void *ctx);

/* Return the GSI (global system interrupt) that arrives at `vector`, or IRQ_NO_GSI when none does. */
#define IRQ_NO_GSI UINT32_MAX
uint32_t irq_gsi(unsigned vector);

/*
 * irq_count: return how many interrupts have arrived at `vector` on all CPUs. irq_count_on: the same on one CPU.
 * irq_stray_count: the same at all vectors that had no handler.
 */
uint64_t irq_count(unsigned vector);
uint64_t irq_count_on(const struct percpu *cpu, unsigned vector);
uint64_t irq_stray_count(void);
