/*
 * Prints the memory map and the live page tables. It does not check them: kernel/report/audit.c does.
 */
#include "kernel/report/map.h"

#include "kernel/lib/format.h"
#include "kernel/report/leaf_runs.h"
#include "kernel/report/walk_report.h"

/* ---- physical memory ---- */

void map_print_memory(print_fn *print, const struct memmap *map)
{
	char text[256] = "", size[16];
	size_t length = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];

		print("0x%016llx-0x%016llx %9s  %s\n", (unsigned long long)r->start, (unsigned long long)r->end - 1,
		      format_size(size, r->end - r->start), mem_type_name((enum mem_type)r->type));
	}
	for (int type = MEM_NONE + 1; type < MEM_TYPES; type++) {
		uint64_t bytes = memmap_bytes(map, (enum mem_type)type);

		if (bytes && length < sizeof(text))
			length += format_s(text + length, sizeof(text) - length, "%s%s %s", length ? ", " : "",
					   mem_type_name((enum mem_type)type), format_size(size, bytes));
	}
	print_wrapped(print, "memory:", text);
}

void map_print_totals(print_fn *print, const struct memmap *map)
{
	uint64_t ram = 0;
	char size[16];

	for (int type = MEM_NONE + 1; type < MEM_TYPES; type++) {
		uint64_t bytes = memmap_bytes(map, (enum mem_type)type);
		size_t ranges = 0;

		if (!bytes)
			continue;
		for (size_t i = 0; i < map->count; i++)
			ranges += map->ranges[i].type == (uint64_t)type;
		if (mem_type_is_ram((enum mem_type)type))
			ram += bytes;
		print("%-14s %9s  in %zu range%s\n", mem_type_name((enum mem_type)type), format_size(size, bytes),
		      ranges, ranges == 1 ? "" : "s");
	}
	print("%-14s %9s\n", "all RAM", format_size(size, ram));
}

/* ---- a space ---- */

struct labelled_print {
	print_fn *print;
	const struct map_label *labels;
	size_t label_count;
};

static const char *name_of(const struct labelled_print *p, const struct leaf_run *run)
{
	for (size_t i = 0; i < p->label_count; i++)
		if (run->start >= p->labels[i].start && run->start < p->labels[i].end)
			return p->labels[i].name;
	return run->range < LAYOUT_COUNT ? layout_ranges[run->range].name : "outside the map";
}

/* Write how many leaves of each size a run has: "1G:3 2M:510 4K:1024" */
static void format_leaves(const struct leaf_run *run, char *text, size_t size)
{
	static const char *const names[] = { "4K", "2M", "1G", "512G" };
	size_t length = 0;

	text[0] = '\0';
	for (int i = 3; i >= 0; i--)
		if (run->leaves[i] && length < size)
			length += format_s(text + length, size - length, "%s%s:%zu", length ? " " : "", names[i],
					   run->leaves[i]);
}

static void print_run(void *ctx, const struct leaf_run *run)
{
	const struct labelled_print *p = ctx;
	char size[16], rights[RIGHTS_TEXT], leaves[48];

	format_leaves(run, leaves, sizeof(leaves));
	p->print("0x%016llx-0x%016llx %9s %-5s %-3s %-19s %s\n", (unsigned long long)run->start,
		 (unsigned long long)run->last, format_size(size, run->last - run->start + 1),
		 rights_format(run->prot, rights), memory_type_name(run->prot), leaves, name_of(p, run));
}

void map_print_space(print_fn *print, const struct space *s, const struct map_label *labels, size_t label_count)
{
	struct labelled_print p = { print, labels, label_count };
	size_t tables = leaf_runs_visit(s, print_run, &p);
	char size[16];

	print("page tables: %zu frames, %s\n", tables, format_size(size, tables * PAGE_SIZE));
}
