/*
 * The symbol table: scripts/mksymbols writes it, kernel/report/symbol_table.c reads it, nm is the judge.
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

#include "kernel/report/symbol_table.h"

#define NOTHING 12345 /* an offset that no search returns */

static char directory[] = "/tmp/ankeos-symbols-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

/* The bytes that mksymbols makes of the file `nm` in the directory; in memory of exactly their size. */
static struct symbol_table make_table(const char *bounds)
{
	struct symbol_table table;
	char command[256], path[128];
	uint8_t *bytes;
	FILE *file;
	long size;

	snprintf(path, sizeof(path), "%s/table", directory);
	snprintf(command, sizeof(command), "scripts/mksymbols --binary %s %s/nm %s", bounds, directory, path);
	assert_int_equal(system(command), 0);
	file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	rewind(file);
	bytes = malloc((size_t)size);
	table = (struct symbol_table){ bytes, fread(bytes, 1, (size_t)size, file) };
	assert_int_equal(table.size, size);
	fclose(file);
	return table;
}

static struct symbol_table make_table_of(const char *nm)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/nm", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(nm, file);
	fclose(file);
	return make_table("");
}

static void free_table(struct symbol_table *table)
{
	free((void *)table->bytes);
}

static void expect_symbol(const struct symbol_table *table, uint64_t at, const char *name, uint64_t offset)
{
	char found[SYMBOL_NAME];
	uint64_t found_offset = NOTHING;

	assert_int_equal(symbol_table_find(table, at, found, sizeof(found), &found_offset), OK);
	assert_string_equal(found, name);
	assert_int_equal(found_offset, offset);
}

static void expect_nothing(const struct symbol_table *table, uint64_t at)
{
	char found[SYMBOL_NAME];
	uint64_t found_offset = NOTHING;

	assert_int_equal(symbol_table_find(table, at, found, sizeof(found), &found_offset), ERR_NOT_FOUND);
	assert_int_equal(found_offset, NOTHING);
}

static void test_empty(void **state)
{
	const struct symbol_table none = { NULL, 0 };
	struct symbol_table made = make_table_of("");

	(void)state;
	assert_int_equal(made.size, 0);
	expect_nothing(&none, 0);
	free_table(&made);
}

/* One line of nm for each rule that mksymbols has. */
static const char small_nm[] = "0000000000000018 a vector\n"
			       "                 U undefined\n"
			       "ffffffff80000000 T image_text\n"
			       "ffffffff80000010 T kernel_entry\n"
			       "ffffffff80000020 t alias_local\n"
			       "ffffffff80000020 T alias_global\n"
			       "ffffffff80000200 t space_map\n"
			       "ffffffff80000213 t space_unmap\n"
			       "ffffffff80000213 t space_unmap_too\n"
			       "ffffffff80090000 t space_map.cold\n"
			       "ffffffff800a0000 T image_text_end\n"
			       "ffffffff800a0000 r rodata\n"
			       "ffffffff800b0000 D data\n";

static void test_every_offset(void **state)
{
	struct symbol_table table = make_table_of(small_nm);

	(void)state;
	expect_nothing(&table, 0);
	expect_nothing(&table, 0xf);
	for (uint64_t at = 0x10; at < 0x20; at++)
		expect_symbol(&table, at, "kernel_entry", at - 0x10);
	for (uint64_t at = 0x20; at < 0x200; at++)
		expect_symbol(&table, at, "alias_global", at - 0x20);
	for (uint64_t at = 0x200; at < 0x213; at++)
		expect_symbol(&table, at, "space_map", at - 0x200);
	expect_symbol(&table, 0x213, "space_unmap", 0);
	expect_symbol(&table, 0x8ffff, "space_unmap", 0x8ffff - 0x213);
	expect_symbol(&table, 0x90000, "space_map.cold", 0);
	expect_symbol(&table, 0x9ffff, "space_map.cold", 0xffff);
	expect_nothing(&table, 0xa0000);
	expect_nothing(&table, UINT64_MAX);
	free_table(&table);
}

static void test_cut_name(void **state)
{
	struct symbol_table table = make_table_of(small_nm);
	char name[SYMBOL_NAME];
	uint64_t offset;

	(void)state;
	for (size_t size = 1; size <= sizeof("kernel_entry"); size++) {
		memset(name, '#', sizeof(name));
		assert_int_equal(symbol_table_find(&table, 0x10, name, size, &offset), OK);
		assert_int_equal(strlen(name), size - 1);
		assert_memory_equal(name, "kernel_entry", size - 1);
		assert_int_equal(name[size], '#');
	}
	free_table(&table);
}

