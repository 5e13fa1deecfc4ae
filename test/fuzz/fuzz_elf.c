/*
 * The ELF parser on any file: as a kernel it accepts what the rules of test/host/elf_sample.c accept, and nothing else;
 * as a user program it may accept more, but then all lies inside the file and the user's addresses.
 */
#include "test/fuzz/fuzz.h"
#include "test/host/elf_sample.h"

#define USER_LAST 0x7fffffffefff

/* The same file as a user program, of which the parser gets the header and the program headers in blocks of their own. */
static void parse_program(const uint8_t *file, size_t size)
{
	struct elf_error error = { NULL, 0 };
	struct elf_image image;
	void *header, *programs;
	uint64_t offset;
	size_t bytes;

	if (elf_find_programs(file, size, size, &offset, &bytes, &error) != OK) {
		FUZZ_EXPECT(error.what);
		return;
	}
	FUZZ_EXPECT(bytes && bytes <= ELF_PROGRAMS && offset <= size && bytes <= size - offset);
	header = fuzz_copy(file, ELF_HEADER);
	programs = fuzz_copy(file + offset, bytes);
	if (elf_parse_program(header, programs, size, 0, USER_LAST, &image, &error) == OK) {
		FUZZ_EXPECT(!error.what && image.count && !image.notes && !(image.align & (image.align - 1)));
		FUZZ_EXPECT(!image.loader_size ||
			    (image.loader_size <= ELF_LOADER_NAME && image.loader_offset <= size &&
			     image.loader_size <= size - image.loader_offset));
		for (size_t i = 0; i < image.count; i++) {
			const struct elf_segment *s = &image.segments[i];

			FUZZ_EXPECT(s->va <= USER_LAST && s->pages <= (USER_LAST + 1 - s->va) / 4096);
			FUZZ_EXPECT(s->offset <= size && s->file_size <= size - s->offset);
			FUZZ_EXPECT(!i || s[-1].va + s[-1].pages * 4096 <= s->va);
		}
	} else {
		FUZZ_EXPECT(error.what);
	}
	free(programs);
	free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *file = fuzz_copy(data, size);
	struct elf_error error = { NULL, 0 };
	struct elf_image image;
	enum status status;

	status = elf_parse(file, size, SAMPLE_BASE, SAMPLE_LAST, &image, &error);
	FUZZ_EXPECT((status == OK) == !elf_sample_broken_rule(file, size, SAMPLE_BASE, SAMPLE_LAST));
	FUZZ_EXPECT((status == OK) == !error.what);
	if (status == OK) {
		const uint8_t *note = elf_note(&image, "AnkeOS", 1, 8);

		FUZZ_EXPECT(!elf_sample_wrong_image(file, &image));
		FUZZ_EXPECT(!note || (note >= (uint8_t *)file && note + 8 <= (uint8_t *)file + size));
	}
	parse_program(file, size);
	free(file);
	return 0;
}
