/*
 * The rules of the memory map, one function for each range of addresses, applied to each leaf (an entry that maps
 * memory) of a space. The audit repairs nothing: the caller decides what to do about a fault.
 */
#include "kernel/report/audit.h"

#include "kernel/report/walk_report.h"
#include "paging/layout.h"

/* The bits that a PML4 entry of this kernel may have besides its address. */
#define ROOT_BITS (PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED | PTE_PINNED)

/* The state of one audit. */
struct run {
	const struct space *s;
	const struct audit_facts *facts;
	enum audit_kind kind;
	struct audit *audit;
	/*
	 * index of the range of the memory map that holds the last leaf: leaves are visited in ascending order, so
	 * all_ram() starts its next search there
	 */
	size_t at;
	uint64_t direct_bytes; /* bytes of RAM that the direct map has at the right address, so far */
	bool tries;            /* several leaves are checked as if they were one: faults only set `failed` */
	bool failed;
};

static void report(struct run *run, enum audit_fault fault, vaddr_t va, uint64_t entry, int level)
{
	struct audit *audit = run->audit;

	if (run->tries) {
		run->failed = true;
		return;
	}
	audit->counts[fault]++;
	if (audit->finding_count < AUDIT_FINDINGS)
		audit->findings[audit->finding_count++] = (struct audit_finding){ fault, va, entry, level };
}

static void report_leaf(struct run *run, enum audit_fault fault, const struct mapping *m)
{
	report(run, fault, m->va, space_find(run->s, m->va).pte->raw, m->level);
}

static bool in_range(vaddr_t va, vaddr_t base, uint64_t size)
{
	return va - base < size;
}

static bool slot_allowed(enum audit_kind kind, unsigned slot)
{
	if (slot == SHARED_SLOT)
		return true;
	if (kind != AUDIT_AS_KERNEL)
		return slot < KERNEL_SLOT;
	return slot >= LAYOUT_SLOT(HHDM_BASE) && slot <= LAYOUT_SLOT(MMIO_BASE + MMIO_SIZE - 1);
}

/* ---- physical memory ---- */

static bool is_ram(const struct mem_range *r)
{
	return mem_type_is_ram((enum mem_type)r->type);
}

/*
 * Return whether all of [start, start + size) is RAM. The search starts at the range run->at, and sets run->at to the
 * range that it finds, since the next leaf is usually in the same range.
 */
static bool all_ram(struct run *run, uint64_t start, uint64_t size)
{
	const struct memmap *map = run->facts->memmap;
	uint64_t end = start + size;

	if (run->at >= map->count || map->ranges[run->at].start > start)
		run->at = 0;
	while (run->at < map->count && map->ranges[run->at].end <= start)
		run->at++;
	for (size_t i = run->at; i < map->count && map->ranges[i].start <= start && is_ram(&map->ranges[i]); i++) {
		start = map->ranges[i].end;
		if (start >= end)
			return true;
	}
	return false;
}

/* Return whether any part of [start, start + size) is RAM. */
static bool some_ram(const struct run *run, uint64_t start, uint64_t size)
{
	const struct memmap *map = run->facts->memmap;

	for (size_t i = 0; i < map->count; i++)
		if (map->ranges[i].start < start + size && map->ranges[i].end > start && is_ram(&map->ranges[i]))
			return true;
	return false;
}

/* ---- the rules for leaves, a range each; `size`: bytes of the leaf, or of the run that begins with it ---- */

static void check_firmware_leaf(struct run *run, const struct mapping *m)
{
	if (m->va != m->pa.raw)
		report_leaf(run, AUDIT_WRONG_FRAME, m);
	if (m->prot & PROT_USER)
		report_leaf(run, AUDIT_USER, m);
}

static void check_direct_leaf(struct run *run, const struct mapping *m, uint64_t size)
{
	if (m->prot & PROT_X)
		report_leaf(run, AUDIT_EXECUTABLE, m);
	if ((m->prot & PROT_TYPE) != PROT_WB)
		report_leaf(run, AUDIT_RIGHTS, m);
	if (m->va - HHDM_BASE != m->pa.raw)
		report_leaf(run, AUDIT_WRONG_FRAME, m);
	if (!all_ram(run, m->pa.raw, size))
		report_leaf(run, AUDIT_NOT_RAM, m);
	else if (m->va - HHDM_BASE == m->pa.raw)
		run->direct_bytes += size;
}

static void check_mmio_leaf(struct run *run, const struct mapping *m, uint64_t size)
{
	if (m->prot & PROT_X)
		report_leaf(run, AUDIT_EXECUTABLE, m);
	if ((m->prot & PROT_TYPE) == PROT_WB)
		report_leaf(run, AUDIT_RIGHTS, m);
	if (some_ram(run, m->pa.raw, size))
		report_leaf(run, AUDIT_RAM, m);
}

