/*
 * What the kernel says: a ring of records, each a line with a level and a time, and the consoles that text goes to as it
 * is said. The consoles, the clock and the guard against interrupts are above this layer and register themselves.
 */
#pragma once

#include <stddef.h>

#include "paging/types.h"

/* syslog(3)'s levels: a message is shown when its level is below the console's. */
enum log_level { LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* A priority: a level, and above it syslog(3)'s facility, whose 0 is the kernel. */
#define LOG_LEVEL(priority) ((enum log_level)((priority)&7))

#define LOG_LINE_MOST 976   /* bytes of a record's text, as on Linux; what is longer goes on in the next record */
#define LOG_LINES     1024  /* records that are kept */
#define LOG_TEXT      65536 /* bytes of text that are kept */

struct log_sink {
	/* Write `size` bytes of text; '\n' stands for a new line. Called in any context, interrupts on or off. */
	void (*write)(const char *text, size_t size);
	struct log_sink *next; /* owned by the log */
};

/*
 * Start sending to `sink`; when `replay` is LOG_REPLAY it first gets all that the ring holds, of any level.
 * Nothing happens when it is there already.
 */
enum log_replay { LOG_NO_REPLAY, LOG_REPLAY };
void log_add_sink(struct log_sink *sink, enum log_replay replay);

/* What the log needs from above. All of them are called in any context. */
struct log_host {
	uint64_t (*stamp)(void);             /* now, in units of its own */
	uint64_t (*stamp_ns)(uint64_t when); /* the same since the machine's start; 0 while nobody knows */
	uint64_t (*guard_enter)(void);       /* interrupts off… */
	void (*guard_leave)(uint64_t);       /* …and as they were */
};

/* Until then there are no times, and nothing may interrupt the log. `host` stays. */
void log_set_host(const struct log_host *host);

/* Call `added` behind each record that is complete, interrupts on or off: readers may wait for it. */
void log_set_listener(void (*added)(void));

/* Messages of `level` and above (numerically) are kept in the ring only. 7 shows all but debug; 8 shows all. */
void log_set_console_level(int level);
int log_console_level(void);

/* From now on each line on a console begins with its time, as Linux's printk.time=1. */
void log_show_times(void);

/*
 * Say it: into the ring, and to the consoles when the level allows. A line ends with '\n'. A message of more than 255
 * bytes is cut, and ends with an ellipsis and '\n'. Text without '\n' is an open line: what is said next at the same
 * level goes on with it. An interrupt or an exception may log in the middle of it.
 */
__attribute__((format(printf, 2, 3))) void log_at(enum log_level level, const char *format, ...);

#define log_err(...)   log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* The same for a program's text of any length, with a priority of its own; the last line need not end. */
void log_write(unsigned priority, const char *text, size_t size);

/* To the consoles only, past the level and the ring: the monitor's output and the panic page. Cut as above. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
void say_text(const char *text, size_t size);

/* From now on say() and say_text() go to `write` instead of the consoles; NULL: no longer. */
void log_divert(void (*write)(const char *text, size_t size));

/* A record, copied. */
struct log_record {
	uint64_t seq; /* of the first one ever: 0 */
	uint64_t ns;  /* since the machine's start */
	unsigned priority;
	size_t size; /* bytes of text, without '\n' */
	char text[LOG_LINE_MOST];
};

/* Records are numbered: those from log_first() up to, but without, log_end() are there. An open line is not. */
uint64_t log_first(void);
uint64_t log_end(void);

/* Copy the record `seq`. Returns false, *ret undefined, when it is not there: gone, or not said yet. */
bool log_get(uint64_t seq, struct log_record *ret);

/* Hand all that is kept to `write`, as it was said: without times, an open line included. */
void log_read(void (*write)(const char *text, size_t size));
