/*
 * Text in a heap block that grows; see text.h.
 */
#include "kernel/fs/text.h"

#include "kernel/lib/format.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define FIRST_ROOM 1024

/*
 * Make room for `more` bytes. Returns false when there is no memory for them, or the text would be longer than
 * TEXT_MAX: then `lost` is set, the text so far stays, and nothing can be added to it from then on.
 */
static bool make_room(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : FIRST_ROOM;
	char *bytes = NULL;

	if (more <= text->room - text->size)
		return true;
	if (!text->lost && more <= TEXT_MAX - text->size) {
		while (room - text->size < more)
			room *= 2;
		bytes = kmalloc(room);
	}
	if (!bytes) {
		text->lost = true;
		text->room = text->size;
		return false;
	}
	if (text->size)
		memcpy(bytes, text->bytes, text->size);
	kfree(text->bytes);
	text->bytes = bytes;
	text->room = room;
	return true;
}

void text_reserve(struct text *text, size_t more)
{
	(void)make_room(text, more);
}

void text_add_v(struct text *text, const char *format, va_list args)
{
	va_list again;
	size_t length;

	va_copy(again, args);
	length = format_v(text->bytes ? text->bytes + text->size : NULL, text->room - text->size, format, args);
	/* format_v also writes a NUL, which needs room but is not a part of the text. */
	if (likely(length < text->room - text->size)) {
		text->size += length;
	} else if (make_room(text, length + 1)) {
		format_v(text->bytes + text->size, text->room - text->size, format, again);
		text->size += length;
	}
	va_end(again);
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_add_v(text, format, args);
	va_end(args);
}

void text_add_bytes(struct text *text, const void *bytes, size_t size)
{
	char *at = size ? text_room(text, size) : NULL;

	if (!at)
		return;
	memcpy(at, bytes, size);
	text->size += size;
}

char *text_room_slow(struct text *text, size_t most)
{
	return make_room(text, most) ? text->bytes + text->size : NULL;
}

void text_add_char(struct text *text, char c)
{
	char *at = text_room(text, 1);

	if (!at)
		return;
	*at = c;
	text->size++;
}

void text_add_number(struct text *text, uint64_t number)
{
	char *at = text_room(text, FORMAT_ROOM);

	if (at)
		text_end(text, format_decimal(at, number));
}

void text_add_line(struct text *text, const char *words, uint64_t number)
{
	text_add_string(text, words);
	text_add_number(text, number);
	text_add_char(text, '\n');
}

void text_add_number_right(struct text *text, uint64_t number, unsigned width)
{
	char digits[FORMAT_ROOM];
	size_t count = (size_t)(format_decimal(digits, number) - digits), blanks = count < width ? width - count : 0;
	char *at = text_room(text, 2 * FORMAT_ROOM);

	if (!at)
		return;
	memset(at, ' ', blanks);
	memcpy(at + blanks, digits, count);
	text->size += blanks + count;
}

void text_add_hex(struct text *text, uint64_t number, unsigned digits)
{
	char *at = text_room(text, FORMAT_ROOM);

	if (at)
		text_end(text, format_hex(at, number, digits));
}

void text_pad(struct text *text, size_t start, size_t size)
{
	size_t have = text->size - start, blanks = have < size ? size - have + 1 : 1;
	char *at = text_room(text, blanks);

	if (!at)
		return;
	memset(at, ' ', blanks);
	text->size += blanks;
}

void text_free(struct text *text)
{
	kfree(text->bytes);
	*text = (struct text){ 0 };
}
