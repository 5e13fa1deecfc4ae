/*
 * The ELF parser: each rule broken by itself and named, then a million files with random damage, each judged a second
 * time by the rules in elf_sample.c. SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/elf_sample.h"
#include "test/host/random.h"

#define DAMAGED_FILES 1000000
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

static struct elf_sample sample;
static struct elf_image image;
static struct elf_error error;

static enum status parse(const void *file, size_t size)
{
	error = (struct elf_error){ "", 0 };
	return elf_parse(file, size, SAMPLE_BASE, SAMPLE_LAST, &image, &error);
}

static int make_sample(void **state)
{
	(void)state;
	elf_sample_make(&sample);
	return 0;
}

static void expect_error(const char *name, enum status expected, const char *what, uint64_t value)
{
	enum status status = parse(&sample, sizeof(sample));

	if (status != expected || !strstr(error.what, what) || error.value != value)
		fail_msg("%s: status %d, \"%s\" %#llx; expected %d, \"%s\" %#llx", name, status, error.what,
			 (unsigned long long)error.value, expected, what, (unsigned long long)value);
	/* The independent rules agree that something is wrong. */
	assert_non_null(elf_sample_broken_rule(&sample, sizeof(sample), SAMPLE_BASE, SAMPLE_LAST));
}

static void the_sample_is_read(void **state)
{
	const struct elf_segment expected[] = {
		{ .va = SAMPLE_BASE + 0x5000, .pages = 1, .offset = 0, .file_size = 4096, .execute = true },
		{ .va = SAMPLE_BASE + 0x6000, .pages = 2, .write = true, .scratch = true },
		{ .va = SAMPLE_BASE + 0x8000, .pages = 3, .offset = 4096, .file_size = 100, .write = true },
	};

	(void)state;
	assert_int_equal(parse(&sample, sizeof(sample)), OK);
	assert_int_equal(image.entry, sample.header.e_entry);
	assert_int_equal(image.count, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_int_equal(image.segments[i].va, expected[i].va);
		assert_int_equal(image.segments[i].pages, expected[i].pages);
		assert_int_equal(image.segments[i].offset, expected[i].offset);
		assert_int_equal(image.segments[i].file_size, expected[i].file_size);
		assert_int_equal(image.segments[i].write, expected[i].write);
		assert_int_equal(image.segments[i].execute, expected[i].execute);
		assert_int_equal(image.segments[i].scratch, expected[i].scratch);
	}
	assert_ptr_equal(image.notes, &sample.note);
	assert_int_equal(image.notes_size, sizeof(sample.note));
	assert_null(elf_sample_broken_rule(&sample, sizeof(sample), SAMPLE_BASE, SAMPLE_LAST));
	assert_null(elf_sample_wrong_image(&sample, &image));
}

static void any_address_of_the_file_will_do(void **state)
{
	uint8_t *buffer = malloc(sizeof(sample) + 16);

	(void)state;
	assert_non_null(buffer);
	for (size_t i = 0; i < 16; i++) {
		memcpy(buffer + i, &sample, sizeof(sample));
		assert_int_equal(parse(buffer + i, sizeof(sample)), OK);
		assert_non_null(elf_note(&image, "AnkeOS", 1, 8));
	}
	free(buffer);
}

#define HEADER(field) offsetof(struct elf_sample, header.field), sizeof(sample.header.field)
#define PROGRAM(index, field)                                                                               \
	offsetof(struct elf_sample, programs) + (index) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field), \
		sizeof(sample.programs[0].field)

#define VA(offset) (SAMPLE_BASE + (offset))

