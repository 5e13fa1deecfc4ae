/*
 * The kernel's log: a ring of records, each a line with a level and a time, and the consoles that text goes to as it is
 * logged. The consoles, the clock and the guard against interrupts are above this layer and register themselves.
 */
#pragma once

#include <stddef.h>

#include "paging/types.h"

/* The levels of syslog(3): a message is shown when its level is numerically below the console's. */
enum log_level { LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* A priority: a level, and above it syslog(3)'s facility, whose 0 is the kernel. */
#define LOG_LEVEL(priority) ((enum log_level)((priority)&7))
#define LOG_USER            (1 << 3) /* syslog(3)'s LOG_USER; all lower priorities are messages of the kernel */

#define LOG_LINE_MOST 976   /* bytes of a record's text, as on Linux; longer text goes on in the next record */
#define LOG_LINES     1024  /* the most records that are kept */
#define LOG_TEXT      65536 /* the most bytes of text that are kept */

/* A console. Guard: fixed when it has been added. */
struct log_sink {
	/*
	 * Write `size` bytes of text; '\n' stands for a new line. Called with interrupts on or off, whatever page
	 * tables are loaded.
	 */
	void (*write)(const char *text, size_t size);
	struct log_sink *next; /* belongs to the log while the sink is in its list */
};

/*
 * Start sending to `sink`. When `replay` is LOG_REPLAY, the sink first gets all that the ring holds, of any level.
 * Nothing happens when the sink has been added already.
 */
enum log_replay { LOG_NO_REPLAY, LOG_REPLAY };
void log_add_sink(struct log_sink *sink, enum log_replay replay);

/*
 * Functions that the log needs from layers above. They are called with interrupts on or off, whatever page tables are
 * loaded.
 */
struct log_host {
	uint64_t (*stamp)(void); /* the time now, in any unit */
	/* convert what `stamp` returned to nanoseconds since the machine's start; 0 while the unit is not known yet */
	uint64_t (*stamp_ns)(uint64_t when);
	uint64_t (*guard_enter)(void); /* turn interrupts off; returns a token */
	void (*guard_leave)(uint64_t); /* restore the interrupt flag that the token stands for */
};

/*
 * Give the log its host. Before this call records have no times, and no interrupt may log. `host` must stay valid
 * for ever.
 */
void log_set_host(const struct log_host *host);

/*
 * Have `added` called after each completed record, so that it can wake readers that wait for one. Interrupts may be on
 * or off when it is called.
 */
void log_set_listener(void (*added)(void));

/*
 * Show on the consoles only messages whose level is numerically below `level`; the others are only kept in the ring. 7
 * shows all but LOG_DEBUG, 8 shows all.
 */
void log_set_console_level(int level);
int log_console_level(void);

/* Begin each line on a console with its time from now on, as Linux's printk.time=1 does. */
void log_show_times(void);

/*
 * Log a message: into the ring, and to the consoles when the level allows. A line ends with '\n'. A message of more
 * than 255 bytes is cut, and ends with an ellipsis and '\n'. Text without '\n' leaves the line open: the next message
 * of the same level continues it. An interrupt or an exception may log between two such messages.
 * Text that %s inserts is shown as printable.h says, since programs choose names and paths, and could put controls for
 * the terminal into them.
 */
__attribute__((format(printf, 2, 3))) void log_at(enum log_level level, const char *format, ...);

#define log_err(...)   log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* Log text that the kernel has formatted already, of any length: neither cut nor changed. */
void log_formatted(enum log_level level, const char *text, size_t size);

/*
 * Log a program's message of any length, as a line of its own with this priority. Control characters in the message,
 * also a '\n' inside it, are shown as printable.h says, and a backslash as \x5c. A '\n' at its end is dropped.
 */
void log_write(unsigned priority, const char *text, size_t size);

/*
 * Print on the consoles only, whatever the console level, and not into the ring: for the monitor (the kernel's own
 * prompt) and for panics. say() cuts messages as log_at() does.
 */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
void say_text(const char *text, size_t size);

/* Send all that goes to the consoles to `write` instead; NULL: to the consoles again. */
void log_divert(void (*write)(const char *text, size_t size));

/* A copy of a record, as log_get() makes it. */
struct log_record {
	uint64_t seq; /* number of the record; 0 is the first since the machine's start */
	uint64_t ns;  /* nanoseconds since the machine's start */
	unsigned priority;
	size_t size; /* bytes of text, without '\n'; control characters in it have been made harmless */
	char text[LOG_LINE_MOST];
};

/*
 * Records are numbered: those from log_first() up to, but without, log_end() are kept. An open line is no record yet.
 */
uint64_t log_first(void);
uint64_t log_end(void);

/* Copy the record `seq`. Returns false, *ret undefined, when the record is gone, or not complete yet. */
bool log_get(uint64_t seq, struct log_record *ret);

/*
 * Pass the text of all lines in the ring to `write`, oldest first, without times, and including a line that has not
 * ended.
 */
void log_read(void (*write)(const char *text, size_t size));
