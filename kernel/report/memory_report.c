/*
 * Prints the counts of the frame allocator and the heap. Changes nothing.
 */
#include "kernel/report/memory_report.h"

#include "kernel/lib/format.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/report/symbols.h"

void report_frames(print_fn *print)
{
	uint64_t free = frame_free_count(&machine_frames);
	char size[16], metadata[16];

	print("frames: %llu of %llu free, %s; %s describe them\n", (unsigned long long)free,
	      (unsigned long long)machine_frames.total, format_size(size, free * PAGE_SIZE),
	      format_size(metadata, machine_frames.metadata));
	if (machine_frames.left_out)
		print("frames: %llu left out, beyond the direct map or without room to describe them\n",
		      (unsigned long long)machine_frames.left_out);
}

static void print_class(void *ctx, const struct heap_class_stats *c)
{
	print_fn *print = *(print_fn **)ctx;

	if (c->blocks)
		print("%8u bytes: %6llu of %6llu blocks in use  %s\n", c->size, (unsigned long long)c->used,
		      (unsigned long long)c->blocks, c->name ? c->name : "");
}

static void print_owner(void *ctx, const void *owner, uint64_t count, uint64_t bytes)
{
	print_fn *print = *(print_fn **)ctx;
	char text[SYMBOL_TEXT];

	print("%8llu bytes in %llu blocks: %s\n", (unsigned long long)bytes, (unsigned long long)count,
	      symbol_format_return((uintptr_t)owner, text));
}

void report_heap(print_fn *print)
{
	struct heap_stats stats = heap_get_stats();
	char mapped[16], peak[16], free[16], books[16];

	print("heap: %s mapped (at most %s), of it %s free and %s books; grown %llu times, given back %llu times\n",
	      format_size(mapped, stats.mapped), format_size(peak, stats.peak), format_size(free, stats.free),
	      format_size(books, stats.metadata), (unsigned long long)stats.grown, (unsigned long long)stats.returned);
	heap_visit_classes(print_class, &print);
	heap_report(print_owner, &print);
}