/* One field, one wrong value: the error, and the value that it names when that is another one. */
static void each_rule_is_named(void **state)
{
	static const struct {
		const char *name;
		size_t offset, size;
		uint64_t value;
		enum status status;
		const char *what;
		uint64_t other_value;
	} cases[] = {
		{ "magic", HEADER(e_ident[0]), 'M', ERR_FORMAT, "not an ELF file", 0x464c454d },
		{ "magic", HEADER(e_ident[3]), 0, ERR_FORMAT, "not an ELF file", 0x4c457f },
		{ "32 bits", HEADER(e_ident[EI_CLASS]), ELFCLASS32, ERR_FORMAT, "not a 64-bit ELF", 0 },
		{ "big-endian", HEADER(e_ident[EI_DATA]), ELFDATA2MSB, ERR_FORMAT, "not a little-endian ELF", 0 },
		{ "identification", HEADER(e_ident[EI_VERSION]), 2, ERR_FORMAT, "ELF identification", 0 },
		{ "version", HEADER(e_version), 2, ERR_FORMAT, "unknown ELF version", 0 },
		{ "i386", HEADER(e_machine), EM_386, ERR_FORMAT, "not for x86-64", 0 },
		{ "object", HEADER(e_type), ET_REL, ERR_FORMAT, "not an executable", 0 },
		{ "shared object", HEADER(e_type), ET_DYN, ERR_FORMAT, "not an executable", 0 },
		{ "header size", HEADER(e_ehsize), 52, ERR_FORMAT, "ELF header of a wrong size", 0 },
		{ "entry size", HEADER(e_phentsize), 32, ERR_FORMAT, "program headers of a wrong size", 0 },
		{ "no headers", HEADER(e_phnum), 0, ERR_FORMAT, "number of program headers", 0 },
		{ "65 headers", HEADER(e_phnum), 65, ERR_FORMAT, "number of program headers", 0 },
		{ "65,535 headers", HEADER(e_phnum), PN_XNUM, ERR_FORMAT, "number of program headers", 0 },
		{ "headers far out", HEADER(e_phoff), 1 << 20, ERR_FORMAT, "program headers end outside", 0 },
		{ "headers at the end", HEADER(e_phoff), sizeof(sample) - 5 * sizeof(Elf64_Phdr) + 1, ERR_FORMAT,
		  "program headers end outside", 0 },
		{ "headers that wrap", HEADER(e_phoff), -64ULL, ERR_FORMAT, "program headers end outside", 0 },
		{ "entry 0", HEADER(e_entry), 0, ERR_RANGE, "entry outside", 0 },
		{ "entry before", HEADER(e_entry), VA(0x4fff), ERR_RANGE, "entry outside", 0 },
		{ "entry behind", HEADER(e_entry), VA(0x6000), ERR_RANGE, "entry outside", 0 },
		{ "entry in data", HEADER(e_entry), VA(0x8000), ERR_RANGE, "entry outside", 0 },

		{ "interpreter", PROGRAM(SAMPLE_NOTE, p_type), PT_INTERP, ERR_FORMAT, "needs a loader",
		  offsetof(struct elf_sample, note) },
		{ "notes far out", PROGRAM(SAMPLE_NOTE, p_offset), 1 << 20, ERR_RANGE, "notes end outside", 0 },
		{ "notes that wrap", PROGRAM(SAMPLE_NOTE, p_offset), -8ULL, ERR_RANGE, "notes end outside", 0 },
		{ "long notes", PROGRAM(SAMPLE_NOTE, p_filesz), sizeof(sample.note) + 1, ERR_RANGE, "notes end outside",
		  offsetof(struct elf_sample, note) },

		{ "memory", PROGRAM(SAMPLE_DATA, p_memsz), 99, ERR_RANGE, "more file than memory", 100 },
		{ "no memory", PROGRAM(SAMPLE_DATA, p_memsz), 0, ERR_RANGE, "more file than memory", 100 },
		{ "offset", PROGRAM(SAMPLE_DATA, p_offset), 0x2000, ERR_RANGE, "segment ends outside the file", 0 },
		{ "offset that wraps", PROGRAM(SAMPLE_DATA, p_offset), -0x1000ULL, ERR_RANGE,
		  "segment ends outside the file", 0 },
		{ "file size", PROGRAM(SAMPLE_DATA, p_filesz), 0x2001, ERR_RANGE, "segment ends outside the file",
		  4096 },
		{ "all memory", PROGRAM(SAMPLE_DATA, p_memsz), UINT64_MAX, ERR_RANGE, "outside the image range",
		  VA(0x8000) },
		{ "unaligned", PROGRAM(SAMPLE_DATA, p_vaddr), VA(0x8800), ERR_RANGE, "segment not page-aligned, addr",
		  0 },
		{ "unaligned bss", PROGRAM(SAMPLE_BSS, p_vaddr), VA(0x6001), ERR_RANGE,
		  "segment not page-aligned, addr", 0 },
		{ "file", PROGRAM(SAMPLE_DATA, p_offset), 0xff8, ERR_RANGE, "not page-aligned in the file", 0 },
		{ "alignment", PROGRAM(SAMPLE_DATA, p_align), 0x3000, ERR_RANGE, "no power of two", 0 },
		{ "2 MiB", PROGRAM(SAMPLE_DATA, p_align), 0x200000, ERR_RANGE, "not aligned as it says", 0 },
		{ "below", PROGRAM(SAMPLE_DATA, p_vaddr), SAMPLE_BASE - 0x1000, ERR_RANGE, "outside the image range",
		  0 },
		{ "at 1 MiB", PROGRAM(SAMPLE_DATA, p_vaddr), 0x100000, ERR_RANGE, "outside the image range", 0 },
		{ "past the top", PROGRAM(SAMPLE_DATA, p_vaddr), -0x2000ULL, ERR_RANGE, "outside the image range", 0 },
		{ "overlap below", PROGRAM(SAMPLE_DATA, p_vaddr), VA(0x3000), ERR_EXISTS, "overlap", VA(0x5000) },
		{ "overlap above", PROGRAM(SAMPLE_DATA, p_vaddr), VA(0x7000), ERR_EXISTS, "overlap", VA(0x7000) },
		{ "the same page", PROGRAM(SAMPLE_BSS, p_memsz), 0x2001, ERR_EXISTS, "overlap", VA(0x8000) },
		{ "inside", PROGRAM(SAMPLE_BSS, p_vaddr), VA(0x9000), ERR_EXISTS, "overlap", VA(0x9000) },
		{ "W+X", PROGRAM(SAMPLE_DATA, p_flags), PF_R | PF_W | PF_X, ERR_RIGHTS, "writable and executable",
		  VA(0x8000) },
		{ "W+X only", PROGRAM(SAMPLE_TEXT, p_flags), PF_W | PF_X, ERR_RIGHTS, "writable and executable",
		  VA(0x5000) },
		{ "no text", PROGRAM(SAMPLE_TEXT, p_flags), PF_R, ERR_RANGE, "entry outside",
		  VA(0x5000) + offsetof(struct elf_sample, text) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		elf_sample_make(&sample);
		memcpy((uint8_t *)&sample + cases[i].offset, &cases[i].value, cases[i].size);
		expect_error(cases[i].name, cases[i].status, cases[i].what,
			     cases[i].other_value ? cases[i].other_value : cases[i].value);
	}
}

/* What needs more than one field to be wrong. */
static void more_rules(void **state)
{
	(void)state;
	/* The entry in zeros: executable memory behind the file's bytes. */
	sample.programs[SAMPLE_TEXT].p_filesz = 0x100;
	expect_error("entry in bss", ERR_RANGE, "entry outside", sample.header.e_entry);

	elf_sample_make(&sample);
	for (size_t i = 0; i < SAMPLE_PROGRAMS; i++)
		sample.programs[i].p_type = PT_NULL;
	expect_error("nothing to load", ERR_FORMAT, "no segment", SAMPLE_PROGRAMS);

	/* The last page of all is fine, one byte more is not. */
	elf_sample_make(&sample);
	sample.programs[SAMPLE_DATA].p_vaddr = -0x3000ULL;
	sample.programs[SAMPLE_DATA].p_memsz = 0x3000;
	assert_int_equal(parse(&sample, sizeof(sample)), OK);
	assert_int_equal(image.segments[2].pages, 3);
	sample.programs[SAMPLE_DATA].p_memsz = 0x3001;
	expect_error("2^64", ERR_RANGE, "outside the image range", -0x3000ULL);
}

static void at_most_sixteen_segments(void **state)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr programs[ELF_SEGMENTS + 1];
	} file = { .header = sample.header };

	(void)state;
	file.header.e_phoff = sizeof(file.header);
	for (size_t i = 0; i <= ELF_SEGMENTS; i++)
		/* Descending, so that each insertion moves all the others. */
		file.programs[i] = (Elf64_Phdr){ .p_type = PT_LOAD,
						 .p_flags = PF_X,
						 .p_vaddr = SAMPLE_BASE + (ELF_SEGMENTS - i) * 0x1000,
						 .p_filesz = 64,
						 .p_memsz = 64 };
	file.header.e_entry = SAMPLE_BASE + 0x1000;
	file.header.e_phnum = ELF_SEGMENTS;
	assert_int_equal(parse(&file, sizeof(file)), OK);
	assert_null(elf_sample_wrong_image(&file, &image));
	file.header.e_phnum = ELF_SEGMENTS + 1;
	assert_int_equal(parse(&file, sizeof(file)), ERR_FORMAT);
	assert_string_equal(error.what, "too many segments, the most is");
	assert_int_equal(error.value, ELF_SEGMENTS);
}

