/*
 * Prints the counters of kernel/irq. Changes nothing.
 */
#include "kernel/report/irq_report.h"

#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/rtc.h"
#include "kernel/irq/timer.h"

/* Print a time in seconds and microseconds. */
static void print_time(print_fn *print, const char *what, uint64_t ns)
{
	print("%s %llu.%06llu s\n", what, (unsigned long long)(ns / NS_PER_S),
	      (unsigned long long)(ns % NS_PER_S / 1000));
}

static void print_vector(print_fn *print, unsigned vector)
{
	uint32_t gsi = irq_gsi(vector);

	if (!irq_count(vector) && gsi == IRQ_NO_GSI)
		return;
	print("vector %u: %llu", vector, (unsigned long long)irq_count(vector));
	if (gsi != IRQ_NO_GSI)
		print(", GSI %u\n", gsi);
	else
		print("%s\n", vector == VECTOR_TIMER ? ", timer" : vector == VECTOR_SPURIOUS ? ", spurious" : "");
}

void report_irqs(print_fn *print)
{
	struct rtc_date d = rtc_date(clock_realtime_ns() / NS_PER_S);
	uint64_t next = timer_next_ns();

	print("wall clock %u-%02u-%02u %02u:%02u:%02u UTC\n", d.year, d.month, d.day, d.hour, d.minute, d.second);
	print_time(print, "since the start", clock_monotonic_ns());
	if (next == UINT64_MAX)
		print("no timer is started\n");
	else
		print_time(print, "the next timer fires at", next);
	for (unsigned vector = VECTOR_PIC; vector <= VECTOR_SPURIOUS; vector++)
		print_vector(print, vector);
	print("nobody's: %llu\n", (unsigned long long)irq_stray_count());
}
