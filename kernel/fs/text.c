/*
 * Text in a heap block that grows; see text.h.
 */
#include "kernel/fs/text.h"

#include "kernel/lib/format.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define FIRST_ROOM 1024

/* Make room for `more` bytes. Returns false, and sets `lost`, when there is none; the text so far stays. */
static bool make_room(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : FIRST_ROOM;
	char *bytes;

	if (text->lost)
		return false;
	if (more <= text->room - text->size)
		return true;
	text->lost = true;
	if (more > TEXT_MAX - text->size)
		return false;
	while (room - text->size < more)
		room *= 2;
	bytes = kmalloc(room);
	if (!bytes)
		return false;
	if (text->size)
		memcpy(bytes, text->bytes, text->size);
	kfree(text->bytes);
	text->bytes = bytes;
	text->room = room;
	text->lost = false;
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
	if (likely(length < text->room - text->size && !text->lost)) {
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
	if (!size || !make_room(text, size))
		return;
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
}

void text_pad(struct text *text, size_t start, size_t size)
{
	size_t have = text->size - start, blanks = have < size ? size - have : 0;

	text_add(text, "%*s", (int)blanks + 1, "");
}

void text_free(struct text *text)
{
	kfree(text->bytes);
	*text = (struct text){ 0 };
}
