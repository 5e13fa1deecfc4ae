/*
 * Reads the ACPI power management timer's counter, by a port or in memory (ACPI 6.5, "Power Management Timer"). The
 * counter has 24 bits, or 32: the lower 24 are enough, since they take 4.7 s to come round.
 */
#include "kernel/irq/pm_timer.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/irq/tsc_compare.h"
#include "kernel/mm/space/mmio.h"

#define FREQUENCY    3579545ULL /* ticks in a second; the same on every machine */
#define COUNTER_MASK 0xffffff
#define MEASURE      (FREQUENCY / 100)
#define LEAST_PORT   0x100 /* a FADT that names a port below is wrong: those ports are the board's own devices' */

/* Where the counter is: in memory if `registers` is set, at a port otherwise. */
struct counter {
	const volatile void *registers;
	uint16_t port;
};

static uint32_t read_counter(const void *at)
{
	const struct counter *c = at;
	context_token_t token;
	uint64_t flags;
	uint32_t count;

	if (!c->registers)
		return cpu_in32(c->port);
	flags = irq_guard_enter();
	token = kernel_context_enter();
	count = mmio_read32(c->registers);
	kernel_context_leave(token);
	irq_guard_leave(flags);
	return count;
}

/* Find the counter that the FADT names. Returns ERR_NOT_FOUND when it names none that can be read. */
static enum status find_counter(struct acpi_register timer, struct counter *ret)
{
	enum status status;
	void *registers;

	if (timer.space == ACPI_SPACE_IO && timer.address >= LEAST_PORT && timer.address <= UINT16_MAX - 3) {
		*ret = (struct counter){ .port = (uint16_t)timer.address };
		return OK;
	}
	if (timer.space != ACPI_SPACE_MEMORY || !timer.address || timer.address % 4)
		return ERR_NOT_FOUND;
	status = mmio_map(paddr(timer.address), sizeof(uint32_t), PROT_UC, &registers);
	if (status == OK)
		*ret = (struct counter){ .registers = registers };
	return status;
}

enum status pm_timer_measure_tsc(struct acpi_register timer, uint64_t *ret_frequency)
{
	struct counter c;
	const struct tsc_reference reference = { .read = read_counter, .at = &c, .mask = COUNTER_MASK };
	struct tsc_span span;
	enum status status;

	status = find_counter(timer, &c);
	if (status == OK)
		status = tsc_compare(&reference, MEASURE, &span);
	if (status != OK)
		return status;
	*ret_frequency = span.ticks * FREQUENCY / span.counts;
	return OK;
}

bool pm_timer_counter(struct acpi_register timer, struct clock_counter *ret)
{
	static struct counter c; /* fixed after boot */
	uint64_t frequency;

	if (pm_timer_measure_tsc(timer, &frequency) != OK || find_counter(timer, &c) != OK)
		return false;
	*ret = (struct clock_counter){ { read_counter, &c, COUNTER_MASK }, 1, FREQUENCY };
	return true;
}
