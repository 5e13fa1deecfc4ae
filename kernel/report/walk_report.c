/*
 * Prints what the page tables say about an address. Changes no entry.
 */
#include "kernel/report/walk_report.h"

#include "kernel/lib/format.h"

const char *entry_name(int level)
{
	static const char *const names[] = { "PTE", "PDE", "PDPTE", "PML4E" };

	return names[level - 1];
}

char *rights_format(enum page_prot prot, char buffer[RIGHTS_TEXT])
{
	format_s(buffer, RIGHTS_TEXT, "r%c%c%c%s", prot & PROT_W ? 'w' : '-', prot & PROT_X ? 'x' : '-',
		 prot & PROT_GLOBAL ? 'g' : '-', prot & PROT_USER ? "u" : "");
	return buffer;
}

const char *memory_type_name(enum page_prot prot)
{
	switch (prot & PROT_TYPE) {
	case PROT_WC:
		return "WC";
	case PROT_WT:
		return "WT";
	case PROT_UC:
		return "UC";
	default:
		return "WB";
	}
}

const char *leaf_size_name(int level)
{
	static const char *const names[] = { "4 KiB", "2 MiB", "1 GiB", "512 GiB" };

	return names[level - 1];
}

static void print_entry(print_fn *print, vaddr_t va, int level, pte_t e)
{
	char rights[RIGHTS_TEXT];

	print("  %-5s[%3u] 0x%016llx ", entry_name(level), level_index(va, level), (unsigned long long)e.raw);
	if (!pte_present(e)) {
		print("not present%s\n", e.raw ? ", though not zero" : "");
		return;
	}
	rights_format(pte_prot(e), rights);
	if (pte_is_leaf(e, level))
		print("%s at %#llx %s %s%s%s%s\n", leaf_size_name(level), (unsigned long long)pte_paddr(e, level).raw,
		      rights, memory_type_name(pte_prot(e)), e.raw & PTE_ACCESSED ? " A" : "",
		      e.raw & PTE_DIRTY ? " D" : "", level == 4 ? " (reserved bit 7)" : "");
	else
		print("table at %#llx %s%s%s\n", (unsigned long long)pte_paddr(e, level).raw, rights,
		      e.raw & PTE_ACCESSED ? " A" : "", e.raw & PTE_PINNED ? " pinned" : "");
}

void walk_print(print_fn *print, const struct space *s, vaddr_t va)
{
	struct slot path[4];
	int depth = space_walk(s, va, path);

	if (!depth)
		print("  0x%016llx is not canonical: no table has it\n", (unsigned long long)va);
	for (int i = 0; i < depth; i++)
		print_entry(print, va, path[i].level, *path[i].pte);
}

void walk_print_leaf(print_fn *print, const struct space *s, vaddr_t va)
{
	struct slot end = space_find(s, va);
	char rights[RIGHTS_TEXT];
	struct mapping m;

	if (!end.pte)
		return;
	if (space_lookup(s, va, &m) != OK) {
		print("not mapped: the %s is not present\n", entry_name(end.level));
		return;
	}
	print("0x%016llx-0x%016llx -> %#llx, %s %s: 0x%016llx is physical %#llx\n", (unsigned long long)m.va,
	      (unsigned long long)(m.va + level_size(m.level) - 1), (unsigned long long)m.pa.raw,
	      rights_format(m.prot, rights), memory_type_name(m.prot), (unsigned long long)va,
	      (unsigned long long)(m.pa.raw + (va - m.va)));
}