/* Cut anywhere, it is refused; and never is a byte read that is not there (the sanitizer's to see). */
static void every_truncation(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(sample); size++) {
		uint8_t *file = malloc(size ? size : 1);
		bool headers = size >= sizeof(Elf64_Ehdr) + sizeof(sample.programs);

		assert_non_null(file);
		memcpy(file, &sample, size);
		assert_int_equal(parse(file, size), headers ? ERR_RANGE : ERR_FORMAT);
		if (size < sizeof(Elf64_Ehdr))
			assert_int_equal(error.value, size);
		free(file);
	}
}

/* Nothing in it knows a kernel: the same file at a user's addresses, in a range that does not end with memory. */
static void other_ranges(void **state)
{
	const vaddr_t base = 0x1000, last = 0x7fffffffefff;

	(void)state;
	sample.header.e_entry = 0x401200;
	sample.programs[SAMPLE_TEXT].p_vaddr = 0x401000;
	sample.programs[SAMPLE_DATA].p_vaddr = 0x1000;
	sample.programs[SAMPLE_BSS].p_vaddr = last - 0x1fff;
	assert_int_equal(elf_parse(&sample, sizeof(sample), base, last, &image, &error), OK);
	assert_null(elf_sample_wrong_image(&sample, &image));
	/* Not one page more at either end, and no part of one. */
	assert_int_equal(elf_parse(&sample, sizeof(sample), base + 0x1000, last, &image, &error), ERR_RANGE);
	assert_int_equal(error.value, 0x1000);
	assert_int_equal(elf_parse(&sample, sizeof(sample), base, last - 1, &image, &error), ERR_RANGE);
	assert_int_equal(error.value, last - 0x1fff);
	sample.programs[SAMPLE_BSS].p_memsz = 0x1001;
	assert_int_equal(elf_parse(&sample, sizeof(sample), base, last - 0x800, &image, &error), ERR_RANGE);
	sample.programs[SAMPLE_DATA].p_vaddr = 0;
	assert_int_equal(elf_parse(&sample, sizeof(sample), base, last, &image, &error), ERR_RANGE);
}

