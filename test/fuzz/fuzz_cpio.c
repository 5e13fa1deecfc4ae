/*
 * The archive reader on any bytes: it stays inside them, moves on, and says what is wrong and where.
 */
#include "kernel/fs/cpio.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *file = fuzz_copy(data, size);
	struct cpio_error error = { 0, NULL };
	struct cpio_entry entry;
	struct cpio cpio;
	enum status status;

	cpio_start(&cpio, file, size);
	for (uint64_t last = 0; (status = cpio_next(&cpio, &entry, &error)) == OK; last = cpio.at) {
		volatile uint8_t byte = 0;

		FUZZ_EXPECT(cpio.at > last && cpio.at <= size && entry.offset >= last);
		FUZZ_EXPECT(!entry.size || (entry.data <= size && entry.size <= size - entry.data));
		for (uint32_t i = 0; i < entry.size; i++)
			byte = byte ^ file[entry.data + i];
		for (size_t i = 0; i < entry.name_size; i++)
			FUZZ_EXPECT(entry.name[i]);
		FUZZ_EXPECT(!entry.name_size || (entry.name[0] != '/' && entry.name[entry.name_size - 1] != '/'));
	}
	FUZZ_EXPECT(status == ERR_FORMAT || status == ERR_NOT_FOUND);
	FUZZ_EXPECT((status == ERR_FORMAT) == !!error.what);
	FUZZ_EXPECT(error.offset <= size);
	free(file);
	return 0;
}
