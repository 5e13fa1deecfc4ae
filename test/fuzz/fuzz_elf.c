/*
 * The ELF parser on any file: it accepts what the rules of test/host/elf_sample.c accept, and nothing else.
 */
#include "test/fuzz/fuzz.h"
#include "test/host/elf_sample.h"

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
	free(file);
	return 0;
}
