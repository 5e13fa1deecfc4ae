/*
 * LoadOptions as firmware and boot managers pass them, byte by byte: which are words, and which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "efi/load_options.h"

#define ROOM 64

/* The bytes as a block of their own: the sanitizer sees one read too many, and one written. */
static enum options_kind convert(const void *bytes, size_t size, char *to, size_t room)
{
	uint8_t *copy = malloc(size ? size : 1);
	char *out = malloc(room ? room : 1);
	enum options_kind kind;

	memcpy(copy, bytes, size);
	kind = options_to_text(copy, size, out, room);
	if (kind == OPTIONS_TEXT)
		strcpy(to, out);
	free(copy);
	free(out);
	return kind;
}

static void expect_text(const void *bytes, size_t size, const char *expected)
{
	char text[ROOM] = "";

	assert_int_equal(convert(bytes, size, text, ROOM), OPTIONS_TEXT);
	assert_string_equal(text, expected);
}

static void expect_kind(const void *bytes, size_t size, enum options_kind kind)
{
	char text[ROOM];

	assert_int_equal(convert(bytes, size, text, ROOM), kind);
}

/* UTF-16 of a literal, with the NUL at its end or without. */
#define UTF16(text)     (u"" text), sizeof(u"" text)
#define UTF16_CUT(text) (u"" text), sizeof(u"" text) - 2
#define BYTES(text)     ("" text), sizeof("" text) - 1

static void words_in_utf16(void **state)
{
	(void)state;
	expect_text(UTF16("quiet init=none"), "quiet init=none");
	expect_text(UTF16_CUT("quiet init=none"), "quiet init=none");
	expect_text(UTF16("\ufeffquiet"), "quiet");
	expect_text(UTF16("quiet\r\n"), "quiet");
	expect_text(UTF16("  quiet\tinit=none  "), "quiet init=none");
	expect_text(UTF16("quiet\r\ninit=none\n"), "quiet  init=none");
	/* Two, three and four bytes of UTF-8. */
	expect_text(UTF16("a\u00e9\u20ac\U0001f427z"), "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7z");
	expect_text("q\0u\0x", 5, "qu");
	/* A buffer that is longer than its text, and words with NULs between them. */
	expect_text(UTF16("quiet\0\0\0\0"), "quiet");
	expect_text(UTF16("quiet\0init=none\0"), "quiet init=none");
	expect_text(UTF16("quiet\0debris\x01\xffff"), "quiet");
}

static void words_in_bytes(void **state)
{
	(void)state;
	expect_text(BYTES("quiet init=none"), "quiet init=none");
	expect_text(BYTES("quiet\0"), "quiet");
	expect_text(BYTES("q"), "q");
	expect_text(BYTES("\xef\xbb\xbfn\xc3\xa4me\n"), "n\xc3\xa4me");
	expect_text(BYTES("quiet\0init=none\0\0\0"), "quiet init=none");
	expect_text(BYTES("quiet\0debris\x80"), "quiet");
}

static void no_words(void **state)
{
	(void)state;
	expect_kind("", 0, OPTIONS_EMPTY);
	expect_kind(BYTES("\0"), OPTIONS_EMPTY);
	expect_kind(BYTES(" "), OPTIONS_EMPTY);
	expect_kind(UTF16("  \t\r\n"), OPTIONS_EMPTY);
	expect_kind(UTF16("\0debris"), OPTIONS_EMPTY);
	expect_kind(BYTES("\xff\xfe"), OPTIONS_EMPTY);
}

static void bytes_that_are_no_text(void **state)
{
	/* What EDK II marks its own boot options with: {8108ac4e-9f11-4d59-850e-e21a522c59b2}. */
	static const uint8_t guid[] = { 0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
					0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2 };

	(void)state;
	expect_kind(guid, sizeof(guid), OPTIONS_BINARY);
	expect_kind(UTF16("a\x01"), OPTIONS_BINARY);
	expect_kind(UTF16("a\x7f"), OPTIONS_BINARY);
	expect_kind(UTF16("a\x9f"), OPTIONS_BINARY);
	expect_kind(UTF16("a\xffff"), OPTIONS_BINARY);
	/* Halves of surrogate pairs. */
	expect_kind(UTF16("a\xd800z"), OPTIONS_BINARY);
	expect_kind(UTF16("a\xdc00"), OPTIONS_BINARY);
	expect_kind(UTF16_CUT("a\xd800"), OPTIONS_BINARY);
	/* Too short, too long, a surrogate, beyond Unicode, no first byte. */
	expect_kind(BYTES("ab\xc3"), OPTIONS_BINARY);
	expect_kind(BYTES("ab\xc3\x41"), OPTIONS_BINARY);
	expect_kind(BYTES("ab\xc0\x81"), OPTIONS_BINARY);
	expect_kind(BYTES("ab\xed\xa0\x80"), OPTIONS_BINARY);
	expect_kind(BYTES("ab\xf4\x90\x80\x80"), OPTIONS_BINARY);
	expect_kind(BYTES("ab\xff"), OPTIONS_BINARY);
	expect_kind(BYTES("ab\x1b[2J"), OPTIONS_BINARY);
}

static void too_many_words(void **state)
{
	char text[ROOM];

	(void)state;
	assert_int_equal(convert(BYTES("0123456789"), text, 14), OPTIONS_TEXT);
	assert_int_equal(convert(BYTES("0123456789   \0\0\0\0\0\0"), text, 14), OPTIONS_TEXT);
	assert_string_equal(text, "0123456789");
	assert_int_equal(convert(BYTES("0123456789"), text, 13), OPTIONS_LONG);
	assert_int_equal(convert(BYTES("0123456789"), text, 0), OPTIONS_LONG);
}

