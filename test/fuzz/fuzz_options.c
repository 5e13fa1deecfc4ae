/*
 * LoadOptions of any bytes: nothing outside them is read, nothing outside the buffer is written, and what comes back as
 * text is text. The first byte is the room for it; the second splits the rest into LoadOptions and the file's name.
 */
#include <string.h>

#include "efi/load_options.h"
#include "test/fuzz/fuzz.h"

/* No control characters, no blanks at the ends. */
static void expect_words(const char *text)
{
	size_t size = strlen(text);

	FUZZ_EXPECT(size && text[0] != ' ' && text[size - 1] != ' ');
	for (size_t i = 0; i < size; i++)
		FUZZ_EXPECT((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
	/* Text that is read again as UTF-8 is the same text, but for what looks like a byte order mark. */
	if (size >= 2 && strncmp(text, "\xef\xbb\xbf", 3) != 0) {
		char *again = malloc(size + 5);

		FUZZ_EXPECT(options_to_text(text, size, again, size + 5) == OPTIONS_TEXT);
		FUZZ_EXPECT(strcmp(again, text) == 0);
		free(again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room, split;
	char *text, *path;
	uint8_t *options;

	if (size < 2)
		return 0;
	room = data[0];
	size -= 2;
	split = data[1] < size ? data[1] : size;
	options = (uint8_t *)fuzz_copy(data + 2, split);
	text = malloc(room ? room : 1);
	path = malloc(256);
	FUZZ_EXPECT(text && path);
	FUZZ_EXPECT(options_utf8(data + 2 + split, (size - split) / 2, path, 256) == strlen(path));
	if (options_to_text(options, split, text, room) == OPTIONS_TEXT) {
		const char *end = text + strlen(text), *rest;

		FUZZ_EXPECT((size_t)(end - text) < room);
		expect_words(text);
		rest = options_after_name(text, path);
		FUZZ_EXPECT(rest >= text && rest <= end && (*rest != ' '));
		rest = options_after_word(text);
		FUZZ_EXPECT(rest > text && rest <= end);
		(void)options_are_foreign(text);
	}
	free(options);
	free(text);
	free(path);
	return 0;
}
