/*
 * The hardware report's lines: numbered, of bounded length, with a CRC that a plain one agrees with; and what it says of
 * ACPI tables, sound and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/report/hwreport.h"
#include "test/host/acpi_sample.h"
#include "test/host/printed.h"

static uint8_t bytes[ACPI_SAMPLE_SIZE];
static struct report_block block;

static int start(void **state)
{
	(void)state;
	acpi_sample_build(bytes);
	printed_clear();
	return 0;
}

/* By division of polynomials, highest power first: no code in common with the kernel's. */
static uint32_t plain_crc(const char *text, size_t size)
{
	uint64_t rest = 0xffffffff;
	uint32_t reflected = 0;

	for (size_t i = 0; i < size; i++)
		for (int bit = 0; bit < 8; bit++) {
			rest = rest << 1 ^ (uint64_t)((uint8_t)text[i] >> bit & 1) << 32;
			if (rest >> 32 & 1)
				rest ^= 0x104c11db7;
		}
	for (int bit = 0; bit < 32; bit++)
		reflected |= (uint32_t)(~rest >> bit & 1) << (31 - bit);
	return reflected;
}

static void lines_have_numbers_and_a_crc(void **state)
{
	char expected[256];
	int length;

	(void)state;
	assert_int_equal(plain_crc("123456789", 9), 0xcbf43926); /* the one that all descriptions of it give */
	report_block_begin(&block, printed_keep, "a title");
	report_block_line(&block, "number %d", 7);
	report_block_end(&block);
	length = snprintf(expected, sizeof(expected), "hw 1 BEGIN a title\nhw 2 number 7\n");
	snprintf(expected + length, sizeof(expected) - (size_t)length, "hw 3 END crc32=%08x\n",
		 plain_crc(expected, (size_t)length));
	assert_string_equal(printed, expected);
}

static void no_line_is_too_long(void **state)
{
	char longest[301], expected[512], *end;
	int length;

	(void)state;
	memset(longest, 'x', 300);
	longest[300] = '\0';
	report_block_begin(&block, printed_keep, "");
	report_block_line(&block, "%s", longest);
	end = strchr(strchr(printed, '\n') + 1, '\n');
	assert_int_equal(end - (strchr(printed, '\n') + 1), REPORT_BLOCK_COLUMNS);
	/* The CRC is that of what was said. */
	length = snprintf(expected, sizeof(expected), "%s", printed);
	assert_int_equal(block.crc, plain_crc(expected, (size_t)length));
}

static void expect_text(const char *text, size_t size, const char *expected)
{
	printed_clear();
	block = (struct report_block){ .print = printed_keep };
	report_block_text(&block, "t", text, size);
	assert_string_equal(printed, expected);
}

static void text_of_any_bytes(void **state)
{
	char control[40];

	(void)state;
	expect_text("", 0, "hw 1 t \"\"\n");
	expect_text("a b", 3, "hw 1 t \"a b\"\n");
	expect_text("\"\\\n\xff", 4, "hw 1 t \"\\x22\\x5c\\x0a\\xff\"\n");
	/* 72 columns a line; what does not fit goes on in the next one. */
	memset(control, 1, sizeof(control));
	printed_clear();
	block = (struct report_block){ .print = printed_keep };
	report_block_text(&block, "t", control, sizeof(control));
	assert_int_equal(block.lines, 3);
	assert_int_equal(strchr(printed, '\n') - printed, 72 + strlen("hw 1 t \"\""));
	assert_non_null(strstr(printed, "\nhw 3 t \"\\x01\\x01\\x01\\x01\"\n"));
}

static void say_acpi(size_t size, uint64_t rsdp)
{
	struct acpi_sample_ram ram = { bytes, size };
	const struct acpi_memory memory = { acpi_sample_ram_at, &ram };

	printed_clear();
	block = (struct report_block){ .print = printed_keep };
	hwreport_acpi(&block, &memory, paddr(rsdp));
}

