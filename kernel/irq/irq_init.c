/*
 * Starts interrupts and clocks at boot, in the right order, and logs what was found.
 */
#include "kernel/arch/features.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/tsc.h"
#include "kernel/irq/acpi_view.h"
#include "kernel/irq/apic.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/hpet.h"
#include "kernel/irq/ioapic.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/pic.h"
#include "kernel/irq/pm_timer.h"
#include "kernel/irq/rtc.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"

static struct acpi_info acpi; /* fixed after boot */

const struct acpi_info *irq_acpi(void)
{
	return &acpi;
}

static void read_acpi(paddr_t rsdp)
{
	static struct acpi_view view;
	static const struct acpi_memory memory = { .at = acpi_view_at, .ctx = &view };
	enum status status = acpi_read(&memory, rsdp, &acpi);

	if (view.count)
		log_info("ACPI: tables outside RAM, read through %u mappings\n", view.count);
	acpi_view_end(&view);
	for (unsigned i = 0; i < acpi.fault_count; i++)
		log_warn("ACPI: %s at %#llx %s: %s\n", acpi.faults[i].table, (unsigned long long)acpi.faults[i].pa.raw,
			 acpi.faults[i].used ? "is not sound" : "skipped", acpi.faults[i].what);
	if (status == ERR_NOT_FOUND)
		log_warn("ACPI: no tables\n");
}

static void apic_error(void *ctx)
{
	(void)ctx;
	log_warn("APIC: error status %#x\n", apic_take_errors());
}

/* Return false with Linux's acpi=off. */
static bool wants_acpi(const char *cmdline)
{
	char value[8];

	return !cmdline_get(cmdline, "acpi", value, sizeof(value)) || strcmp(value, "off") != 0;
}

/*
 * Turn the local APIC on, and stop all other CPUs with it. The kernel does without it (APIC_NONE) when the CPU has
 * none, when it cannot be reached, and with the word `nolapic` on the command line.
 */
static void start_local_apic(const char *cmdline)
{
	enum status status = apic_init(acpi.local_apic, VECTOR_SPURIOUS, VECTOR_ERROR);

	if (status == ERR_NO_MEMORY)
		panic("no memory for the local APIC");
	if (status != OK) {
		log_warn("APIC: %s\n", status == ERR_NOT_FOUND ? "this CPU has no local APIC"
							       : "the local APIC's registers cannot be mapped");
		return;
	}
	/* Without an MADT nobody knows how many CPUs there are: an INIT that reaches none does no harm. */
	if (acpi.cpus != 1)
		apic_park_others();
	if (cmdline_has(cmdline, "nolapic"))
		apic_end();
}

/* Start the I/O APICs, for which a local APIC is needed. Returns how many are in use. */
static unsigned start_io_apics(const char *cmdline)
{
	unsigned io_apics;

	if (apic_mode() == APIC_NONE || cmdline_has(cmdline, "noapic"))
		return 0;
	io_apics = ioapic_init(&acpi);
	if (io_apics < acpi.io_apic_count)
		log_warn("I/O APIC: %u of %u left alone\n", acpi.io_apic_count - io_apics, acpi.io_apic_count);
	return io_apics;
}

/* Let the 8259s take the I/O APICs' place. */
static void start_8259s(void)
{
	if (pic_start()) {
		irq_use_8259s();
		if (apic_mode() != APIC_NONE)
			apic_pass_8259s();
		log_info("interrupts of devices come by the 8259s\n");
		return;
	}
	if (apic_mode() == APIC_NONE)
		panic("no local APIC that can be used, and no 8259s: nothing would interrupt this CPU");
	log_warn("no I/O APIC and no 8259s: no device can interrupt\n");
}