/* ---- a whole EFI_LOAD_OPTION ---- */

/* With two nodes of a path, and `data` behind it. Returns its size. */
static size_t load_option(uint8_t *to, const void *data, size_t size)
{
	static const uint8_t head[] = { 1, 0, 0, 0,  14, 0,   'A', 0,   'n', 0, 'k', 0,    'e',  0, 0,
					0, 4, 4, 10, 0,  'x', 0,   'y', 0,   0, 0,   0x7f, 0xff, 4, 0 };

	memcpy(to, head, sizeof(head));
	memcpy(to + sizeof(head), data, size);
	return sizeof(head) + size;
}

static void a_whole_load_option(void **state)
{
	uint8_t option[128];
	size_t size = load_option(option, UTF16("quiet"));

	(void)state;
	expect_text(option, size, "quiet");
	expect_text(option, load_option(option, BYTES("init=none")), "init=none");
	expect_kind(option, load_option(option, "", 0), OPTIONS_EMPTY);

	/* One that is not sound is no text either: attributes, the paths' length, the nodes' lengths, the last node. */
	static const struct {
		size_t at;
		uint8_t value;
	} damages[] = { { 1, 0x40 }, { 4, 13 }, { 4, 15 }, { 4, 200 }, { 18, 3 }, { 18, 200 }, { 26, 4 } };

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		size = load_option(option, UTF16("quiet"));
		option[damages[i].at] = damages[i].value;
		expect_kind(option, size, OPTIONS_BINARY);
	}
	/* Cut off anywhere, it gives no words. */
	size = load_option(option, "", 0);
	for (size_t cut = 1; cut < size; cut++) {
		char text[ROOM];

		assert_int_not_equal(convert(option, cut, text, ROOM), OPTIONS_TEXT);
	}
}

/* ---- names ---- */

static void the_files_own_name(void **state)
{
	static const struct {
		const char *text, *path, *rest;
	} cases[] = {
		{ "ankeos", "\\ankeos", "" },
		{ "ankeos quiet", "ankeos", "quiet" },
		{ "ankeos.efi?mac=1", "ankeos.efi", "" },
		{ "ankeos.efi?mac=1 quiet", "\\ankeos.efi?mac=1", "quiet" },
		{ "ANKEOS.EFI  quiet", "\\EFI\\BOOT\\ankeos.efi", "quiet" },
		{ "/efi/boot/ankeos.efi quiet", "\\EFI\\BOOT\\ankeos.efi", "quiet" },
		{ "my kernel.efi", "my kernel.efi", "" },
		{ "my kernel.efi quiet", "\\my kernel.efi", "quiet" },
		/* Not the name, or more than it. */
		{ "ankeos2", "ankeos", "ankeos2" },
		{ "quiet", "ankeos", "quiet" },
		{ "quiet", "", "quiet" },
		{ "quiet", "\\", "quiet" },
		/* Nobody knows the name. */
		{ "/tftp/BOOTX64.EFI", "", "" },
		{ "http.efi?mac=1", "", "" },
		{ "BOOTX64.EFI quiet", "", "BOOTX64.EFI quiet" },
		{ ".ef", "", ".ef" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(options_after_name(cases[i].text, cases[i].path), cases[i].rest);
	assert_string_equal(options_after_word("a  b c"), "b c");
	assert_string_equal(options_after_word("\"a b\" c"), "c");
	assert_string_equal(options_after_word("a"), "");
}

static void another_systems_words(void **state)
{
	(void)state;
	assert_true(options_are_foreign("root=/dev/sdb3 init=/sbin/init rootwait ro"));
	assert_true(options_are_foreign("ro root=PARTUUID=1234-02"));
	assert_true(options_are_foreign("root=\"LABEL=my disk\""));
	assert_false(options_are_foreign("root=/dev/ram0 init=/bin/sh"));
	assert_false(options_are_foreign("root=tmpfs"));
	assert_false(options_are_foreign("quiet -- root=/dev/sda"));
	assert_false(options_are_foreign("chroot=/dev/sda"));
}

static void paths_in_utf8(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(options_utf8((const uint8_t *)u"a\u20ac", 3, text, sizeof(text)), 4);
	assert_string_equal(text, "a\xe2\x82\xac");
	assert_int_equal(options_utf8((const uint8_t *)u"a\xd800", 2, text, sizeof(text)), 2);
	assert_string_equal(text, "a?");
	assert_int_equal(options_utf8((const uint8_t *)u"0123456789", 10, text, sizeof(text)), 4);
}

static void words_to_utf16(void **state)
{
	uint16_t units[8];

	(void)state;
	assert_int_equal(options_utf16("a\xe2\x82\xac\xf0\x9f\x98\x80", units, 8), 4);
	assert_memory_equal(units, (const uint16_t *)u"a\u20ac\U0001f600", 5 * sizeof(units[0]));
	assert_int_equal(options_utf16("a\xe2z", units, 8), 3);
	assert_memory_equal(units, (const uint16_t *)u"a\ufffdz", 4 * sizeof(units[0]));
	assert_int_equal(options_utf16("0123456789", units, 8), 6);
	assert_int_equal(units[6], 0);
	assert_int_equal(options_utf16("", units, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_in_utf16),     cmocka_unit_test(words_in_bytes),
		cmocka_unit_test(no_words),           cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(too_many_words),     cmocka_unit_test(a_whole_load_option),
		cmocka_unit_test(the_files_own_name), cmocka_unit_test(another_systems_words),
		cmocka_unit_test(paths_in_utf8),      cmocka_unit_test(words_to_utf16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
