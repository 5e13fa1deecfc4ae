/*
 * The table of vectors with the handlers of device interrupts, and dispatch(), where all these interrupts arrive. A GSI
 * (global system interrupt) is the number of an input of an I/O APIC.
 */
#include "kernel/irq/irq.h"

#include "kernel/arch/cpus.h"
#include "kernel/arch/trap.h"
#include "kernel/irq/apic.h"
#include "kernel/irq/ioapic.h"
#include "kernel/irq/pic.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/space/context.h"
#include "kernel/sync/kernel_lock.h"

#define VECTORS 256

/*
 * Guard: tasks only, which the kernel does not preempt; `handler` is stored last, since the interrupt may come right
 * after that.
 */
struct vector {
	irq_handler_fn *handler; /* NULL: the vector is free */
	void *ctx;               /* handed to the handler */
	uint32_t gsi;            /* IRQ_NO_GSI: the interrupt does not come through an I/O APIC */
};

static struct vector vectors[VECTORS];

/* Interrupts that have arrived at each vector. Guard: own CPU, interrupts off */
static PER_CPU struct {
	uint64_t at[VECTORS];
} counts;
static bool uses_8259s; /* GSIs 0 to 15 are the inputs of the 8259s, and no I/O APIC is used. Fixed after boot */
static uint64_t strays; /* interrupts at free vectors. Guard: changed only with interrupts off */

struct trap_frame *irq_frame(void)
{
	return this_cpu->interrupt;
}

static void call_handler(struct trap_frame *frame)
{
	const struct vector *v = &vectors[frame->vector];

	this_cpu->interrupt = frame;
	if (v->handler)
		v->handler(v->ctx);
	else
		strays++;
	this_cpu->interrupt = NULL;
}

/* Call the handler of a vector, and tell the local APIC that the interrupt is over. */
static void serve(struct trap_frame *frame)
{
	call_handler(frame);
	apic_end_of_interrupt();
}

/* Call the handler of an input of the 8259s, and tell these that the interrupt is over. */
static void serve_8259s(struct trap_frame *frame)
{
	unsigned input = (unsigned)frame->vector - VECTOR_PIC;

	if (!vectors[frame->vector].handler || pic_is_spurious(input)) {
		pic_spurious(input);
		return;
	}
	call_handler(frame);
	pic_end(input);
}

static void handle(struct trap_frame *frame)
{
	if (frame->vector < VECTOR_DEVICE) {
		serve_8259s(frame);
	} else if (apic_mode() == APIC_X2APIC) {
		serve(frame);
	} else {
		/*
		 * In xAPIC mode the APIC's registers are mapped only in the kernel context, the kernel's own page
		 * tables. The EOI needs them, and so does a handler that arms the timer: enter the kernel context once
		 * for both.
		 */
		context_token_t token = kernel_context_enter();

		serve(frame);
		kernel_context_leave(token);
	}
}

/*
 * Handle an interrupt; a trap_handler_fn, so interrupts are off. No EOI is sent to the local APIC for a spurious
 * interrupt, whether the APIC or an 8259 raised it: the APIC does not count spurious interrupts as in service, so the
 * EOI would end another interrupt.
 */
static bool dispatch(struct trap_frame *frame)
{
	per_cpu(counts).at[frame->vector]++;
	if (frame->vector != VECTOR_SPURIOUS)
		handle(frame);
	return true;
}

/*
 * Do dispatch() where there are several CPUs: with the kernel lock held, except for the vectors whose handlers the
 * lock's holder may wait for. This CPU may hold the lock already: then the interrupt came while it ran in the kernel.
 */
static bool dispatch_with_lock(struct trap_frame *frame)
{
	const bool takes =
		frame->vector != VECTOR_RESCHEDULE && frame->vector != VECTOR_SHOOTDOWN && !kernel_lock_is_held();

	if (takes)
		kernel_lock_take();
	(void)dispatch(frame);
	if (takes)
		kernel_lock_release();
	return true;
}

void irq_use_lock(void)
{
	for (unsigned vector = VECTOR_PIC; vector < VECTORS; vector++) {
		trap_set_handler(vector, NULL);
		trap_set_handler(vector, dispatch_with_lock);
	}
}

void irq_vectors_init(void)
{
	for (unsigned vector = VECTOR_PIC; vector < VECTORS; vector++) {
		vectors[vector].gsi = IRQ_NO_GSI;
		trap_set_handler(vector, dispatch);
	}
}

void irq_use_8259s(void)
{
	uses_8259s = true;
}

void irq_set_vector(unsigned vector, irq_handler_fn *handler, void *ctx)
{
	ASSERT(vector >= VECTOR_DEVICE && vector < VECTOR_SPURIOUS && !vectors[vector].handler);
	vectors[vector].ctx = ctx;
	vectors[vector].handler = handler;
}