/* ---- this very program ---- */

#define MOST_SYMBOLS 100000

struct nm_symbol {
	uint64_t address;
	char name[SYMBOL_NAME]; /* cut as the search cuts */
};

/* The text symbols of the file `nm`, as they stand there: by address. */
static size_t read_nm(struct nm_symbol *symbols, uint64_t *ret_start, uint64_t *ret_end)
{
	static char line[65536], name[65536];
	unsigned long long address;
	size_t count = 0;
	char path[128], type;
	FILE *file;

	snprintf(path, sizeof(path), "%s/nm", directory);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %s", &address, &type, name) != 3)
			continue;
		if (strcmp(name, "_init") == 0)
			*ret_start = address;
		else if (strcmp(name, "_fini") == 0)
			*ret_end = address;
		else if (strchr("tTwWiI", type) && count < MOST_SYMBOLS) {
			symbols[count].address = address;
			snprintf(symbols[count++].name, SYMBOL_NAME, "%.63s", name);
		}
	}
	fclose(file);
	return count;
}

/* The last symbol at or before `at`: one of those that share its address must be what the table says. */
static void expect_as_nm(const struct symbol_table *table, const struct nm_symbol *symbols, size_t last, uint64_t start,
			 uint64_t at)
{
	char name[SYMBOL_NAME];
	uint64_t offset;

	assert_int_equal(symbol_table_find(table, at - start, name, sizeof(name), &offset), OK);
	assert_int_equal(offset, at - symbols[last].address);
	for (size_t i = last + 1; i-- > 0 && symbols[i].address == symbols[last].address;)
		if (strcmp(symbols[i].name, name) == 0)
			return;
	fail_msg("%#llx: %s, nm says %s", (unsigned long long)at, name, symbols[last].name);
}

static void test_this_program(void **state)
{
	struct nm_symbol *symbols = calloc(MOST_SYMBOLS, sizeof(*symbols));
	uint64_t start = 0, end = 0;
	struct symbol_table table;
	char command[128];
	size_t count, seen = 0, names = 0;

	(void)state;
	snprintf(command, sizeof(command), "nm -n /proc/%d/exe > %s/nm", (int)getpid(), directory);
	assert_int_equal(system(command), 0);
	table = make_table("--text _init _fini");
	count = read_nm(symbols, &start, &end);
	assert_true(start < end);
	for (size_t i = 0; i < count; i++) {
		uint64_t next = i + 1 < count && symbols[i + 1].address < end ? symbols[i + 1].address : end;

		if (symbols[i].address < start || symbols[i].address >= end || next == symbols[i].address)
			continue;
		expect_as_nm(&table, symbols, i, start, symbols[i].address);
		expect_as_nm(&table, symbols, i, start, next - 1);
		names += strlen(symbols[i].name) + 1;
		seen++;
	}
	expect_nothing(&table, end - start);
	assert_true(seen > 30);
	print_message("%zu functions, names of %zu bytes: a table of %zu\n", seen, names, table.size);
	free_table(&table);
	free(symbols);
}

/* ---- tables that are broken ---- */

/* Whatever comes out, nothing outside is read: AddressSanitizer watches. */
static void search_all(const struct symbol_table *table)
{
	char *name = malloc(8);
	uint64_t offset;

	for (uint64_t at = 0; at < 0xb0000; at += 0x5555)
		(void)!symbol_table_find(table, at, name, 8, &offset);
	free(name);
}

static void test_broken_tables(void **state)
{
	struct symbol_table good = make_table_of(small_nm);

	(void)state;
	for (size_t size = 0; size < good.size; size++) {
		uint8_t *bytes = malloc(size);
		const struct symbol_table cut = { bytes, size };

		memcpy(bytes, good.bytes, size);
		search_all(&cut);
		expect_nothing(&cut, UINT64_MAX);
		free(bytes);
	}
	for (size_t i = 0; i < good.size; i++) {
		uint8_t *bytes = (uint8_t *)good.bytes, kept = bytes[i];

		for (unsigned value = 0; value < 256; value++) {
			bytes[i] = (uint8_t)value;
			search_all(&good);
		}
		bytes[i] = kept;
	}
	free_table(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),         cmocka_unit_test(test_every_offset),
		cmocka_unit_test(test_cut_name),      cmocka_unit_test(test_this_program),
		cmocka_unit_test(test_broken_tables),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