static void check_heap_leaf(struct run *run, const struct mapping *m)
{
	if (m->prot & PROT_X)
		report_leaf(run, AUDIT_EXECUTABLE, m);
	if ((m->prot & PROT_TYPE) != PROT_WB)
		report_leaf(run, AUDIT_RIGHTS, m);
}

static void check_image_leaf(struct run *run, const struct mapping *m, uint64_t size)
{
	const enum page_prot compared = PROT_W | PROT_X | PROT_TYPE;

	for (size_t i = 0; i < run->facts->segment_count; i++) {
		const struct boot_segment *g = &run->facts->segments[i];

		if (!in_range(m->va, g->va, g->pages * PAGE_SIZE))
			continue;
		if ((m->prot & compared) != (g->prot & compared))
			report_leaf(run, AUDIT_RIGHTS, m);
		if (m->va - g->va + size > g->pages * PAGE_SIZE)
			report_leaf(run, AUDIT_OUTSIDE, m);
		else if (m->va - g->va != m->pa.raw - g->pa.raw)
			report_leaf(run, AUDIT_WRONG_FRAME, m);
		return;
	}
	report_leaf(run, AUDIT_OUTSIDE, m);
}

/* ---- the visit ---- */

static void check_leaf(struct run *run, const struct mapping *m, uint64_t size)
{
	unsigned slot = LAYOUT_SLOT(m->va);

	if ((m->prot & PROT_W) && (m->prot & PROT_X))
		report_leaf(run, AUDIT_WX, m);
	if ((m->prot & PROT_USER) && slot >= KERNEL_SLOT)
		report_leaf(run, AUDIT_USER, m);
	if ((m->prot & PROT_GLOBAL) && slot != SHARED_SLOT)
		report_leaf(run, AUDIT_STRAY_GLOBAL, m);
	if (!(m->prot & PROT_GLOBAL) && slot == SHARED_SLOT)
		report_leaf(run, AUDIT_NOT_GLOBAL, m);

	if (!slot_allowed(run->kind, slot))
		report_leaf(run, AUDIT_OUTSIDE, m);
	else if (in_range(m->va, HHDM_BASE, HHDM_SIZE))
		check_direct_leaf(run, m, size);
	else if (in_range(m->va, MMIO_BASE, MMIO_SIZE))
		check_mmio_leaf(run, m, size);
	else if (in_range(m->va, HEAP_BASE, HEAP_SIZE))
		check_heap_leaf(run, m);
	else if (m->va >= IMAGE_BASE)
		check_image_leaf(run, m, size);
	else if (run->kind == AUDIT_AS_FIRMWARE)
		check_firmware_leaf(run, m);
}

/* Return whether a run of leaves, checked as if it were one large leaf, keeps the rules. */
static bool keeps_rules(struct run *run, const struct mapping *m, uint64_t size)
{
	const uint64_t direct_bytes = run->direct_bytes;

	run->tries = true;
	run->failed = false;
	check_leaf(run, m, size);
	run->tries = false;
	if (run->failed)
		run->direct_bytes = direct_bytes;
	return !run->failed;
}

static bool visit_leaves(void *ctx, const struct mapping *m, size_t count)
{
	const uint64_t size = level_size(m->level);
	struct run *run = ctx;
	struct mapping one = *m;

	run->audit->leaves += count;
	/* A run of 1 GiB leaves may extend into another range, which has other rules. */
	if (m->level < 3 && keeps_rules(run, m, count * size))
		return true;
	for (; count; count--, one.va += size, one.pa = paddr_add(one.pa, size))
		check_leaf(run, &one, size);
	return true;
}

/*
 * Count a table. A table outside RAM is not in the direct map, and so cannot be read: return false, which ends the
 * visit before it is read.
 */
static bool visit_table(void *ctx, paddr_t pa, int level, vaddr_t va)
{
	struct run *run = ctx;
	const struct mem_range *r = memmap_find(run->facts->memmap, pa);

	run->audit->tables++;
	if (r && is_ram(r))
		return true;
	report(run, AUDIT_TABLE, va, pa.raw, level + 1);
	return false;
}

/* ---- rules that are not about a leaf ---- */

