/*
 * What the kernel says: a ring of the last text, and the consoles it goes to as it is said.
 * The consoles are above this layer and register themselves.
 */
#pragma once

#include <stddef.h>

/* The levels of Linux's loglevel=: a message is shown when its level is below the console's. */
enum log_level { LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

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

/* Messages of `level` and above (numerically) are kept in the ring only. 7 shows all but debug; 8 shows all. */
void log_set_console_level(int level);

/*
 * Say it: into the ring, and to the consoles when the level allows. A line ends with '\n'. A message of more than 255
 * bytes is cut, and ends with an ellipsis and '\n'. An exception may log in the middle of it.
 */
__attribute__((format(printf, 2, 3))) void log_at(enum log_level level, const char *format, ...);

#define log_err(...)   log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* To the consoles only, past the level and the ring: the monitor's output and the panic page. Cut as above. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
void say_text(const char *text, size_t size);

/* Hand the ring's last 16 KiB of text, from the oldest whole line on, to `write` in two pieces at the most. */
void log_read(void (*write)(const char *text, size_t size));