static void start_controllers(const char *cmdline)
{
	static const char *const modes[] = { [APIC_NONE] = "none", [APIC_X2APIC] = "x2APIC", [APIC_XAPIC] = "xAPIC" };
	unsigned io_apics;

	irq_vectors_init();
	/*
	 * Disable the 8259s even if the tables mention none: without 8259s nothing uses their ports, and the writes do
	 * no harm.
	 */
	pic_disable(VECTOR_PIC);
	irq_set_vector(VECTOR_ERROR, apic_error, NULL);
	start_local_apic(cmdline);
	io_apics = start_io_apics(cmdline);
	log_info("CPUs: %u; APIC: %s, id %u; I/O APICs: %u\n", acpi.cpus ? acpi.cpus : 1, modes[apic_mode()],
		 apic_mode() == APIC_NONE ? 0 : apic_id(), io_apics);
	if (!io_apics)
		start_8259s();
}

/*
 * Measure the time-stamp counter's rate against HPET, PIT or the ACPI PM timer; 0 when none of them works. *ret_source
 * names the one used.
 */
static uint64_t measure_tsc(const char **ret_source)
{
	uint64_t frequency;

	*ret_source = "HPET";
	if (acpi.hpet.raw && hpet_measure_tsc(acpi.hpet, &frequency) == OK)
		return frequency;
	*ret_source = "PIT";
	frequency = tsc_frequency_by_pit();
	if (frequency)
		return frequency;
	*ret_source = "ACPI PM timer";
	return pm_timer_measure_tsc(acpi.pm_timer, &frequency) == OK ? frequency : 0;
}

/*
 * Find the TSC's rate. CPUID's value is exact on real machines, but an emulator may show the CPUID leaves of a CPU that
 * is faster or slower than the emulated one. So the rate is always measured, and the measured rate is used when CPUID's
 * is far from it.
 */
static uint64_t find_tsc_frequency(const char **ret_source)
{
	uint64_t told = tsc_frequency_by_cpuid(), measured = measure_tsc(ret_source), apart;

	apart = told > measured ? told - measured : measured - told;
	if (told && measured && apart > measured / 16)
		log_warn("TSC: CPUID says %llu MHz, which is not so\n", (unsigned long long)(told / 1000000));
	else if (told)
		*ret_source = "CPUID";
	if (measured)
		return told && apart <= measured / 16 ? told : measured;
	if (told)
		return told;
	*ret_source = "CPUID's nominal frequency";
	return tsc_frequency_by_name();
}

static void start_wall_clock(void)
{
	enum status status;
	struct rtc_date d;
	uint64_t seconds;

	status = rtc_read(acpi.century, &seconds);
	if (status != OK) {
		log_warn("RTC: %s: the wall clock starts in 1970\n", status == ERR_FORMAT ? "no valid date" : "none");
		return;
	}
	clock_set_realtime(seconds * NS_PER_S);
	d = rtc_date(seconds);
	log_info("wall clock: %u-%02u-%02u %02u:%02u:%02u UTC\n", d.year, d.month, d.day, d.hour, d.minute, d.second);
}

static void start_clocks(uint64_t tsc_start)
{
	const char *source, *timer;
	uint64_t frequency;

	timer_prepare();
	frequency = find_tsc_frequency(&source);
	if (!frequency)
		panic("nothing tells how fast the time-stamp counter is: no CPUID leaf, no HPET, no PIT, no ACPI PM "
		      "timer");
	clock_init(frequency, tsc_start);
	timer = timer_init();
	log_info("TSC: %llu.%03llu MHz by %s%s; timer: %s\n", (unsigned long long)(frequency / 1000000),
		 (unsigned long long)(frequency / 1000 % 1000), source,
		 cpu_features()->invariant_tsc ? "" : ", not said to be invariant", timer);
	start_wall_clock();
}

void irq_init(const struct boot_info *info)
{
	const char *cmdline = hhdm_ptr(info->cmdline);

	if (wants_acpi(cmdline))
		read_acpi(info->rsdp);
	else
		log_info("ACPI: left alone, as acpi=off says\n");
	start_controllers(cmdline);
	start_clocks(info->tsc[STAMP_ENTRY]);
	irq_open();
}
