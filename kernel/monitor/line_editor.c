/*
 * The line editor. Keeps the line's text, the lines before it, and which part of the line is shown. The caller feeds it
 * the bytes that are typed, and runs the finished line.
 *
 * A line longer than LINE_SHOWN scrolls sideways behind the prompt. Letting it wrap would need the terminal's width,
 * which a serial line does not tell.
 */
#include "kernel/monitor/line_editor.h"

#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

#define CONTROL(letter) (0x1f & (letter))
#define BACKSPACE       0x08
#define RUBOUT          0x7f
#define ESCAPE          0x1b

static void echo(struct line_editor *editor, const char *text)
{
	editor->write(text, strlen(text));
}

/* Write the prompt and the visible part of the line again, in one write. */
static void redraw(struct line_editor *editor)
{
	char text[LINE_PROMPT + LINE_SHOWN + 16];
	size_t shown, size, left;

	if (editor->cursor < editor->first)
		editor->first = editor->cursor;
	if (editor->cursor - editor->first > LINE_SHOWN)
		editor->first = editor->cursor - LINE_SHOWN;
	shown = editor->length - editor->first;
	if (shown > LINE_SHOWN)
		shown = LINE_SHOWN;
	size = format_s(text, sizeof(text), "\r%.*s%.*s\033[K", LINE_PROMPT, editor->prompt, (int)shown,
			editor->line + editor->first);
	left = editor->first + shown - editor->cursor;
	if (left > 0)
		size += format_s(text + size, sizeof(text) - size, "\033[%zuD", left);
	editor->write(text, size);
}

void line_begin(struct line_editor *editor)
{
	editor->line[0] = '\0';
	editor->length = editor->cursor = editor->first = editor->back = 0;
	editor->state = LINE_PLAIN;
	echo(editor, editor->prompt);
}

static void insert(struct line_editor *editor, char c)
{
	if (editor->length + 1 >= LINE_SIZE)
		return;
	memmove(editor->line + editor->cursor + 1, editor->line + editor->cursor, editor->length - editor->cursor + 1);
	editor->line[editor->cursor++] = c;
	editor->length++;
	/*
	 * Echo only the byte itself when it is appended to the line: so a slow serial line keeps up with pasted text,
	 * and captured output stays readable.
	 */
	if (editor->cursor == editor->length && editor->length - editor->first <= LINE_SHOWN)
		editor->write(&c, 1);
	else
		redraw(editor);
}

/* Remove the bytes [from, to) and put the cursor there. */
static void cut(struct line_editor *editor, size_t from, size_t to)
{
	if (from == to)
		return;
	memmove(editor->line + from, editor->line + to, editor->length - to + 1);
	editor->length -= to - from;
	editor->cursor = from;
	redraw(editor);
}

static void move(struct line_editor *editor, size_t cursor)
{
	if (cursor == editor->cursor)
		return;
	editor->cursor = cursor;
	redraw(editor);
}

static void move_left(struct line_editor *editor)
{
	if (editor->cursor > 0)
		move(editor, editor->cursor - 1);
}

static void move_right(struct line_editor *editor)
{
	if (editor->cursor < editor->length)
		move(editor, editor->cursor + 1);
}

static void delete_before(struct line_editor *editor)
{
	if (editor->cursor > 0)
		cut(editor, editor->cursor - 1, editor->cursor);
}

static void delete_here(struct line_editor *editor)
{
	if (editor->cursor < editor->length)
		cut(editor, editor->cursor, editor->cursor + 1);
}

/* ---- history ---- */

/* Return the history's line number `back`, counted backwards: 1 is the line entered last. */
static char *history_line(struct line_editor *editor, size_t back)
{
	return editor->history[(editor->lines - back) % LINE_HISTORY];
}

static void remember(struct line_editor *editor)
{
	if (editor->length == 0)
		return;
	if (editor->lines > 0 && strcmp(history_line(editor, 1), editor->line) == 0)
		return;
	memcpy(editor->history[editor->lines % LINE_HISTORY], editor->line, LINE_SIZE);
	editor->lines++;
}