static void expect_acpi(const char *line)
{
	say_acpi(sizeof(bytes), ACPI_SAMPLE_BASE);
	if (!strstr(printed, line))
		fail_msg("no line `%s` in:\n%s", line, printed);
}

static void a_sound_machine(void **state)
{
	(void)state;
	expect_acpi("hw 1 rsdp 0x10000 revision=2 checksum=good extended=good\n");
	expect_acpi("hw 2 acpi XSDT 0x10040 bytes=");
	expect_acpi(" acpi APIC 0x10100 bytes=");
	expect_acpi(" acpi FACP 0x10200 bytes=");
	expect_acpi(" acpi DSDT 0x10400 bytes=");
	expect_acpi(" acpi HPET 0x10320 bytes=56 checksum=good\n");
	expect_acpi(" acpi MCFG 0x10380 bytes=60 checksum=good\n");
	assert_null(strstr(printed, "bad"));
	assert_null(strstr(printed, "unreadable"));
	assert_null(strstr(printed, "RSDT"));
}

static void damaged_tables_are_named(void **state)
{
	(void)state;
	bytes[SAMPLE_HPET + 40] ^= 1;
	expect_acpi(" acpi HPET 0x10320 bytes=56 checksum=bad\n");
	bytes[SAMPLE_HPET + 7] = 0xff;
	expect_acpi(" acpi HPET 0x10320 bytes=4278190136 unreadable\n");
	bytes[SAMPLE_HPET] = '\n';
	expect_acpi(" acpi ?PET 0x10320 ");
	/* An FADT that ends in front of its DSDT's address. */
	bytes[SAMPLE_FADT + 4] = 40;
	bytes[SAMPLE_FADT + 5] = 0;
	expect_acpi(" acpi FACP 0x10200 bytes=40 checksum=bad\n");
	assert_null(strstr(printed, "DSDT"));
	/* Without an XSDT that can be read, the first revision's list. */
	memset(bytes + SAMPLE_XSDT + 4, 0, 4);
	expect_acpi("acpi XSDT 0x10040 bytes=0 unreadable\n");
	expect_acpi("acpi RSDT 0x100a0 bytes=");
	expect_acpi(" acpi MCFG 0x10380 ");
}

static void roots(void **state)
{
	(void)state;
	say_acpi(sizeof(bytes), 0);
	assert_string_equal(printed, "hw 1 rsdp 0 absent\n");
	say_acpi(0, ACPI_SAMPLE_BASE);
	assert_string_equal(printed, "hw 1 rsdp 0x10000 unreadable\n");
	say_acpi(sizeof(bytes), UINT64_MAX - 3);
	assert_string_equal(printed, "hw 1 rsdp 0xfffffffffffffffc unreadable\n");
	/* RAM that ends anywhere: the sanitizer sees a read beyond it. */
	for (size_t size = 0; size <= SAMPLE_DSDT; size++) {
		uint8_t *end = malloc(size ? size : 1);
		struct acpi_sample_ram ram = { end, size };
		const struct acpi_memory memory = { acpi_sample_ram_at, &ram };

		assert_non_null(end);
		memcpy(end, bytes, size);
		printed_clear();
		block = (struct report_block){ .print = printed_keep };
		hwreport_acpi(&block, &memory, paddr(ACPI_SAMPLE_BASE));
		assert_non_null(strstr(printed, "unreadable"));
		free(end);
	}
	bytes[10] ^= 1;
	bytes[15] = 0;
	expect_acpi("hw 1 rsdp 0x10000 revision=0 checksum=bad extended=absent\n");
	expect_acpi("hw 2 acpi RSDT ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_have_numbers_and_a_crc, start),
		cmocka_unit_test_setup(no_line_is_too_long, start),
		cmocka_unit_test_setup(text_of_any_bytes, start),
		cmocka_unit_test_setup(a_sound_machine, start),
		cmocka_unit_test_setup(damaged_tables_are_named, start),
		cmocka_unit_test_setup(roots, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
