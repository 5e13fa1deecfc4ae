/*
 * Keeps the log in two rings: log_lines[] holds lines, found by their number, and log_text[] holds the lines' text.
 * Interrupts are off only while a line is copied into the rings or out of them: a message is formatted before that, and
 * written to the consoles after it.
 */
#include "kernel/lib/log.h"

#include <stdarg.h>

#include "kernel/lib/format.h"
#include "kernel/lib/printable.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"

#define MESSAGE_SIZE 256
#define TIME_SIZE    32

_Static_assert((LOG_LINES & (LOG_LINES - 1)) == 0 && (LOG_TEXT & (LOG_TEXT - 1)) == 0, "numbers may wrap");

/*
 * A line of the log. scripts/gdb and the tests read log_lines and log_text from outside, by these names.
 * Guard: guard_enter() of the host, LOCK_LOG.
 */
struct log_line {
	uint64_t stamp;
	/* how many bytes of text had been written before this line's: the line begins at log_text[at % LOG_TEXT] */
	uint64_t at;
	uint32_t priority;
	uint32_t size;
};

/* Neither ring is zeroed at boot: only what was written is ever read. Guard: guard_enter() of the host, LOCK_LOG. */
static SCRATCH struct log_line log_lines[LOG_LINES]; /* line `seq` lies at seq % LOG_LINES */
static SCRATCH char log_text[LOG_TEXT];
static uint64_t text_end;              /* bytes ever written */
static uint64_t first_line, next_line; /* numbers of the oldest line kept and of the next line to come */
static bool newest_open;               /* the newest line has not ended: text of the same priority is added to it */

/*
 * The log's sinks (consoles) and its settings. Guard: tasks only, which the kernel does not preempt. This does not keep
 * out interrupt handlers that log: on a console the message of one may appear inside that of a task.
 */
static struct log_sink *sinks;
static int console_level = LOG_DEBUG;
static bool shows_times, console_inside_line;
static const struct log_host *host;
static void (*listener)(void);
static void (*diverted)(const char *text, size_t size);

static uint64_t guard_enter(void)
{
	return host ? host->guard_enter() : 0;
}

static void guard_leave(uint64_t token)
{
	if (host)
		host->guard_leave(token);
}

static uint64_t stamp_now(void)
{
	return host ? host->stamp() : 0;
}

static uint64_t stamp_ns(uint64_t stamp)
{
	return host ? host->stamp_ns(stamp) : 0;
}

/* ---- the rings; call these inside guard_enter() and guard_leave() ---- */

static struct log_line *line_of(uint64_t seq)
{
	return &log_lines[seq % LOG_LINES];
}

static void open_line(unsigned priority)
{
	if (next_line - first_line == LOG_LINES)
		first_line++;
	*line_of(next_line++) = (struct log_line){ .stamp = stamp_now(), .at = text_end, .priority = priority };
	newest_open = true;
}

/*
 * Add text to the newest line. The caller makes sure that the line then has at most LOG_LINE_MOST bytes, so that it
 * cannot overwrite its own beginning in the ring.
 */
static void add_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		log_text[(text_end + i) % LOG_TEXT] = text[i];
	text_end += size;
	line_of(next_line - 1)->size += (uint32_t)size;
	while (text_end - line_of(first_line)->at > LOG_TEXT)
		first_line++;
}

/* Return the number of bytes before the first '\n'; `size` when there is none. */
static size_t line_length(const char *text, size_t size)
{
	size_t length = 0;

	while (length < size && text[length] != '\n')
		length++;
	return length;
}

/* Add the beginning of `text`: one line, or as much of it as a record holds. Returns the bytes taken, '\n' included. */
static size_t put_line(unsigned priority, const char *text, size_t size)
{
	size_t length = line_length(text, size), room;
	bool ends = length < size;

	if (!newest_open || line_of(next_line - 1)->priority != priority)
		open_line(priority);
	room = LOG_LINE_MOST - line_of(next_line - 1)->size;
	if (length > room) {
		add_text(text, room);
		newest_open = false;
		return room;
	}
	add_text(text, length);
	newest_open = !ends;
	return length + ends;
}

static void put(unsigned priority, const char *text, size_t size)
{
	while (size) {
		uint64_t token = guard_enter();
		uint64_t before = log_end();
		size_t taken = put_line(priority, text, size);
		bool added = log_end() != before;

		guard_leave(token);
		text += taken;
		size -= taken;
		if (added && listener)
			listener();
	}
}

uint64_t log_first(void)
{
	return first_line;
}

uint64_t log_end(void)
{
	return newest_open ? next_line - 1 : next_line;
}

static void copy_line(uint64_t seq, struct log_record *ret)
{
	const struct log_line *line = line_of(seq);

	ret->seq = seq;
	ret->ns = line->stamp; /* the raw stamp, which log_get() converts outside the guard */
	ret->priority = line->priority;
	ret->size = line->size;
	for (size_t i = 0; i < line->size; i++)
		ret->text[i] = log_text[(line->at + i) % LOG_TEXT];
}

