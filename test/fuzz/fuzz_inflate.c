/*
 * The unpacker on any bytes: it stays inside them, and what it has passed on is what it says.
 */
#include "kernel/lib/gzip.h"
#include "test/fuzz/fuzz.h"

#define MOST (4 << 20) /* more need not be unpacked to find a fault */

struct work {
	struct gzip gzip; /* must be the first member */
	uint64_t size;
};

static bool count(struct gzip *gzip, const uint8_t *bytes, size_t size)
{
	struct work *work = (struct work *)gzip;
	volatile uint8_t byte = 0;

	for (size_t i = 0; i < size; i++)
		byte = byte ^ bytes[i];
	work->size += size;
	FUZZ_EXPECT(size && gzip->unpacked == work->size && gzip_used(gzip) <= gzip->stream.size);
	return work->size < MOST;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct work work;
	uint8_t *file = fuzz_copy(data, size);
	const char *what = NULL;
	uint64_t used = 0;
	enum status status;

	work.size = 0;
	status = gzip_unpack(&work.gzip, file, size, count, &used, &what);
	FUZZ_EXPECT(status == OK || status == ERR_FORMAT || (status == ERR_RANGE && work.size >= MOST));
	FUZZ_EXPECT((status == ERR_FORMAT) == !!what);
	FUZZ_EXPECT((status == OK) == !!used && used <= size && (status != OK || used >= 18));
	free(file);
	return 0;
}
