/*
 * Makes the HPET count and compares the TSC with it (Intel, "IA-PC HPET (High Precision Event Timers) Specification"
 * 1.0a).
 */
#include "kernel/irq/hpet.h"

#include "kernel/arch/irq_guard.h"
#include "kernel/irq/scale.h"
#include "kernel/irq/tsc_compare.h"
#include "kernel/mm/space/mmio.h"

#define HPET_SIZE 0x400

enum hpet_register {
	HPET_CAPABILITIES = 0x000, /* the upper half: femtoseconds a tick */
	HPET_CONFIGURATION = 0x010,
	HPET_COUNTER = 0x0f0,
};

#define CONFIGURATION_ENABLE 1u
#define CONFIGURATION_LEGACY 2u /* the HPET's interrupts replace those of PIT and RTC */

#define PERIOD_MOST 100000000u /* 100 ns: the specification allows no slower HPET */

#define FS_PER_S   1000000000000000ULL
#define FS_PER_MS  1000000000000ULL
#define PS_PER_S   1000000000000ULL
#define MEASURE_MS 10

/* The HPET as a counter, when it has been found to work. Fixed after boot */
static struct clock_counter working;

static uint32_t read(const volatile uint8_t *hpet, enum hpet_register reg)
{
	return mmio_read32(hpet + reg);
}

static uint32_t read_counter(const void *hpet)
{
	return read(hpet, HPET_COUNTER);
}

static uint32_t read_anywhere(const void *hpet)
{
	const uint64_t flags = irq_guard_enter();
	const context_token_t token = kernel_context_enter();
	const uint32_t count = read_counter(hpet);

	kernel_context_leave(token);
	irq_guard_leave(flags);
	return count;
}

bool hpet_counter(struct clock_counter *ret)
{
	*ret = working;
	return working.by.read;
}

enum status hpet_measure_tsc(paddr_t pa, uint64_t *ret_frequency)
{
	struct tsc_reference reference = { .read = read_counter, .mask = UINT32_MAX };
	struct tsc_span span;
	volatile uint8_t *hpet;
	uint32_t period;
	enum status status;
	void *registers;

	status = mmio_map(pa, HPET_SIZE, PROT_UC, &registers);
	if (status != OK)
		return status;
	hpet = registers;
	period = read(hpet, HPET_CAPABILITIES + 4);
	if (period == 0 || period > PERIOD_MOST)
		return ERR_NOT_FOUND;
	mmio_write32(hpet + HPET_CONFIGURATION,
		     (read(hpet, HPET_CONFIGURATION) & ~CONFIGURATION_LEGACY) | CONFIGURATION_ENABLE);
	/* The lower half of the counter is enough: it does not overflow in 10 ms. */
	reference.at = registers;
	status = tsc_compare(&reference, (uint32_t)(MEASURE_MS * FS_PER_MS / period), &span);
	if (status != OK)
		return status;
	working = (struct clock_counter){ { read_anywhere, registers, UINT32_MAX }, period, FS_PER_S };
	*ret_frequency = scale_apply(scale_make(PS_PER_S, (uint64_t)span.counts * period / 1000), span.ticks);
	return OK;
}