bool log_get(uint64_t seq, struct log_record *ret)
{
	uint64_t token = guard_enter();
	bool is_there = seq >= first_line && seq < log_end();

	if (is_there)
		copy_line(seq, ret);
	guard_leave(token);
	if (is_there)
		ret->ns = stamp_ns(ret->ns);
	return is_there;
}

/*
 * Pass a line to `write` in one or two parts, straight from the ring: before a console exists the stack may be too
 * small for a copy.
 */
static void hand_line(uint64_t seq, void (*write)(const char *text, size_t size))
{
	const struct log_line *line = line_of(seq);
	size_t start = line->at % LOG_TEXT, size = line->size, piece = LOG_TEXT - start;

	if (piece > size)
		piece = size;
	if (piece)
		write(log_text + start, piece);
	if (size > piece)
		write(log_text, size - piece);
}

void log_read(void (*write)(const char *text, size_t size))
{
	/*
	 * Stop at the line that is the next one now: lines that are logged during the loop are not read. But they may
	 * push old lines out of the ring, which the loop then skips.
	 */
	uint64_t end = next_line;

	for (uint64_t seq = first_line; seq < end; seq++) {
		if (seq < first_line)
			continue;
		hand_line(seq, write);
		if (seq < log_end())
			write("\n", 1);
	}
}

/* ---- the consoles ---- */

void log_set_host(const struct log_host *new_host)
{
	host = new_host;
}

void log_set_listener(void (*added)(void))
{
	listener = added;
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

int log_console_level(void)
{
	return console_level;
}

void log_show_times(void)
{
	shows_times = true;
}

void log_divert(void (*write)(const char *text, size_t size))
{
	diverted = write;
}

void say_text(const char *text, size_t size)
{
	if (diverted) {
		diverted(text, size);
		return;
	}
	for (struct log_sink *s = sinks; s; s = s->next)
		s->write(text, size);
}

static void show_line(const char *text, size_t size)
{
	unsigned long long us = stamp_ns(stamp_now()) / 1000;
	char time[TIME_SIZE];

	if (!console_inside_line)
		say_text(time, format_s(time, sizeof(time), "[%5llu.%06llu] ", us / 1000000, us % 1000000));
	console_inside_line = text[size - 1] != '\n';
	say_text(text, size);
}

static void show(unsigned priority, const char *text, size_t size)
{
	if ((int)LOG_LEVEL(priority) >= console_level)
		return;
	if (!shows_times) {
		say_text(text, size);
		return;
	}
	while (size) {
		size_t length = line_length(text, size);

		length += length < size;
		show_line(text, length);
		text += length;
		size -= length;
	}
}

/* Format a message and return its length. A message that is too long is cut and ends in an ellipsis and a '\n'. */
static size_t format_message(char text[MESSAGE_SIZE], const char *format, va_list args)
{
	static const char cut[] = "…\n";
	size_t size = format_quoted_v(text, MESSAGE_SIZE, format, args), end = MESSAGE_SIZE - sizeof(cut);

	if (size < MESSAGE_SIZE)
		return size;
	/*
	 * Do not cut inside a character: the bytes after a character's first are 10xxxxxx (RFC 3629, "UTF-8
	 * definition").
	 */
	while (end && (text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, cut, sizeof(cut));
	return end + sizeof(cut) - 1;
}

/* Record a message whose bytes may be shown as they are, and show it on the consoles. */
static void add(unsigned priority, const char *text, size_t size)
{
	put(priority, text, size);
	show(priority, text, size);
}

void log_at(enum log_level level, const char *format, ...)
{
	char text[MESSAGE_SIZE];
	va_list args;
	size_t size;

	va_start(args, format);
	size = format_message(text, format, args);
	va_end(args);
	add(level, text, size);
}

void log_formatted(enum log_level level, const char *text, size_t size)
{
	add(level, text, size);
}

/*
 * Put a backslash as "\x5c", the form in which /dev/kmsg shows it, so that a read of /dev/kmsg can return records
 * unchanged.
 */
static size_t put_backslash(char *to, size_t *ret_taken)
{
	memcpy(to, "\\x5c", PRINTABLE_MOST);
	*ret_taken = 1;
	return PRINTABLE_MOST;
}

void log_write(unsigned priority, const char *text, size_t size)
{
	char shown[MESSAGE_SIZE];
	size_t length = 0, taken;

	if (size && text[size - 1] == '\n')
		size--;
	for (; size; text += taken, size -= taken) {
		if (length + PRINTABLE_MOST > sizeof(shown)) {
			add(priority, shown, length);
			length = 0;
		}
		if (*text == '\\')
			length += put_backslash(shown + length, &taken);
		else
			length += printable_next(text, size, shown + length, &taken);
	}
	if (length)
		add(priority, shown, length);
	add(priority, "\n", 1);
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
