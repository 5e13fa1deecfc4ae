/*
 * Prints the counters of kernel/mm/space/tlb.h and how many frames the page tables take. Changes nothing.
 */
#include "kernel/report/context_report.h"

#include "kernel/lib/format.h"
#include "kernel/mm/space/tlb.h"

static void count_context(void *ctx, const struct context *c)
{
	(void)c;
	++*(unsigned *)ctx;
}

void report_contexts(print_fn *print)
{
	const struct tlb_stats s = context_tlb_stats();
	size_t frames = context_table_frames();
	unsigned contexts = 0;
	char size[16];

	context_visit(count_context, &contexts);
	print("CR3: %llu writes, %llu of them flushed; PCIDs %s, dealt %llu times\n", (unsigned long long)s.cr3_writes,
	      (unsigned long long)s.cr3_flushes, cpu_read_cr4() & CR4_PCIDE ? "on" : "off",
	      (unsigned long long)s.deals);
	print("invalidations: %llu pages by INVLPG, %llu by INVPCID; %llu full flushes; %llu left to the next load\n",
	      (unsigned long long)s.pages, (unsigned long long)s.pages_of, (unsigned long long)s.full_flushes,
	      (unsigned long long)s.deferred);
	print("tables: %zu frames (%s) in %u contexts\n", frames, format_size(size, frames * PAGE_SIZE), contexts);
}