/* ---- user programs ---- */

#define USER_LAST 0x7fffffffefff

/* The sample as a program at a user's addresses, with the program headers that lie at sample.header.e_phoff. */
static enum status parse_program(const void *programs, uint64_t size)
{
	error = (struct elf_error){ "", 0 };
	return elf_parse_program(&sample, programs, size, 0, USER_LAST, &image, &error);
}

static void make_program(void)
{
	elf_sample_make(&sample);
	sample.header.e_type = ET_DYN;
	sample.header.e_entry -= SAMPLE_BASE;
	for (size_t i = 0; i < SAMPLE_EMPTY; i++)
		sample.programs[i].p_vaddr -= SAMPLE_BASE;
	sample.programs[SAMPLE_NOTE] =
		(Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 4096 + 10, .p_filesz = 20, .p_memsz = 20 };
}

static void programs_name_a_loader(void **state)
{
	(void)state;
	make_program();
	assert_int_equal(parse_program(sample.programs, sizeof(sample)), OK);
	assert_true(image.relocatable);
	assert_false(image.stack_executable);
	assert_int_equal(image.loader_offset, 4096 + 10);
	assert_int_equal(image.loader_size, 20);
	assert_int_equal(image.headers_va, 0x5000 + offsetof(struct elf_sample, programs));
	assert_int_equal(image.align, 4096);
	assert_null(image.notes);
	/* Of two names the first counts, and a stack may ask to be executed. */
	sample.programs[SAMPLE_EMPTY] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 0, .p_filesz = 30 };
	sample.programs[SAMPLE_BSS] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X };
	sample.programs[SAMPLE_TEXT].p_align = 4096 * 16;
	sample.programs[SAMPLE_TEXT].p_vaddr = 0x10000;
	sample.header.e_entry = 0x10000 + offsetof(struct elf_sample, text);
	assert_int_equal(parse_program(sample.programs, sizeof(sample)), OK);
	assert_int_equal(image.loader_offset, 4096 + 10);
	assert_true(image.stack_executable);
	assert_int_equal(image.align, 4096 * 16);
}

