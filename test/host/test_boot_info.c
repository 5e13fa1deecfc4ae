/*
 * The check of the handoff: a good one passes; with any one field wrong it is refused, and that field is named. The
 * fake machine's RAM lies at 4 GiB, with a direct map wherever the C library put it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/boot/boot_info.h"
#include "paging/pte.h"

#define RAM          0x100000000ULL
#define PAGES        32
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where the handoff's parts lie, in pages from RAM on. */
enum { INFO, RANGES, FIRMWARE_MAP, TRAMPOLINE, TABLES, IMAGE = 8, INITRD = 12, USABLE = 14 };

#define AT(page) (RAM + (page)*PAGE_SIZE)

static const struct mem_range map_of_machine[] = {
	{ 0x1000, 0xa0000, MEM_BOOT_SERVICES }, { AT(INFO), AT(TABLES), MEM_LOADER },
	{ AT(TABLES), AT(IMAGE), MEM_TABLES },  { AT(IMAGE), AT(INITRD), MEM_IMAGE },
	{ AT(INITRD), AT(USABLE), MEM_INITRD }, { AT(USABLE), AT(PAGES), MEM_USABLE },
};

static const char cmdline[] = "console=ttyS0 quiet";

static uint8_t *ram;
static vaddr_t hhdm;
static struct boot_info *info;
static struct mem_range *ranges;

static int make_machine(void **state)
{
	(void)state;
	ram = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	if (!ram)
		return -1;
	memset(ram, 0xcc, PAGES * PAGE_SIZE);
	hhdm = (uintptr_t)ram - RAM;
	info = (struct boot_info *)ram;
	ranges = (struct mem_range *)(ram + RANGES * PAGE_SIZE);
	memcpy(ranges, map_of_machine, sizeof(map_of_machine));
	/* A NUL on either side: a size of -1 would find one. */
	ram[2047] = '\0';
	memcpy(ram + 2048, cmdline, sizeof(cmdline));
	*info = (struct boot_info){
		.magic = BOOT_INFO_MAGIC,
		.version = BOOT_INFO_VERSION,
		.size = sizeof(*info),
		.flags = BOOT_FLAGS,
		.hhdm = hhdm,
		.trampoline = AT(TRAMPOLINE),
		.memmap = paddr(AT(RANGES)),
		.memmap_count = COUNT(map_of_machine),
		.tables = paddr(AT(TABLES)),
		.table_frames = 3,
		.table_spare = 1,
		.segments = { { IMAGE_BASE, paddr(AT(IMAGE + 1)), 2, PROT_X },
			      { IMAGE_BASE + 0x2000, paddr(AT(IMAGE)), 1, PROT_R },
			      { -0x1000ULL, paddr(AT(IMAGE + 3)), 1, PROT_W } },
		.segment_count = 3,
		.framebuffer = { .pa = paddr(0x380000000000),
				 .size = 1024 * 4096,
				 .width = 1000,
				 .height = 1024,
				 .pitch = 4096,
				 .red_shift = 16,
				 .red_bits = 8,
				 .green_shift = 8,
				 .green_bits = 8,
				 .blue_shift = 22,
				 .blue_bits = 10 },
		.rsdp = paddr(0xf5a20),
		.efi_system_table = paddr(AT(USABLE)),
		.efi_map = paddr(AT(FIRMWARE_MAP)),
		.efi_map_size = 48 * 10,
		.efi_descriptor_size = 48,
		.cmdline = paddr(AT(INFO) + 2048),
		.cmdline_size = sizeof(cmdline) - 1,
		.initrd = paddr(AT(INITRD)),
		.initrd_size = 2 * PAGE_SIZE - 1,
		.initrd_outside = paddr(AT(INITRD)),
		.initrd_outside_size = PAGE_SIZE + 1,
		.seed_size = 32,
	};
	return 0;
}