enum status irq_vector_alloc(irq_handler_fn *handler, void *ctx, unsigned *ret_vector)
{
	for (unsigned vector = VECTOR_DEVICE; vector < VECTOR_DEVICE_END; vector++) {
		if (vectors[vector].handler)
			continue;
		irq_set_vector(vector, handler, ctx);
		*ret_vector = vector;
		return OK;
	}
	return ERR_NO_MEMORY;
}

void irq_vector_free(unsigned vector)
{
	ASSERT(vector < VECTOR_DEVICE_END && vectors[vector].handler);
	vectors[vector].handler = NULL;
	vectors[vector].gsi = IRQ_NO_GSI;
}

/* Return the vector of a GSI, or 0 when the GSI is not registered. */
static unsigned vector_of(uint32_t gsi)
{
	for (unsigned vector = VECTOR_PIC; vector < VECTOR_DEVICE_END; vector++)
		if (vectors[vector].handler && vectors[vector].gsi == gsi)
			return vector;
	return 0;
}

static void mask(uint32_t gsi)
{
	if (uses_8259s)
		pic_mask(gsi);
	else
		ioapic_mask(gsi);
}

static void unmask(uint32_t gsi)
{
	if (uses_8259s)
		pic_unmask(gsi);
	else
		ioapic_unmask(gsi);
}

/* Have `handler` called for an input of the 8259s, which each have a vector. Returns what irq_register() returns. */
static enum status register_8259(uint32_t gsi, irq_handler_fn *handler, void *ctx)
{
	struct vector *v = &vectors[VECTOR_PIC + gsi];

	if (v->handler)
		return ERR_EXISTS;
	v->gsi = gsi;
	v->ctx = ctx;
	v->handler = handler;
	return OK;
}

enum status irq_register(uint32_t gsi, unsigned flags, irq_handler_fn *handler, void *ctx)
{
	unsigned vector;
	enum status status;

	if (uses_8259s)
		return pic_has(gsi) ? register_8259(gsi, handler, ctx) : ERR_NOT_FOUND;
	if (!ioapic_has(gsi))
		return ERR_NOT_FOUND;
	if (vector_of(gsi))
		return ERR_EXISTS;
	status = irq_vector_alloc(handler, ctx, &vector);
	if (status != OK)
		return status;
	status = ioapic_route(gsi, flags, vector, apic_id());
	if (status != OK) {
		irq_vector_free(vector);
		return status;
	}
	vectors[vector].gsi = gsi;
	return OK;
}

/*
 * Return the GSI of an ISA interrupt, as the MADT's overrides say; its flags go to *ret_flags. The 8259s are wired as
 * on the first PCs, whatever the MADT says of the I/O APICs.
 */
static uint32_t isa_gsi(unsigned isa, unsigned *ret_flags)
{
	const struct acpi_info *acpi = irq_acpi();
	uint32_t gsi = isa;

	ASSERT(isa < 16);
	*ret_flags = 0;
	for (unsigned i = 0; i < acpi->override_count && !uses_8259s; i++) {
		if (acpi->overrides[i].isa != isa)
			continue;
		gsi = acpi->overrides[i].gsi;
		*ret_flags = acpi->overrides[i].flags;
	}
	return gsi;
}

enum status irq_register_isa(unsigned isa, irq_handler_fn *handler, void *ctx, uint32_t *ret_gsi)
{
	unsigned flags;
	uint32_t gsi = isa_gsi(isa, &flags);
	enum status status = irq_register(gsi, flags, handler, ctx);

	if (status == OK)
		*ret_gsi = gsi;
	return status;
}

enum status irq_route_nmi(unsigned isa)
{
	unsigned flags;
	uint32_t gsi = isa_gsi(isa, &flags);
	enum status status = ioapic_route(gsi, flags | IOAPIC_NMI, 0, apic_id());

	if (status == OK)
		ioapic_unmask(gsi);
	return status;
}

void irq_unregister(uint32_t gsi)
{
	unsigned vector = vector_of(gsi);

	ASSERT(vector);
	mask(gsi);
	irq_vector_free(vector);
}

void irq_enable(uint32_t gsi)
{
	ASSERT(vector_of(gsi));
	unmask(gsi);
}

void irq_disable(uint32_t gsi)
{
	ASSERT(vector_of(gsi));
	mask(gsi);
}

uint32_t irq_gsi(unsigned vector)
{
	return vector >= VECTOR_PIC && vector < VECTORS ? vectors[vector].gsi : IRQ_NO_GSI;
}

uint64_t irq_count_on(const struct percpu *cpu, unsigned vector)
{
	return vector < VECTORS ? per_cpu_of(cpu, counts)->at[vector] : 0;
}

uint64_t irq_count(unsigned vector)
{
	uint64_t sum = 0;

	CPUS_EACH(cpu) {
		sum += irq_count_on(cpu, vector);
	}
	return sum;
}

uint64_t irq_stray_count(void)
{
	return strays;
}
