/*
 * The ring of the last text and the way to the consoles.
 */
#include "kernel/lib/log.h"

#include <stdarg.h>

#include "kernel/lib/format.h"

#define RING_SIZE    16384
#define MESSAGE_MOST 512

static char ring[RING_SIZE];
static size_t ring_end; /* bytes ever written */
static struct log_sink *sinks;
static int console_level = LOG_DEBUG;

static void ring_put(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		ring[(ring_end + i) % RING_SIZE] = text[i];
	ring_end += size;
}

void log_read(void (*write)(const char *text, size_t size))
{
	size_t start = ring_end % RING_SIZE;

	if (ring_end > RING_SIZE)
		write(ring + start, RING_SIZE - start);
	write(ring, start);
}

void log_add_sink(struct log_sink *sink, enum log_replay replay)
{
	sink->next = sinks;
	sinks = sink;
	if (replay == LOG_REPLAY)
		log_read(sink->write);
}

void log_set_console_level(int level)
{
	console_level = level;
}

void say_text(const char *text, size_t size)
{
	for (struct log_sink *s = sinks; s; s = s->next)
		s->write(text, size);
}

/* Formats, cuts what is too long, and returns the length. */
static size_t format_message(char *text, const char *format, va_list args)
{
	size_t size = format_v(text, MESSAGE_MOST, format, args);

	return size < MESSAGE_MOST ? size : MESSAGE_MOST - 1;
}

void log_at(enum log_level level, const char *format, ...)
{
	char text[MESSAGE_MOST];
	va_list args;
	size_t size;

	va_start(args, format);
	size = format_message(text, format, args);
	va_end(args);
	ring_put(text, size);
	if ((int)level < console_level)
		say_text(text, size);
}

void say(const char *format, ...)
{
	char text[MESSAGE_MOST];
	va_list args;
	size_t size;

	va_start(args, format);
	size = format_message(text, format, args);
	va_end(args);
	say_text(text, size);
}