static void loaders_names_are_checked(void **state)
{
	static const struct {
		uint64_t offset, size;
		enum status status;
	} cases[] = {
		{ 0, 0, ERR_FORMAT },    { 0, 1, ERR_FORMAT },
		{ 0, 4097, ERR_FORMAT }, { sizeof(struct elf_sample) - 1, 2, ERR_RANGE },
		{ -1ULL, 2, ERR_RANGE }, { sizeof(struct elf_sample) - 2, 2, OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		make_program();
		sample.programs[SAMPLE_NOTE].p_offset = cases[i].offset;
		sample.programs[SAMPLE_NOTE].p_filesz = cases[i].size;
		assert_int_equal(parse_program(sample.programs, sizeof(sample)), cases[i].status);
	}
}

/* Program headers may lie anywhere in the file, of which the parser then sees two pieces only. */
static void programs_lie_anywhere(void **state)
{
	Elf64_Phdr elsewhere[SAMPLE_PROGRAMS];
	const uint64_t far = 1ULL << 40;
	uint64_t offset;
	size_t size;

	(void)state;
	make_program();
	memcpy(elsewhere, sample.programs, sizeof(elsewhere));
	memset(sample.programs, 0xff, sizeof(sample.programs));
	sample.header.e_phoff = far;
	assert_int_equal(elf_find_programs(&sample, ELF_HEADER, far + sizeof(elsewhere), &offset, &size, &error), OK);
	assert_int_equal(offset, far);
	assert_int_equal(size, sizeof(elsewhere));
	assert_int_equal(parse_program(elsewhere, far + sizeof(elsewhere)), OK);
	assert_int_equal(image.count, 3);
	assert_int_equal(image.headers_va, 0);
	assert_int_equal(elf_find_programs(&sample, ELF_HEADER, far + sizeof(elsewhere) - 1, &offset, &size, &error),
			 ERR_FORMAT);
	assert_int_equal(error.value, far);
	assert_int_equal(elf_find_programs(&sample, ELF_HEADER - 1, far * 2, &offset, &size, &error), ERR_FORMAT);
	assert_int_equal(error.value, ELF_HEADER - 1);
	sample.header.e_phoff = -1ULL;
	assert_int_equal(elf_find_programs(&sample, ELF_HEADER, UINT64_MAX, &offset, &size, &error), ERR_FORMAT);
	assert_int_equal(parse_program(elsewhere, UINT64_MAX), ERR_FORMAT);
}

/* ---- notes ---- */

static void notes_are_found(void **state)
{
	(void)state;
	assert_int_equal(parse(&sample, sizeof(sample)), OK);
	assert_ptr_equal(elf_note(&image, "AnkeOS", 1, 8), &sample.note.content);
	assert_ptr_equal(elf_note(&image, "AnkeOS", 1, 0), &sample.note.content);
	assert_null(elf_note(&image, "AnkeOS", 1, 9));
	assert_null(elf_note(&image, "AnkeOS", 2, 8));
	assert_null(elf_note(&image, "AnkeO", 1, 8));
	assert_null(elf_note(&image, "AnkeOS!", 1, 8));
	assert_null(elf_note(&image, "", 1, 8));
	image = (struct elf_image){ .notes = NULL };
	assert_null(elf_note(&image, "AnkeOS", 1, 8));
}

/* Behind other notes, of lengths that need padding; cut off anywhere; with lengths that lie. */
static void notes_in_a_row(void **state)
{
	static const uint8_t notes[] = {
		1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0,   0,   0,   0,   'x', 'y', 'z', 0, /* "", 1 */
		5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'A', 'n', 'k', 'e', 0,   0,   0,   0, /* "Anke", 1, nothing in it */
		5, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 'A', 'n', 'k', 'e', 0,   0,   0,   0, 'h', 'i',
	};

	(void)state;
	for (size_t size = 0; size <= sizeof(notes); size++) {
		uint8_t *copy = malloc(size ? size : 1);
		struct elf_image of = { .notes = copy, .notes_size = size };

		assert_non_null(copy);
		memcpy(copy, notes, size);
		assert_ptr_equal(elf_note(&of, "Anke", 1, 1), size == sizeof(notes) ? copy + size - 2 : NULL);
		assert_ptr_equal(elf_note(&of, "Anke", 1, 0), size >= 40 ? copy + 40 : NULL);
		assert_ptr_equal(elf_note(&of, "", 1, 3), size >= 19 ? copy + 16 : NULL);
		for (size_t i = 0; i + 4 <= size; i += 4) {
			const uint32_t lies[] = { 0xffffffff, 0xfffffffc, 0x80000000, 0x7fffffff, (uint32_t)size };

			for (size_t k = 0; k < COUNT(lies); k++) {
				memcpy(copy, notes, size);
				memcpy(copy + i, &lies[k], sizeof(lies[k]));
				elf_note(&of, "Anke", 1, 2);
				elf_note(&of, "", 2, 1);
			}
		}
		free(copy);
	}
}

/* ---- damage ---- */

/* A value of the kind that breaks arithmetic. */
static uint64_t interesting(struct random *r)
{
	static const uint64_t values[] = { 0,
					   1,
					   0xfff,
					   0x1000,
					   0x1001,
					   SAMPLE_BASE,
					   SAMPLE_BASE + 0x5000,
					   SAMPLE_BASE + 0x8000,
					   1ULL << 63,
					   -0x1000ULL,
					   -1ULL,
					   sizeof(sample) };

	return values[random_below(r, COUNT(values))] + random_below(r, 3) - 1;
}

static void damage(struct random *r, uint8_t *file, size_t size)
{
	/* Mostly the headers: the rest is never looked at. */
	size_t most = random_below(r, 16) ? offsetof(struct elf_sample, text) : size;
	size_t at = random_below(r, most < size ? most : size);
	uint64_t value = interesting(r);

	if (random_below(r, 2))
		file[at] ^= (uint8_t)(1 << random_below(r, 8));
	else if (random_below(r, 2))
		file[at] = (uint8_t)random_next(r);
	else if ((at &= ~(size_t)7) + sizeof(value) <= size)
		memcpy(file + at, &value, sizeof(value));
}

static void random_damage(void **state)
{
	struct random r = random_start("test_elf");
	size_t accepted = 0;

	(void)state;
	for (size_t i = 0; i < DAMAGED_FILES; i++) {
		size_t size = random_below(&r, 20) ? sizeof(sample) : 1 + random_below(&r, sizeof(sample));
		uint8_t *file = malloc(size);
		const char *rule, *wrong = NULL;
		enum status status;

		assert_non_null(file);
		memcpy(file, &sample, size);
		for (uint64_t n = 1 + random_below(&r, 3); n > 0; n--)
			damage(&r, file, size);
		status = parse(file, size);
		rule = elf_sample_broken_rule(file, size, SAMPLE_BASE, SAMPLE_LAST);
		if (status == OK) {
			accepted++;
			wrong = elf_sample_wrong_image(file, &image);
			elf_note(&image, "AnkeOS", 1, 8);
		}
		if ((status == OK) != !rule || wrong)
			fail_msg("file %zu: parsed with \"%s\", broken rule: %s, image wrong in: %s", i, error.what,
				 rule ? rule : "none", wrong ? wrong : "nothing");
		free(file);
	}
	printf("test_elf: %zu of %d damaged files still keep all the rules\n", accepted, DAMAGED_FILES);
	/* The damage is neither too gentle nor too rough to tell anything. */
	assert_in_range(accepted, DAMAGED_FILES / 20, DAMAGED_FILES / 20 * 19);
}

#define TEST(function) cmocka_unit_test_setup(function, make_sample)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_sample_is_read),
		TEST(any_address_of_the_file_will_do),
		TEST(each_rule_is_named),
		TEST(more_rules),
		TEST(at_most_sixteen_segments),
		TEST(every_truncation),
		TEST(other_ranges),
		TEST(programs_name_a_loader),
		TEST(loaders_names_are_checked),
		TEST(programs_lie_anywhere),
		TEST(notes_are_found),
		TEST(notes_in_a_row),
		TEST(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
