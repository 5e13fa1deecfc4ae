/*
 * The line table: scripts/mklines writes it, kernel/report/line_table.c reads it, addr2line is the judge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/report/line_table.h"

/* By hand, from the description in scripts/mklines. */
static const uint8_t small[] = {
	0,                                                                        /* no pairs */
	2,   3,          'a',        '.',        'c', 3,           'b', '.', 'h', /* files */
	1,   1,          10,         2,          'i', 'n',                        /* functions: file 1, line 10 */
	235, 0,          5,          0 + 28 * 3,                                  /* bottom line 5; a row at 0 */
	232, 0,          3 + 28 * 4,                               /* push; a row 4 bytes on, a line further */
	224, 1 + 28 * 4,                                           /* pop; a row 2 bytes on, a line further */
	233, 127,        234,        200,        1,   27 + 28 * 3, /* line - 64, 200 bytes and 28 on */
	234, 10,         236,                                      /* the end */
};

static void expect_place(const struct line_table *table, const struct line_place *place, const char *name,
			 const char *file, uint32_t line)
{
	char text[LINE_NAME];

	if (name)
		assert_string_equal(line_table_name(table, place->function, text), name);
	else
		assert_true(place->function == LINE_OUTERMOST);
	assert_string_equal(line_table_file(table, place->file, text), file);
	assert_int_equal(place->line, line);
}

static void every_offset(void **state)
{
	const struct line_table table = { small, sizeof(small) };
	struct line_place places[LINE_DEPTH];
	char text[LINE_NAME];

	(void)state;
	for (uint64_t at = 0; at < 244; at++) {
		size_t count = line_table_find(&table, at, places);

		assert_int_equal(count, at >= 4 && at < 6 ? 2 : 1);
		if (count == 2) {
			expect_place(&table, &places[0], "in", "b.h", 11);
			expect_place(&table, &places[1], NULL, "a.c", 5);
		} else {
			expect_place(&table, &places[0], NULL, "a.c", at < 4 ? 5 : at < 234 ? 6 : (uint32_t)-58);
		}
	}
	assert_int_equal(line_table_find(&table, 244, places), 0);
	assert_int_equal(line_table_find(&table, UINT64_MAX, places), 0);
	assert_string_equal(line_table_name(&table, 1, text), "?");
	assert_string_equal(line_table_file(&table, 2, text), "?");
}

static void no_table(void **state)
{
	const struct line_table table = { NULL, 0 };
	struct line_place places[LINE_DEPTH];

	(void)state;
	assert_int_equal(line_table_find(&table, 0, places), 0);
}

/* Whatever comes out, nothing outside is read or written: AddressSanitizer watches. */
static void search_all(const struct line_table *table)
{
	struct line_place places[LINE_DEPTH];
	char text[LINE_NAME];

	for (uint64_t at = 0; at < 256; at += 5) {
		size_t count = line_table_find(table, at, places);

		assert_true(count <= LINE_DEPTH);
		for (size_t i = 0; i < count; i++) {
			line_table_name(table, places[i].function, text);
			line_table_file(table, places[i].file, text);
		}
	}
}

static void broken_tables(void **state)
{
	uint8_t *bytes;

	(void)state;
	for (size_t size = 0; size < sizeof(small); size++) {
		const struct line_table cut = { bytes = malloc(size), size };

		memcpy(bytes, small, size);
		search_all(&cut);
		free(bytes);
	}
	bytes = malloc(sizeof(small));
	for (size_t i = 0; i < sizeof(small); i++)
		for (unsigned value = 0; value < 256; value++) {
			const struct line_table wrong = { bytes, sizeof(small) };

			memcpy(bytes, small, sizeof(small));
			bytes[i] = (uint8_t)value;
			search_all(&wrong);
		}
	free(bytes);
}

/* ---- this very program ---- */

static char directory[] = "/tmp/ankeos-lines-XXXXXX";

static void run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static FILE *open_file(const char *name, const char *mode)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, mode);
	assert_non_null(file);
	return file;
}