static void check_root(struct run *run)
{
	const pte_t *root = (const pte_t *)(run->s->direct + run->s->root.raw);
	const pte_t *kernel = (const pte_t *)(run->facts->kernel->direct + run->facts->kernel->root.raw);
	uint64_t allowed = ROOT_BITS | (PTE_ADDRESS & ((1ULL << run->facts->physical_bits) - 1));

	run->audit->tables++;
	for (unsigned slot = 0; slot < 512; slot++) {
		pte_t e = root[slot];
		vaddr_t va = (uint64_t)((int64_t)((uint64_t)slot << 55) >> 16);

		if (pte_present(e) && (!slot_allowed(run->kind, slot) || (e.raw & ~allowed) ||
				       (slot >= KERNEL_SLOT && (e.raw & PTE_USER))))
			report(run, AUDIT_ROOT, va, e.raw, 4);
	}
	/* The accessed bit may differ: the CPU sets it in each copy by itself. */
	if ((root[SHARED_SLOT].raw ^ kernel[SHARED_SLOT].raw) & ~PTE_ACCESSED)
		report(run, AUDIT_SHARED, HEAP_BASE, root[SHARED_SLOT].raw, 4);
}

/* Report leaves of the direct map through which the segment's frames can be written. */
static void check_text_alias(struct run *run, const struct boot_segment *text)
{
	vaddr_t va = HHDM_BASE + text->pa.raw, end = va + text->pages * PAGE_SIZE;
	struct mapping m;

	while (va < end && space_lookup(run->s, va, &m) == OK) {
		if (m.prot & PROT_W)
			report_leaf(run, AUDIT_TEXT_ALIAS, &m);
		va = m.va + level_size(m.level);
	}
}

/* Report the parts of the memory range `r` that the direct map leaves out. */
static void find_holes(struct run *run, const struct mem_range *r)
{
	vaddr_t va = HHDM_BASE + r->start, end = HHDM_BASE + r->end;

	while (va < end && in_range(va, HHDM_BASE, HHDM_SIZE)) {
		struct slot slot = space_find(run->s, va);
		vaddr_t next = align_down(va, level_size(slot.level)) + level_size(slot.level);

		if (next > end)
			next = end;
		if (!pte_present(*slot.pte)) {
			report(run, AUDIT_MISSING, va, slot.pte->raw, slot.level);
			run->audit->counts[AUDIT_MISSING] += (next - va) / PAGE_SIZE - 1;
		}
		va = next;
	}
}

/*
 * Check that all RAM is in the direct map. Each leaf of the direct map has been checked to map RAM, so equal sums of
 * bytes prove that; the holes are searched for only when the sums differ.
 */
static void check_missing(struct run *run)
{
	const struct memmap *map = run->facts->memmap;
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];

		if (is_ram(r) && r->start < HHDM_SIZE)
			bytes += (r->end < HHDM_SIZE ? r->end : HHDM_SIZE) - r->start;
	}
	if (bytes == run->direct_bytes)
		return;
	for (size_t i = 0; i < map->count; i++)
		if (is_ram(&map->ranges[i]))
			find_holes(run, &map->ranges[i]);
}

void audit_space(const struct space *s, enum audit_kind kind, const struct audit_facts *facts, struct audit *ret)
{
	struct run run = { .s = s, .facts = facts, .kind = kind, .audit = ret };
	const struct space_visitor visitor = { .leaves = visit_leaves, .table = visit_table, .ctx = &run };

	*ret = (struct audit){ 0 };
	check_root(&run);
	if (!space_visit(s, 0, ~0ULL, &visitor) || kind != AUDIT_AS_KERNEL)
		return;
	for (size_t i = 0; i < facts->segment_count; i++)
		if (facts->segments[i].prot & PROT_X)
			check_text_alias(&run, &facts->segments[i]);
	check_missing(&run);
}

size_t audit_total(const struct audit *audit)
{
	size_t total = 0;

	for (size_t i = 0; i < AUDIT_FAULT_COUNT; i++)
		total += audit->counts[i];
	return total;
}

static const char *const fault_words[] = {
#define X(name, words) words,
	AUDIT_FAULTS(X)
#undef X
};

void audit_print(print_fn *print, const char *name, const struct audit *audit)
{
	print("audit: %s:", name);
	for (size_t i = 0; i < AUDIT_FAULT_COUNT; i++)
		/* The first four faults are always printed, others when there are any. */
		if (i <= AUDIT_OUTSIDE || audit->counts[i])
			print("%s %zu %s", i ? "," : "", audit->counts[i], fault_words[i]);
	print("; %zu leaves, %zu tables\n", audit->leaves, audit->tables);
	for (size_t i = 0; i < audit->finding_count; i++) {
		const struct audit_finding *f = &audit->findings[i];

		print("audit:   0x%016llx %s: %s 0x%016llx\n", (unsigned long long)f->va, fault_words[f->fault],
		      entry_name(f->level), (unsigned long long)f->entry);
	}
}
