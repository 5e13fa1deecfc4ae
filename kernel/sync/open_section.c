/*
 * Keeps which objects each CPU has an open section on, and whether sections are forbidden; see open_section.h.
 */
#include "kernel/sync/open_section.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpus.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/text_patch.h"

PER_CPU const void *open_section_object;
PER_CPU struct open_section_more open_section_more;
static unsigned forbidden; /* how many open_sections_forbid() have not been undone. Atomic */

bool open_section_begin(const void *object)
{
	ASSERT(!irq_is_open() && !kernel_lock_is_held());
	/* Store by an exchange, which is a full fence: the object is named before `forbidden` is read. */
	(void)__atomic_exchange_n(per_cpu_pointer(open_section_object), object, __ATOMIC_SEQ_CST);
	if (likely(!__atomic_load_n(&forbidden, __ATOMIC_SEQ_CST)))
		return true;
	open_section_end();
	return false;
}

/*
 * Return whether `cpu` is in a section on `object`, or in any section if `object` is NULL. False for the running CPU.
 */
static bool is_in(const struct percpu *cpu, const void *object)
{
	const void *const *first = per_cpu_of(cpu, open_section_object);
	const struct open_section_more *more = per_cpu_of(cpu, open_section_more);
	const void *const named = __atomic_load_n(first, __ATOMIC_ACQUIRE);

	if (cpu->number == this_cpu->number || !named)
		return false;
	return !object || named == object || __atomic_load_n(&more->object, __ATOMIC_ACQUIRE) == object ||
	       __atomic_load_n(&more->gate, __ATOMIC_ACQUIRE) == object;
}

void open_section_wait_slowly(const void *object)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	CPUS_EACH(cpu) {
		while (is_in(cpu, object))
			cpu_pause();
	}
}

void open_gate_close_slowly(struct open_gate *gate)
{
	__atomic_add_fetch(&gate->closed, 1, __ATOMIC_SEQ_CST);
	open_section_wait_slowly(gate);
}

void open_gate_open_slowly(struct open_gate *gate)
{
	ASSERT(gate->closed);
	__atomic_sub_fetch(&gate->closed, 1, __ATOMIC_RELEASE);
}

bool open_sections_are_over(void)
{
	CPUS_EACH(cpu) {
		if (is_in(cpu, NULL))
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
