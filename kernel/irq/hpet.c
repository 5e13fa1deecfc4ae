/*
 * Makes the HPET count and compares the TSC with it (Intel, "IA-PC HPET (High Precision Event Timers) Specification"
 * 1.0a).
 */
#include "kernel/irq/hpet.h"

#include "kernel/arch/cpu.h"
#include "kernel/irq/scale.h"
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

#define FS_PER_MS  1000000000000ULL
#define PS_PER_S   1000000000000ULL
#define MEASURE_MS 10

/*
 * How long the HPET's counter may show one value, in TSC ticks (about 100 ms). If it does so for longer, it is not
 * running.
 */
#define MOST_TICKS 400000000ULL

/* The two counters, read at the same time. */
struct moment {
	uint32_t hpet;
	uint64_t tsc;
};

static uint32_t read(const volatile uint8_t *hpet, enum hpet_register reg)
{
	return mmio_read32(hpet + reg);
}

/*
 * Read both counters. A hypervisor may stop the CPU between the two reads, so the quickest of five tries is returned.
 */
static struct moment read_both(const volatile uint8_t *hpet)
{
	uint64_t quickest = UINT64_MAX;
	struct moment m = { 0 };

	for (int i = 0; i < 5; i++) {
		uint64_t before = cpu_rdtsc(), took;
		uint32_t count = read(hpet, HPET_COUNTER);

		took = cpu_rdtsc() - before;
		if (took < quickest) {
			quickest = took;
			m = (struct moment){ count, before + took / 2 };
		}
	}
	return m;
}

enum status hpet_measure_tsc(paddr_t pa, uint64_t *ret_frequency)
{
	struct moment start, end;
	volatile uint8_t *hpet;
	uint32_t period, ticks;
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
	ticks = (uint32_t)(MEASURE_MS * FS_PER_MS / period);

	/* The lower half of the counter is enough: it does not overflow in 10 ms. */
	start = read_both(hpet);
	do {
		/*
		 * More than MOST_TICKS may pass because a hypervisor stops this CPU: give up only if the HPET did not
		 * count.
		 */
		if (cpu_rdtsc() - start.tsc > MOST_TICKS && read(hpet, HPET_COUNTER) == start.hpet)
			return ERR_NOT_FOUND;
	} while (read(hpet, HPET_COUNTER) - start.hpet < ticks);
	end = read_both(hpet);
	*ret_frequency = scale_apply(scale_make(PS_PER_S, (uint64_t)(end.hpet - start.hpet) * period / 1000),
				     end.tsc - start.tsc);
	return OK;
}
