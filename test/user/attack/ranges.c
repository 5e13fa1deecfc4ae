/*
 * Read, write and execute where no user may: the first, middle and last page of each upper PML4 slot and of each range
 * of the kernel's map. Each try is a child's, which must die with SIGSEGV.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>

#include "paging/layout.h"
#include "test/user/tap.h"

#define SLOT_SIZE (1UL << 39)
#define MEGABYTE  (1UL << 20)

static const struct {
	const char *name;
	int (*touch)(void *address);
} kinds[] = {
	{ "read", touch_read },
	{ "write", touch_write },
	{ "execute", touch_execute },
};

/* Try one address. Returns 0 when the child died as it must, else the address, or 1 for address 0. */
static uint64_t try_address(int (*touch)(void *), uint64_t address)
{
	if (in_child(touch, (void *)address) == KILLED(SIGSEGV))
		return 0;
	return address ? address : 1;
}

/* The first, middle and last page of [base, base + size). Returns the last address that did not kill, or 0. */
static uint64_t try_range(int (*touch)(void *), uint64_t base, uint64_t size)
{
	const uint64_t offsets[] = { 0, size / 2 & -PAGE, size - PAGE, size - 1 };
	uint64_t survived = 0;

	for (size_t i = 0; i < COUNT(offsets); i++) {
		uint64_t result = try_address(touch, base + offsets[i]);

		survived = result ? result : survived;
	}
	return survived;
}

static void test_slots(void)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		uint64_t survived = 0;
		char name[80];

		for (uint64_t slot = KERNEL_SLOT; slot <= SHARED_SLOT; slot++) {
			uint64_t result =
				try_range(kinds[i].touch, HHDM_BASE + (slot - KERNEL_SLOT) * SLOT_SIZE, SLOT_SIZE);

			survived = result ? result : survived;
		}
		snprintf(name, sizeof(name), "%s in each upper PML4 slot is the end", kinds[i].name);
		is((long)survived, 0, name);
	}
}

/* The ranges of the map, and what the kernel fills of them first: the starts of the image and of the heap. */
static void test_ranges(void)
{
	static const struct {
		const char *name;
		uint64_t base, size;
	} ranges[] = {
		{ "direct map", HHDM_BASE, HHDM_SIZE },
		{ "direct map's first MiB", HHDM_BASE, MEGABYTE },
		{ "direct map's MiB at 1 MiB", HHDM_BASE + MEGABYTE, MEGABYTE },
		{ "MMIO window", MMIO_BASE, MMIO_SIZE },
		{ "MMIO window's first MiB", MMIO_BASE, MEGABYTE },
		{ "heap", HEAP_BASE, HEAP_SIZE },
		{ "heap's first 4 MiB", HEAP_BASE, 4 * MEGABYTE },
		{ "heap's last 4 MiB", HEAP_BASE + HEAP_SIZE - 4 * MEGABYTE, 4 * MEGABYTE },
		{ "image", IMAGE_BASE, IMAGE_SIZE },
		{ "image's first 64 KiB", IMAGE_BASE, MEGABYTE / 16 },
		{ "image's first MiB", IMAGE_BASE, MEGABYTE },
		{ "non-canonical hole's start", USER_SIZE, MEGABYTE },
		{ "non-canonical hole's end", HHDM_BASE - MEGABYTE, MEGABYTE },
	};

	for (size_t i = 0; i < COUNT(ranges); i++) {
		for (size_t j = 0; j < COUNT(kinds); j++) {
			uint64_t survived = try_range(kinds[j].touch, ranges[i].base, ranges[i].size);
			char name[80];

			snprintf(name, sizeof(name), "%s in the %s is the end", kinds[j].name, ranges[i].name);
			is((long)survived, 0, name);
		}
	}
}

/* Every page of the image's first megabyte, where the kernel's code and data lie. */
static void test_image_pages(void)
{
	for (size_t j = 0; j < COUNT(kinds); j++) {
		uint64_t survived = 0;
		char name[80];

		for (uint64_t offset = 0; offset < MEGABYTE; offset += PAGE) {
			uint64_t result = try_address(kinds[j].touch, IMAGE_BASE + offset + 16);

			survived = result ? result : survived;
		}
		snprintf(name, sizeof(name), "%s in each page of the image's first MiB is the end", kinds[j].name);
		is((long)survived, 0, name);
	}
}

int main(void)
{
	test_slots();
	test_ranges();
	test_image_pages();
	return finish();
}
