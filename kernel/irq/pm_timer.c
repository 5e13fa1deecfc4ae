/*
 * Reads the ACPI power management timer's counter, by a port or in memory (ACPI 6.5, "Power Management Timer"). The
 * counter has 24 bits, or 32: the lower 24 are enough, since they take 4.7 s to come round.
 */
#include "kernel/irq/pm_timer.h"

#include "kernel/arch/cpu.h"
#include "kernel/mm/space/mmio.h"

#define FREQUENCY    3579545ULL /* ticks in a second; the same on every machine */
#define COUNTER_MASK 0xffffff
#define MEASURE      (FREQUENCY / 100)
#define LEAST_PORT   0x100 /* a FADT that names a port below is wrong: those ports are the board's own devices' */
/* If the counter has not moved after this many ticks of the TSC (100 ms at 4 GHz), it stands still. */
#define MOST_TICKS 400000000ULL

/* Where the counter is: in memory if `registers` is set, at a port otherwise. */
struct counter {
	const volatile void *registers;
	uint16_t port;
};

/* The PM timer's counter and the TSC, read at the same time. */
struct moment {
	uint32_t count;
	uint64_t tsc;
};

static uint32_t read(const struct counter *c)
{
	return (c->registers ? mmio_read32(c->registers) : cpu_in32(c->port)) & COUNTER_MASK;
}

/* Read both counters. A hypervisor may stop the CPU between the two reads: the quickest of five tries is returned. */
static struct moment read_both(const struct counter *c)
{
	uint64_t quickest = UINT64_MAX;
	struct moment m = { 0 };

	for (int i = 0; i < 5; i++) {
		uint64_t before = cpu_rdtsc(), took;
		uint32_t count = read(c);

		took = cpu_rdtsc() - before;
		if (took < quickest) {
			quickest = took;
			m = (struct moment){ count, before + took / 2 };
		}
	}
	return m;
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
	struct moment start, end;
	enum status status;
	struct counter c;

	status = find_counter(timer, &c);
	if (status != OK)
		return status;
	start = read_both(&c);
	do {
		/*
		 * More than MOST_TICKS may pass because a hypervisor stops this CPU: give up only if the counter did
		 * not move.
		 */
		if (cpu_rdtsc() - start.tsc > MOST_TICKS && read(&c) == start.count)
			return ERR_NOT_FOUND;
		end = read_both(&c);
	} while (((end.count - start.count) & COUNTER_MASK) < MEASURE);
	*ret_frequency = (end.tsc - start.tsc) * FREQUENCY / ((end.count - start.count) & COUNTER_MASK);
	return OK;
}
