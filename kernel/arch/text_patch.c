/*
 * Changes the kernel's text. No two callers do so at once: there is one CPU, and interrupts are off meanwhile.
 */
#include "kernel/arch/text_patch.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"

/* Defined in kernel/arch/kernel.ld: the text's start and end, and the part that allows no breakpoints. */
extern char image_text[], image_text_end[], image_nobreak[], image_nobreak_end[];

bool text_holds(vaddr_t va, size_t size)
{
	vaddr_t start = (uintptr_t)image_text, end = (uintptr_t)image_text_end;

	return va >= start && va < end && size <= end - va;
}

bool text_may_break(vaddr_t va)
{
	return text_holds(va, 1) && (va < (uintptr_t)image_nobreak || va >= (uintptr_t)image_nobreak_end);
}

NO_BREAK enum status text_patch(vaddr_t va, const void *bytes, size_t size)
{
	uint64_t flags, cr0;

	if (!text_holds(va, size))
		return ERR_RANGE;
	flags = irq_guard_enter();
	cr0 = cpu_read_cr0();
	/*
	 * Writing CR0 serialises the CPU: after the second write it has dropped whatever it had fetched of the old
	 * text.
	 */
	cpu_write_cr0(cr0 & ~CR0_WP);
	for (size_t i = 0; i < size; i++)
		((volatile uint8_t *)va)[i] = ((const uint8_t *)bytes)[i];
	cpu_write_cr0(cr0);
	irq_guard_leave(flags);
	return OK;
}