static struct line_table read_table(void)
{
	FILE *file = open_file("table", "rb");
	struct line_table table;
	uint8_t *bytes;
	long size;

	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size > 0);
	rewind(file);
	bytes = malloc((size_t)size);
	assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
	fclose(file);
	table = (struct line_table){ bytes, (size_t)size };
	return table;
}

/* The next answer of addr2line -a -f -i: its places. Returns how many; 0 at the end. */
struct told {
	char name[512];
	char file[512]; /* "path:line", with what may follow */
};

static size_t read_answer(FILE *file, uint64_t *ret_address, struct told told[LINE_DEPTH])
{
	unsigned long long address;
	size_t count = 0;
	int next;

	if (fscanf(file, " 0x%llx", &address) != 1)
		return 0;
	*ret_address = address;
	for (;;) {
		next = fgetc(file);
		while (next == '\n')
			next = fgetc(file);
		ungetc(next, file);
		if (next == '0' || next == EOF)
			return count;
		assert_true(count < LINE_DEPTH);
		assert_int_equal(fscanf(file, "%511[^\n] %511[^\n]", told[count].name, told[count].file), 2);
		count++;
	}
}

static bool is_as_told(const struct line_table *table, uint64_t offset, const struct told *told, size_t count)
{
	struct line_place places[LINE_DEPTH];
	char name[LINE_NAME], path[LINE_NAME], expected[600];

	if (line_table_find(table, offset, places) != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		snprintf(expected, sizeof(expected), "%s:%u", line_table_file(table, places[i].file, path),
			 places[i].line);
		if (!strstr(told[i].file, expected))
			return false;
		if (i + 1 < count && strcmp(line_table_name(table, places[i].function, name), told[i].name) != 0)
			return false;
	}
	return true;
}

/*
 * The table has a row where a line begins. The compiler may end an inlined function some bytes before the next line:
 * one byte in 5,000 of an optimized program, so one answer in 100 may differ.
 */
static void this_program(void **state)
{
	static struct told told[LINE_DEPTH];
	unsigned long long start, end;
	size_t seen = 0, inlined = 0, different = 0, count;
	struct line_table table;
	uint64_t address;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	run("scripts/mklines --binary --text _init _fini /proc/%d/exe %s/table", (int)getpid(), directory);
	run("nm /proc/%d/exe | grep -E ' (_init|_fini)$' | sort | cut -d' ' -f1 | tr '\\n' ' ' > %s/bounds",
	    (int)getpid(), directory);
	file = open_file("bounds", "r");
	assert_int_equal(fscanf(file, "%llx %llx", &start, &end), 2);
	fclose(file);
	/* A step that meets instructions at their start and in the middle. */
	file = open_file("addresses", "w");
	for (unsigned long long at = start; at < end; at += 1 + (end - start) / 1500)
		fprintf(file, "%#llx\n", at);
	fclose(file);
	run("addr2line -a -f -i -e /proc/%d/exe < %s/addresses > %s/told", (int)getpid(), directory, directory);
	table = read_table();
	file = open_file("told", "r");
	while ((count = read_answer(file, &address, told))) {
		bool known = true;

		for (size_t i = 0; i < count; i++)
			known &= !strstr(told[i].file, ":?") && !strstr(told[i].file, "?:") &&
				 strlen(told[i].file) < LINE_NAME && strlen(told[i].name) < LINE_NAME;
		if (!known)
			continue;
		if (!is_as_told(&table, address - start, told, count)) {
			print_message("%#llx: not %s as addr2line says, or not its %zu places\n",
				      (unsigned long long)address, told[0].file, count);
			different++;
		}
		seen++;
		inlined += count > 1;
	}
	fclose(file);
	assert_true(seen > 500 && inlined > 50);
	assert_in_range(different, 0, seen / 100);
	print_message("%zu places, %zu of them inlined; a table of %zu bytes\n", seen, inlined, table.size);
	free((void *)table.bytes);
	run("rm -r %s", directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_offset),
		cmocka_unit_test(no_table),
		cmocka_unit_test(broken_tables),
		cmocka_unit_test(this_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