static int drop_machine(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

static void expect_good(void)
{
	const char *what = "untouched";
	uint64_t value = 99;

	if (boot_info_check_at(info, hhdm, &what, &value) != OK)
		fail_msg("refused: %s, %#llx", what, (unsigned long long)value);
	assert_string_equal(what, "untouched");
	assert_int_equal(value, 99);
}

static void expect_bad(const char *expected_what, uint64_t expected_value)
{
	const char *what = "nothing";
	uint64_t value = 0;

	if (boot_info_check_at(info, hhdm, &what, &value) != ERR_FORMAT || strcmp(what, expected_what) != 0 ||
	    value != expected_value)
		fail_msg("%s %#llx expected, but %s %#llx", expected_what, (unsigned long long)expected_value, what,
			 (unsigned long long)value);
}

static void a_good_one_passes(void **state)
{
	(void)state;
	expect_good();
}

/* What may be absent. */
static void less_will_do(void **state)
{
	(void)state;
	info->flags = 0;
	info->framebuffer = (struct boot_framebuffer){ .width = 0 };
	info->rsdp = info->efi_system_table = paddr(0);
	info->initrd = paddr(0);
	info->initrd_size = 0;
	info->seed_size = 0;
	info->table_spare = 0;
	ram[2048] = '\0';
	info->cmdline_size = 0;
	expect_good();
}

#define FIELD(field) offsetof(struct boot_info, field), sizeof(info->field)

/* One field, one wrong value. */
static void each_field_is_named(void **state)
{
	static const struct {
		size_t offset, size;
		uint64_t value;
		const char *what;
		uint64_t other_value; /* when it is not `value` that is told */
	} cases[] = {
		{ FIELD(magic), 0x534f656b6e42, "magic", 0 },
		{ FIELD(version), BOOT_INFO_VERSION + 1, "version", 0 },
		{ FIELD(version), BOOT_INFO_VERSION - 1, "version", 0 },
		{ FIELD(size), sizeof(struct boot_info) - 8, "size", 0 },
		{ FIELD(flags), BOOT_FLAGS + 1, "flags", 0 },
		{ FIELD(flags), 1ULL << 63, "flags", 0 },
		{ FIELD(hhdm), 0, "hhdm", 0 },
		{ FIELD(hhdm), HHDM_BASE, "hhdm", 0 },

		/* Refused before anything is read there. */
		{ FIELD(memmap), 0, "memmap", 0 },
		{ FIELD(memmap), AT(RANGES) + 4, "memmap", 0 },
		{ FIELD(memmap), HHDM_SIZE, "memmap", 0 },
		{ FIELD(memmap), -8ULL, "memmap", 0 },
		{ FIELD(memmap_count), 0, "memmap_count", 0 },
		{ FIELD(memmap_count), UINT64_MAX, "memmap_count", 0 },
		{ FIELD(memmap_count), HHDM_SIZE / sizeof(struct mem_range), "memmap_count", 0 },
		/* One range more than there are: what follows is none. */
		{ FIELD(memmap_count), COUNT(map_of_machine) + 1, "memmap[index]", COUNT(map_of_machine) },

		{ FIELD(table_frames), 0, "table_frames", 0 },
		{ FIELD(table_frames), 4, "tables", AT(TABLES) },
		{ FIELD(table_frames), 1ULL << 52, "tables", AT(TABLES) },
		{ FIELD(table_spare), 2, "tables", AT(TABLES) },
		{ FIELD(table_spare), -2ULL, "table_spare", 0 },
		{ FIELD(tables), AT(TABLES) + 8, "tables", 0 },
		{ FIELD(tables), AT(TABLES) - PAGE_SIZE, "tables", 0 },
		{ FIELD(tables), AT(USABLE), "tables", 0 },
		{ FIELD(tables), 0, "tables", 0 },
		{ FIELD(trampoline), AT(TRAMPOLINE) + 16, "trampoline", 0 },
		{ FIELD(trampoline), AT(USABLE), "trampoline", 0 },
		{ FIELD(trampoline), HHDM_BASE, "trampoline", 0 },

		{ FIELD(segment_count), 0, "segment_count", 0 },
		{ FIELD(segment_count), BOOT_SEGMENTS + 1, "segment_count", 0 },
		{ FIELD(segments[0].va), IMAGE_BASE - 0x1000, "segments[].va", 0 },
		{ FIELD(segments[0].va), IMAGE_BASE + 8, "segments[].va", 0 },
		{ FIELD(segments[0].va), 0x1000, "segments[].va", 0 },
		{ FIELD(segments[1].va), IMAGE_BASE + 0x1000, "segments[].va", 0 },
		{ FIELD(segments[1].va), IMAGE_BASE, "segments[].va", 0 },
		{ FIELD(segments[0].pages), 0, "segments[].pages", 0 },
		{ FIELD(segments[2].pages), 2, "segments[].pages", 0 },
		{ FIELD(segments[0].pages), UINT64_MAX, "segments[].pages", 0 },
		{ FIELD(segments[0].pages), 1ULL << 52, "segments[].pages", 0 },
		{ FIELD(segments[0].pages), 4, "segments[].pa", AT(IMAGE + 1) },
		{ FIELD(segments[0].pa), AT(IMAGE + 3), "segments[].pa", 0 },
		{ FIELD(segments[0].pa), AT(IMAGE) + 8, "segments[].pa", 0 },
		{ FIELD(segments[0].pa), AT(USABLE), "segments[].pa", 0 },
		{ FIELD(segments[0].prot), PROT_W | PROT_X, "segments[].prot", 0 },
		{ FIELD(segments[1].prot), PROT_USER, "segments[].prot", 0 },
		{ FIELD(segments[1].prot), 1ULL << 63, "segments[].prot", 0 },

		{ FIELD(framebuffer.pa), 0, "framebuffer.pa", 0 },
		{ FIELD(framebuffer.pa), 1ULL << 52, "framebuffer.pa", 0 },
		{ FIELD(framebuffer.pa), (1ULL << 52) - 0x1000, "framebuffer.size", 1024 * 4096 },
		{ FIELD(framebuffer.size), 1024 * 4096 - 1, "framebuffer.size", 0 },
		{ FIELD(framebuffer.size), UINT64_MAX, "framebuffer.size", 0 },
		{ FIELD(framebuffer.width), 1025, "framebuffer.pitch", 4096 },
		{ FIELD(framebuffer.width), 65537, "framebuffer.width", 0 },
		{ FIELD(framebuffer.height), 0, "framebuffer.height", 0 },
		{ FIELD(framebuffer.height), 65537, "framebuffer.height", 0 },
		{ FIELD(framebuffer.height), 1025, "framebuffer.size", 1024 * 4096 },
		{ FIELD(framebuffer.pitch), 3999, "framebuffer.pitch", 0 },
		{ FIELD(framebuffer.pitch), 0xffffffff, "framebuffer.size", 1024 * 4096 },
		{ FIELD(framebuffer.red_bits), 0, "framebuffer.red_bits", 0 },
		{ FIELD(framebuffer.red_bits), 17, "framebuffer.red_bits", 0 },
		{ FIELD(framebuffer.green_shift), 25, "framebuffer.green_bits", 8 },
		{ FIELD(framebuffer.blue_bits), 255, "framebuffer.blue_bits", 0 },

		{ FIELD(rsdp), 1ULL << 52, "rsdp", 0 },
		{ FIELD(smbios), UINT64_MAX, "smbios", 0 },
		{ FIELD(efi_system_table), HHDM_BASE, "efi_system_table", 0 },
		{ FIELD(efi_attributes), 1ULL << 63, "efi_attributes", 0 },
		{ FIELD(efi_descriptor_size), 39, "efi_descriptor_size", 0 },
		{ FIELD(efi_descriptor_size), 0, "efi_descriptor_size", 0 },
		{ FIELD(efi_map_size), 47, "efi_map_size", 0 },
		{ FIELD(efi_map_size), 2 * PAGE_SIZE + 1, "efi_map", AT(FIRMWARE_MAP) },
		{ FIELD(efi_map_size), UINT64_MAX, "efi_map", AT(FIRMWARE_MAP) },
		{ FIELD(efi_map), AT(TABLES), "efi_map", 0 },
		{ FIELD(efi_map), 0, "efi_map", 0 },

		{ FIELD(cmdline), 0, "cmdline", 0 },
		{ FIELD(cmdline), 0x1000, "cmdline", 0 },
		{ FIELD(cmdline), AT(TABLES) - 8, "cmdline", 0 },
		{ FIELD(cmdline_size), UINT64_MAX, "cmdline_size", 0 },
		{ FIELD(cmdline_size), 4 * PAGE_SIZE - 2048, "cmdline", AT(INFO) + 2048 },
		{ FIELD(cmdline_size), sizeof(cmdline) - 2, "cmdline_size", 0 },
		{ FIELD(initrd), AT(INITRD) + 1, "initrd", 0 },
		{ FIELD(initrd), AT(INITRD + 1), "initrd", 0 },
		{ FIELD(initrd), AT(USABLE), "initrd", 0 },
		{ FIELD(initrd_size), 2 * PAGE_SIZE + 1, "initrd", AT(INITRD) },
		{ FIELD(initrd_size), UINT64_MAX, "initrd_size", 0 },
		{ FIELD(initrd_outside), AT(INITRD) + 1, "initrd_outside", 0 },
		{ FIELD(initrd_outside), AT(USABLE), "initrd_outside", 0 },
		{ FIELD(initrd_outside_size), 2 * PAGE_SIZE + 1, "initrd_outside", AT(INITRD) },
		{ FIELD(initrd_outside_size), UINT64_MAX, "initrd_outside_size", 0 },
		{ FIELD(seed_size), 31, "seed_size", 0 },
		{ FIELD(seed_size), 33, "seed_size", 0 },
	};
	const struct boot_info good = *info;

	(void)state;
	memset(&ranges[COUNT(map_of_machine)], 0, sizeof(ranges[0]));
	for (size_t i = 0; i < COUNT(cases); i++) {
		*info = good;
		memcpy((uint8_t *)info + cases[i].offset, &cases[i].value, cases[i].size);
		expect_bad(cases[i].what, cases[i].other_value ? cases[i].other_value : cases[i].value);
	}
	*info = good;
	expect_good();
	/* One more than there are: the next one is all zeros. */
	info->segment_count++;
	expect_bad("segments[].va", 0);
}

/* The map itself is not believed either. */
static void a_bad_map_is_named(void **state)
{
	(void)state;
	ranges[2].end += PAGE_SIZE;
	expect_bad("memmap[index]", 3);
	ranges[2].end -= PAGE_SIZE;
	ranges[0].type = MEM_TYPES;
	expect_bad("memmap[index]", 0);
	ranges[0].type = MEM_BOOT_SERVICES;
	ranges[5].end = (1ULL << 52) + PAGE_SIZE;
	expect_bad("memmap[].end", (1ULL << 52) + PAGE_SIZE);
	ranges[5].end = AT(PAGES);
	expect_good();
	/* The map does not lie in memory that the map gives to the loader, nor does boot_info. */
	ranges[1].end = AT(RANGES);
	expect_bad("memmap", AT(RANGES));
	ranges[1] = (struct mem_range){ AT(RANGES), AT(TABLES), MEM_LOADER };
	expect_bad("(address)", (uintptr_t)info);
}

/* RAM that the direct map does not reach: in the map, but no part of the handoff can lie there. */
static void nothing_above_16_tib(void **state)
{
	(void)state;
	info->memmap_count++;
	ranges[6] = (struct mem_range){ HHDM_SIZE - PAGE_SIZE, HHDM_SIZE + 4 * PAGE_SIZE, MEM_INITRD };
	expect_good();
	info->initrd = paddr(HHDM_SIZE);
	expect_bad("initrd", HHDM_SIZE);
	info->initrd = paddr(HHDM_SIZE - PAGE_SIZE);
	expect_bad("initrd", HHDM_SIZE - PAGE_SIZE);
	info->initrd_size = PAGE_SIZE;
	expect_good();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_machine, drop_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_one_passes),  TEST(less_will_do),         TEST(each_field_is_named),
		TEST(a_bad_map_is_named), TEST(nothing_above_16_tib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
