/*
 * The archive reader on any bytes: it stays inside them, moves on, says what is wrong and where; and it finds the same
 * when the bytes come all at once and when they come in small pieces.
 */
#include "kernel/fs/cpio.h"
#include "kernel/lib/string.h"
#include "test/fuzz/fuzz.h"

/* What one reading has found: a number that depends on all of it. */
struct found {
	uint64_t sum, entries, content;
	enum cpio_event last;
	const char *what, *cut;
	uint64_t at;
};

static void note(struct found *found, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		found->sum = found->sum * 31 + ((const uint8_t *)bytes)[i] + 1;
}

/* Look at all that the reader says until it wants more, or ends. Returns whether it wants more. */
static int read_some(struct cpio *cpio, struct found *found, size_t size)
{
	for (;;) {
		uint64_t before = cpio->at;

		found->last = cpio_next(cpio);
		FUZZ_EXPECT(cpio->at >= before && cpio->at <= size);
		switch (found->last) {
		case CPIO_MORE:
			FUZZ_EXPECT(!cpio->size);
			return 1;
		case CPIO_ENTRY:
			FUZZ_EXPECT(cpio->entry.offset < cpio->at && strlen(cpio->entry.name) < PATH_MAX);
			note(found, cpio->entry.name, strlen(cpio->entry.name));
			if (cpio->entry.target)
				note(found, cpio->entry.target, cpio->entry.size);
			found->content = cpio->entry.target || cpio->silent ? 0 : cpio->entry.size;
			found->entries++;
			break;
		case CPIO_CONTENT:
			FUZZ_EXPECT(cpio->piece_size && cpio->piece_size <= found->content);
			note(found, cpio->piece, cpio->piece_size);
			found->content -= cpio->piece_size;
			break;
		case CPIO_END:
			FUZZ_EXPECT(!found->content);
			note(found, "", 1);
			break;
		case CPIO_TRAILER:
			note(found, "", 1);
			break;
		case CPIO_OTHER:
			FUZZ_EXPECT(cpio->size && cpio_magic(cpio->bytes, cpio->size));
			return 0;
		case CPIO_DAMAGE:
			FUZZ_EXPECT(cpio->damage && cpio->entry.offset <= size);
			return 0;
		}
	}
}

static struct found read_all(const uint8_t *file, size_t size, size_t piece)
{
	static struct cpio cpio;
	struct found found = { 0, 0, 0, CPIO_MORE, NULL, NULL, 0 };
	size_t at = 0;

	cpio_start(&cpio);
	while (at < size) {
		size_t part = size - at < piece ? size - at : piece;
		uint8_t *copy = fuzz_copy(file + at, part);
		int more;

		cpio_feed(&cpio, copy, part);
		more = read_some(&cpio, &found, size);
		free(copy);
		if (!more)
			break;
		at += part;
	}
	found.what = cpio.damage;
	found.cut = cpio_cut(&cpio);
	found.at = cpio.at;
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 7, 110, 4096 };
	struct found whole = read_all(data, size, size ? size : 1);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct found found = read_all(data, size, pieces[i]);

		FUZZ_EXPECT(found.sum == whole.sum && found.entries == whole.entries && found.last == whole.last);
		FUZZ_EXPECT(found.what == whole.what && found.cut == whole.cut && found.at == whole.at);
	}
	return 0;
}
