/*
 * The command line, any text: nothing outside it is read, nothing outside the buffer is written, and the answers
 * to different questions fit together.
 */
#include <string.h>

#include "kernel/lib/cmdline.h"
#include "test/fuzz/fuzz.h"

static void ask(const char *cmdline, const char *key)
{
	char all[256] = "untouched";
	bool valued = cmdline_get(cmdline, key, all, sizeof(all));

	FUZZ_EXPECT(valued || strcmp(all, "untouched") == 0);
	FUZZ_EXPECT(!valued || cmdline_has(cmdline, key));
	FUZZ_EXPECT(!valued || !strchr(all, '"'));
	FUZZ_EXPECT(valued || cmdline_number(cmdline, key, 12345) == 12345);
	for (size_t size = 0; size < 12; size++) {
		char *buffer = fuzz_copy("............", size);

		FUZZ_EXPECT(cmdline_get(cmdline, key, buffer, size) == valued);
		if (valued && size) {
			FUZZ_EXPECT(strnlen(buffer, size) == strnlen(all, size - 1));
			FUZZ_EXPECT(strncmp(buffer, all, strlen(buffer)) == 0);
		}
		free(buffer);
	}
	/* A number that was read is there again when it is written down again. */
	if (valued) {
		long number = cmdline_number(cmdline, key, -1);
		char again[64];

		snprintf(again, sizeof(again), "%s=%ld", key, number);
		FUZZ_EXPECT(cmdline_number(again, key, -2) == number);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = strnlen((const char *)data, size);
	char *cmdline = malloc(length + 1);
	const char *rest;

	FUZZ_EXPECT(cmdline);
	if (length)
		memcpy(cmdline, data, length);
	cmdline[length] = '\0';
	ask(cmdline, "init");
	ask(cmdline, "n");
	ask(cmdline, "loglevel");
	rest = cmdline_init_words(cmdline);
	FUZZ_EXPECT(rest >= cmdline && rest <= cmdline + length);
	/* What is init's is nobody else's. */
	if (*rest) {
		char *front = fuzz_copy(cmdline, length + 1);

		front[rest - cmdline] = '\0';
		FUZZ_EXPECT(cmdline_has(front, "n") == cmdline_has(cmdline, "n"));
		free(front);
	}
	free(cmdline);
	return 0;
}
