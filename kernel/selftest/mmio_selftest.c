/*
 * Tests of mmio_map() and mmio_unmap() on the real machine. They map the firmware's flash memory right below 4 GiB: PCs
 * have it, and reading it has no effect.
 */
#include "kernel/arch/features.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/mmio.h"
#include "kernel/selftest/memory_selftests.h"

#define FLASH_END 0x100000000ULL

static enum status try_map(uint64_t pa, uint64_t size, enum page_prot type)
{
	void *p;
	enum status status = mmio_map(paddr(pa), size, type, &p);

	if (status == OK)
		mmio_unmap(p);
	return status;
}

static bool refuses_what_it_must(void)
{
	uint64_t limit = 1ULL << cpu_features()->physical_bits;

	SELFTEST_CHECK(try_map(FLASH_END - PAGE_SIZE, PAGE_SIZE, PROT_WB) == ERR_RIGHTS);
	SELFTEST_CHECK(try_map(FLASH_END - PAGE_SIZE, PAGE_SIZE, PROT_UC | PROT_X) == ERR_RIGHTS);
	SELFTEST_CHECK(try_map(FLASH_END - PAGE_SIZE, 0, PROT_UC) == ERR_RANGE);
	SELFTEST_CHECK(try_map(limit, 1, PROT_UC) == ERR_RANGE);
	SELFTEST_CHECK(try_map(limit - 1, 2, PROT_UC) == ERR_RANGE);
	for (size_t i = 0; i < machine_memmap->count; i++) {
		const struct mem_range *r = &machine_memmap->ranges[i];

		if (mem_type_is_ram((enum mem_type)r->type) && try_map(r->end - 1, 1, PROT_UC) != ERR_EXISTS)
			return selftest_fail("maps RAM at %#llx", (unsigned long long)r->end - 1);
	}
	return true;
}

/* Check that mmio_map() makes a leaf of the level asked for, and that mmio_unmap() removes it. */
static bool maps_and_unmaps(uint64_t pa, uint64_t size, enum page_prot type, int level)
{
	struct mapping m = { 0 }, gone;
	uint8_t *p;
	enum status found;
	void *mapped;

	SELFTEST_CHECK(mmio_map(paddr(pa), size, type, &mapped) == OK);
	p = mapped;
	found = space_lookup(&kernel_space, (uintptr_t)p, &m);
	mmio_unmap(p);
	SELFTEST_CHECK(found == OK && m.prot == (PROT_W | type) && m.level == level);
	SELFTEST_CHECK(m.pa.raw + ((uintptr_t)p - m.va) == pa);
	SELFTEST_CHECK(space_lookup(&kernel_space, (uintptr_t)p, &gone) == ERR_NOT_FOUND);
	return true;
}

static bool each_type_and_size(void)
{
	uint64_t top = 1ULL << cpu_features()->physical_bits;

	return maps_and_unmaps(FLASH_END - 16, 16, PROT_UC, 1) && maps_and_unmaps(FLASH_END - 16, 16, PROT_WC, 1) &&
	       maps_and_unmaps(FLASH_END - 16, 16, PROT_WT, 1) && maps_and_unmaps(top - 8, 8, PROT_UC, 1) &&
	       maps_and_unmaps(FLASH_END - PAGE_SIZE_2M, PAGE_SIZE_2M, PROT_UC, 2);
}

/* Return a checksum of the page at `p`. */
static uint64_t sum(const volatile uint64_t *p)
{
	uint64_t s = 0;

	for (size_t i = 0; i < PAGE_SIZE / sizeof(*p); i++)
		s = s * 31 + p[i];
	return s;
}

/*
 * Map different pages at the same address, one after another, and check that each is seen there: mmio_unmap() must have
 * removed the TLB entry of the page before.
 */
static bool no_stale_page(void)
{
	void *p, *where = NULL;
	uint64_t sums[16];

	SELFTEST_CHECK(mmio_map(paddr(FLASH_END - 16 * PAGE_SIZE), 16 * PAGE_SIZE, PROT_UC, &p) == OK);
	for (size_t i = 0; i < 16; i++)
		sums[i] = sum((void *)((uintptr_t)p + i * PAGE_SIZE));
	mmio_unmap(p);
	for (size_t i = 0; i < 16; i++) {
		uint64_t s;

		SELFTEST_CHECK(mmio_map(paddr(FLASH_END - (16 - i) * PAGE_SIZE), 1, PROT_UC, &p) == OK);
		s = sum(p);
		mmio_unmap(p);
		SELFTEST_CHECK(!where || where == p);
		SELFTEST_CHECK(s == sums[i]);
		where = p;
	}
	return true;
}

/* Check that a page can be mapped twice with the same memory type, but not with two. */
static bool one_type_a_page(void)
{
	enum status same, other;
	void *p;

	SELFTEST_CHECK(mmio_map(paddr(FLASH_END - PAGE_SIZE), 1, PROT_UC, &p) == OK);
	same = try_map(FLASH_END - 8, 8, PROT_UC);
	other = try_map(FLASH_END - 8, 8, PROT_WC);
	mmio_unmap(p);
	SELFTEST_CHECK(same == OK && other == ERR_EXISTS);
	return true;
}

static const struct selftest tests[] = {
	{ "refuses RAM, wrong types and wrong ranges", refuses_what_it_must },
	{ "each type, each size", each_type_and_size },
	{ "an address that is used again shows the new page", no_stale_page },
	{ "one type a page", one_type_a_page },
};

SELFTEST_SUITE(mmio, tests);
