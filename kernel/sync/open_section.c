/*
 * Keeps which object each CPU has an open section on, and whether sections are forbidden; see open_section.h.
 */
#include "kernel/sync/open_section.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpus.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/text_patch.h"

PER_CPU const void *open_section_object;
static unsigned forbidden; /* how many open_sections_forbid() have not been undone. Atomic */

bool open_section_begin(const void *object)
{
	ASSERT(!irq_is_open() && !kernel_lock_is_held());
	/* The store is an exchange, and so a full fence. */
	(void)__atomic_exchange_n(per_cpu_pointer(open_section_object), object, __ATOMIC_SEQ_CST);
	if (likely(!__atomic_load_n(&forbidden, __ATOMIC_SEQ_CST)))
		return true;
	open_section_end();
	return false;
}

void open_section_end(void)
{
	__atomic_store_n(per_cpu_pointer(open_section_object), NULL, __ATOMIC_RELEASE);
}

static const void *object_of(const struct percpu *cpu)
{
	return cpu->number == this_cpu->number
		       ? NULL
		       : __atomic_load_n(per_cpu_of(cpu, open_section_object), __ATOMIC_ACQUIRE);
}

void open_section_wait_slowly(const void *object)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	CPUS_EACH(cpu) {
		while (object_of(cpu) == object)
			cpu_pause();
	}
}

bool open_sections_are_over(void)
{
	CPUS_EACH(cpu) {
		if (object_of(cpu))
			return false;
	}
	return true;
}

void open_sections_forbid(void)
{
	__atomic_add_fetch(&forbidden, 1, __ATOMIC_SEQ_CST);
}

void open_sections_close(void)
{
	open_sections_forbid();
	while (!open_sections_are_over())
		cpu_pause();
}

NO_BREAK void open_sections_allow(void)
{
	__atomic_sub_fetch(&forbidden, 1, __ATOMIC_RELEASE);
}
