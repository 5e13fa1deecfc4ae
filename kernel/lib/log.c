/*
 * The ring of the last text, and the way to the consoles. Holds text only: no levels, no times. Takes no lock, and
 * a message that an exception puts in the middle of another one does no harm: each has a piece of the ring of its own.
 */
#include "kernel/lib/log.h"

#include <stdarg.h>
#include <stdint.h>

#include "kernel/lib/format.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"

#define RING_SIZE    16384
#define MESSAGE_SIZE 256

/* Not zeroed at boot: nothing is read that was not written. */
static SCRATCH char ring[RING_SIZE];
static uint64_t ring_end; /* bytes ever written; the next one goes to ring[ring_end % RING_SIZE] */
static struct log_sink *sinks;
static int console_level = LOG_DEBUG;

static void ring_put(const char *text, size_t size)
{
	uint64_t at = __atomic_fetch_add(&ring_end, size, __ATOMIC_RELAXED);

	for (size_t i = 0; i < size; i++)
		ring[(at + i) % RING_SIZE] = text[i];
}

void log_read(void (*write)(const char *text, size_t size))
{
	uint64_t end = ring_end, at = 0;

	if (end > RING_SIZE) {
		/* The oldest line has lost its beginning. */
		at = end - RING_SIZE;
		while (at < end && ring[at++ % RING_SIZE] != '\n')
			;
	}
	while (at < end) {
		uint64_t start = at % RING_SIZE, size = RING_SIZE - start;

		if (size > end - at)
			size = end - at;
		write(ring + start, size);
		at += size;
	}
}

void log_add_sink(struct log_sink *sink, enum log_replay replay)
{
	for (struct log_sink *s = sinks; s; s = s->next)
		if (s == sink)
			return;
	if (replay == LOG_REPLAY)
		log_read(sink->write);
	sink->next = sinks;
	sinks = sink;
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

/* Returns the length of the text. What is too long ends in an ellipsis and a new line. */
static size_t format_message(char text[MESSAGE_SIZE], const char *format, va_list args)
{
	static const char cut[] = "…\n";
	size_t size = format_v(text, MESSAGE_SIZE, format, args), end = MESSAGE_SIZE - sizeof(cut);

	if (size < MESSAGE_SIZE)
		return size;
	/* Not inside a character: the bytes that continue one are 10xxxxxx (RFC 3629, "UTF-8 definition"). */
	while (end && (text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, cut, sizeof(cut));
	return end + sizeof(cut) - 1;
}

void log_at(enum log_level level, const char *format, ...)
{
	char text[MESSAGE_SIZE];
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
	char text[MESSAGE_SIZE];
	va_list args;
	size_t size;

	va_start(args, format);
	size = format_message(text, format, args);
	va_end(args);
	say_text(text, size);
}
