/*
 * The terminal on any bytes: nothing outside its memory is touched, the cursor and the rows that scroll stay on the
 * screen, each row is there once, and no answer asks another question.
 */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "test/host/screen_model.h"

#define COLUMNS 21
#define ROWS    7

static void check(const struct screen *s)
{
	const struct text_console *c = &s->console;
	bool seen[2][ROWS] = { { false } };

	FUZZ_EXPECT(c->at.column < COLUMNS && c->at.row < ROWS);
	FUZZ_EXPECT(c->program.top < c->program.end && c->program.end <= ROWS);
	FUZZ_EXPECT(c->program.parser.count <= VT_PARAMETERS + 1);
	/* The other page is filled when it is shown for the first time. */
	for (uint32_t row = 0; row < ROWS; row++) {
		const uint32_t other = c->grid.exchanged ? c->grid.other.order[row] : row;

		FUZZ_EXPECT(c->grid.page.order[row] < ROWS && other < ROWS);
		seen[0][c->grid.page.order[row]] = seen[1][other] = true;
	}
	for (uint32_t row = 0; row < ROWS; row++)
		FUZZ_EXPECT(seen[0][row] && seen[1][row]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	char answer[TEXT_REPLY];
	struct screen s;
	size_t length;

	FUZZ_EXPECT(screen_open(&s, screen_info(COLUMNS * 8 + 3, ROWS * 16 + 1, (COLUMNS * 8 + 3) * 4)) == OK);
	text_console_feed(&s.console, &s.console.program, text, size);
	while (text_console_draw_row(&s.console))
		;
	check(&s);
	length = text_console_reply(&s.console, answer);
	/* Echoed after whatever the input left unfinished. */
	screen_run(&s, "\030");
	text_console_feed(&s.console, &s.console.program, answer, length);
	FUZZ_EXPECT(text_console_reply(&s.console, answer) == 0);
	check(&s);
	screen_close(&s);
	free(text);
	return 0;
}