static void recall(struct line_editor *editor, size_t back)
{
	size_t most = editor->lines < LINE_HISTORY ? editor->lines : LINE_HISTORY;

	if (back > most)
		return;
	if (editor->back == 0)
		memcpy(editor->draft, editor->line, LINE_SIZE);
	editor->back = back;
	memcpy(editor->line, back == 0 ? editor->draft : history_line(editor, back), LINE_SIZE);
	editor->length = editor->cursor = strlen(editor->line);
	redraw(editor);
}

/* ---- bytes ---- */

/*
 * Do what a complete escape sequence says, according to its final byte, or to its number if that byte is '~'. These are
 * the sequences that xterm, the Linux console and a VT220 send for the arrows, Home, End and Delete.
 */
static void run_sequence(struct line_editor *editor, uint8_t final)
{
	uint8_t key = final == '~' ? editor->parameter : final;

	switch (key) {
	case 'A':
		recall(editor, editor->back + 1);
		break;
	case 'B':
		if (editor->back > 0)
			recall(editor, editor->back - 1);
		break;
	case 'C':
		move_right(editor);
		break;
	case 'D':
		move_left(editor);
		break;
	case 'H':
	case 1:
	case 7:
		move(editor, 0);
		break;
	case 'F':
	case 4:
	case 8:
		move(editor, editor->length);
		break;
	case 3:
		delete_here(editor);
		break;
	default:
		break;
	}
}

static void plain_byte(struct line_editor *editor, uint8_t byte)
{
	switch (byte) {
	case CONTROL('A'):
		move(editor, 0);
		break;
	case CONTROL('E'):
		move(editor, editor->length);
		break;
	case CONTROL('U'):
		cut(editor, 0, editor->cursor);
		break;
	case CONTROL('K'):
		cut(editor, editor->cursor, editor->length);
		break;
	case CONTROL('L'):
		echo(editor, "\033[H\033[2J");
		redraw(editor);
		break;
	case BACKSPACE:
	case RUBOUT:
		delete_before(editor);
		break;
	case ESCAPE:
		editor->state = LINE_ESCAPE;
		break;
	default:
		if (byte >= ' ' && byte < RUBOUT)
			insert(editor, byte);
		break;
	}
}

static void sequence_byte(struct line_editor *editor, uint8_t byte)
{
	if (byte >= '0' && byte <= '9') {
		/*
		 * Keys have numbers up to 34. A number above 39 becomes 100, which no key has, so that `parameter`
		 * cannot overflow.
		 */
		editor->parameter = editor->parameter < 4 ? editor->parameter * 10 + (byte - '0') : 100;
	} else if (byte < ' ') {
		editor->state = LINE_PLAIN;
		plain_byte(editor, byte);
	} else if (byte >= '@') {
		editor->state = LINE_PLAIN;
		run_sequence(editor, byte);
	}
}

/* Take CR, LF or Ctrl-C. Called in every state, so that an unfinished escape sequence cannot swallow Enter. */
static enum line_event end_byte(struct line_editor *editor, uint8_t byte, bool after_return)
{
	if (byte == CONTROL('C')) {
		echo(editor, "^C\n");
		return LINE_CANCELLED;
	}
	editor->after_return = byte == '\r';
	if (byte == '\n' && after_return)
		return LINE_EDITING;
	remember(editor);
	echo(editor, "\n");
	return LINE_READY;
}

enum line_event line_feed(struct line_editor *editor, uint8_t byte)
{
	bool after_return = editor->after_return;

	editor->after_return = false;
	if (byte == '\r' || byte == '\n' || byte == CONTROL('C'))
		return end_byte(editor, byte, after_return);
	switch (editor->state) {
	case LINE_PLAIN:
		plain_byte(editor, byte);
		break;
	case LINE_ESCAPE:
		/* Drop a byte after ESC that begins no sequence: a key with Alt, or the key after a lone Escape. */
		editor->state = byte == '[' || byte == 'O' ? LINE_SEQUENCE : LINE_PLAIN;
		editor->parameter = 0;
		break;
	case LINE_SEQUENCE:
		sequence_byte(editor, byte);
		break;
	}
	return LINE_EDITING;
}
