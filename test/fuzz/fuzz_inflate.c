/*
 * The unpacker on any bytes: it stays inside input and output, and what it measures is what it unpacks.
 */
#include "kernel/lib/gzip.h"
#include "test/fuzz/fuzz.h"

#define MOST (1 << 20) /* more need not be unpacked to find a fault */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct inflate work;
	uint8_t *file = fuzz_copy(data, size), *out;
	struct gzip_member member = { 0, 0 };
	const char *what = NULL;
	enum status status = gzip_measure(&work, file, size, &member, &what);

	FUZZ_EXPECT(status == OK || status == ERR_FORMAT);
	FUZZ_EXPECT((status == ERR_FORMAT) == !!what);
	FUZZ_EXPECT(status != OK || (member.packed >= 18 && member.packed <= size));
	if (status == OK && member.unpacked <= MOST) {
		out = malloc(member.unpacked ? member.unpacked : 1);
		FUZZ_EXPECT(out);
		status = gzip_unpack(&work, file, member.packed, out, member.unpacked, &member, &what);
		FUZZ_EXPECT(status == OK || what);
		free(out);
	}
	/* Without measuring, with whatever room there is: that finds the same, or too little room. */
	out = malloc(size + 1000);
	FUZZ_EXPECT(out);
	{
		struct gzip_member tried = { 0, 0 };
		enum status again = gzip_unpack(&work, file, size, out, size + 1000, &tried, &what);

		FUZZ_EXPECT(again == OK || again == ERR_RANGE || again == ERR_FORMAT);
		FUZZ_EXPECT(again != ERR_RANGE || member.unpacked > size + 1000 || status != OK);
		FUZZ_EXPECT(again != OK || (tried.packed == member.packed && tried.unpacked == member.unpacked));
	}
	free(out);
	free(file);
	return 0;
}
