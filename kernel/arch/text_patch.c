/*
 * Changes the kernel's text. No two callers do so at once: they hold the kernel lock, or all other CPUs are stopped.
 */
#include "kernel/arch/text_patch.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"

/*
 * Defined in kernel/arch/kernel.ld: the text's start and end, the functions that allow no breakpoints, and the list of
 * parts of other functions that do not.
 */
extern char image_text[], image_text_end[], image_nobreak[], image_nobreak_end[];
extern const struct nobreak_part image_nobreak_parts[], image_nobreak_parts_end[];

bool text_holds(vaddr_t va, size_t size)
{
	vaddr_t start = (uintptr_t)image_text, end = (uintptr_t)image_text_end;

	return va >= start && va < end && size <= end - va;
}

bool text_may_break(vaddr_t va)
{
	size_t parts =
		((uintptr_t)image_nobreak_parts_end - (uintptr_t)image_nobreak_parts) / sizeof(image_nobreak_parts[0]);

	for (size_t i = 0; i < parts; i++)
		if (va >= image_nobreak_parts[i].start && va < image_nobreak_parts[i].end)
			return false;
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
