/*
 * Device interrupts: vectors 32 to 255, who is called for them, and the end of the interrupt.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/irq/acpi.h"

/* Which vector is for what. Higher ones are served first. */
enum irq_vector {
	VECTOR_PIC = 32,    /* the 8259s' sixteen: masked, spurious ones at the most */
	VECTOR_DEVICE = 48, /* the first that is handed out */
	VECTOR_DEVICE_END = 240,
	VECTOR_TIMER = 240,
	VECTOR_ERROR = 254,
	VECTOR_SPURIOUS = 255,
};

/*
 * Called with interrupts off, in whatever context was interrupted: it touches the heap and the image only, or enters
 * the kernel context for as long as it needs hardware (kernel_context_enter/_leave); ports need no context. It must
 * not block and not call the heap. The end of the interrupt is not its business.
 */
typedef void irq_handler_fn(void *ctx);

/*
 * Find and start what there is: the ACPI tables, the local and I/O APICs, clocks and timer; then turn interrupts on.
 * Says in the log what it found, and what was broken. Panics when the CPU has no local APIC, or when nothing tells
 * how fast its time-stamp counter is. In the kernel context, once, while the tables' memory has not been reclaimed.
 */
void irq_init(const struct boot_info *info);

/* The registers that the interrupt being served found; NULL outside a handler. Changed ones are taken on return. */
struct trap_frame;
struct trap_frame *irq_frame(void);

/* What the ACPI tables said; all zero before irq_init. */
const struct acpi_info *irq_acpi(void);

/*
 * Call `handler` for a global system interrupt; flags: ACPI_ACTIVE_LOW, ACPI_LEVEL. It stays masked until irq_enable.
 * Returns ERR_NOT_FOUND (no I/O APIC has it), ERR_EXISTS (taken), ERR_NO_MEMORY (all vectors are), ERR_RANGE (no I/O
 * APIC reaches this CPU); nothing has changed then.
 */
MUST_CHECK enum status irq_register(uint32_t gsi, unsigned flags, irq_handler_fn *handler, void *ctx);

/* The same for an interrupt of ISA, 0 to 15, by way of the MADT's overrides; *ret_gsi is its number for the rest. */
MUST_CHECK enum status irq_register_isa(unsigned isa, irq_handler_fn *handler, void *ctx, uint32_t *ret_gsi);

/*
 * From now on the interrupt of ISA comes as an NMI, for which TRAP_NMI's handler is called; it must not be registered.
 * Returns ERR_NOT_FOUND, ERR_RANGE as irq_register.
 */
MUST_CHECK enum status irq_route_nmi(unsigned isa);

/* Forget the handler, masked. The GSI must be registered. */
void irq_unregister(uint32_t gsi);

/* Let a registered interrupt through, or not. Any context; two CR3 writes outside the kernel context. */
void irq_enable(uint32_t gsi);
void irq_disable(uint32_t gsi);

/* A vector for interrupts that devices send by themselves (MSI). Returns ERR_NO_MEMORY when all are taken. */
MUST_CHECK enum status irq_vector_alloc(irq_handler_fn *handler, void *ctx, unsigned *ret_vector);
void irq_vector_free(unsigned vector);

/* For this directory: take over the vectors from 32 on; and one vector with a fixed purpose. */
void irq_vectors_init(void);
void irq_set_vector(unsigned vector, irq_handler_fn *handler, void *ctx);

/* The GSI that is registered for a vector, or IRQ_NO_GSI. */
#define IRQ_NO_GSI UINT32_MAX
uint32_t irq_gsi(unsigned vector);

/* Interrupts that arrived at `vector`, and those of all vectors that nobody had registered. */
uint64_t irq_count(unsigned vector);
uint64_t irq_stray_count(void);
