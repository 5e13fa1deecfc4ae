/*
 * The first serial port, COM1: 115200 baud, 8 data bits, no parity, 1 stop bit.
 */
#pragma once

#include <stdbool.h>

#include "kernel/lib/log.h"

/*
 * Look for a 16550 or compatible at port 0x3f8 and set it up. When there is none, or one whose loopback does not work,
 * all calls do nothing.
 */
void serial_init(void);

/* Leave the port to somebody else (the gdb stub): from now on all calls do nothing. */
void serial_leave(void);

/* Return whether a port was found and has not been left. */
bool serial_present(void);

/* Return the next byte received, or -1 when none waits. */
int serial_read(void);

/*
 * The port as a console of the log; '
' goes out as "
". By polling at first: when the transmitter does not get ready
 * in a bounded time, text is dropped without waiting again, until the transmitter is ready. A line then says how many
 * lines that were.
 */
extern struct log_sink serial_sink;

/*
 * Write a program's text as serial_sink does, except that '\n' goes out as a line feed only. Once there is a queue what
 * it has no room for is dropped: ask serial_room() first. An echo does not ask, and finds more room than programs.
 */
void serial_write_raw(const char *text, size_t size);

/* ---- while programs run ---- */

/*
 * From now on nobody waits for the port: what it does not take at once goes out later, in order, the log's messages
 * between the lines of programs' text. `wake` is called, in any context, when there is half of serial_room() again, and
 * when serial_is_idle() has become true, if somebody has asked since.
 */
void serial_start_queue(void (*wake)(void));

/* The same text is on the screen as well: a port that takes nothing for 10 s is given up for as long as that lasts. */
void serial_text_is_seen(void);

/* IRQ 4 arrives, and calls serial_serve(): it calls take_input, which reads all there is to read, and sends. */
void serial_interrupts_on(void);
void serial_serve(void (*take_input)(void));

/*
 * End all that: what waits goes out now, while the port takes it or has taken something in the last 3 s; what it did not
 * take counts as lost. Later text is sent by polling again. Any context; the panic page and power-off call it too.
 */
void serial_end_queue(void);

/* Do that, and wait until the chip has sent all: the machine is turned off or restarted next. 3 s at the most. */
void serial_flush(void);

/* Return how many lines were lost and have not been told on the port. */
uint64_t serial_lost(void);

/* Return how many bytes a program may write now; how many of what was written wait; and whether all has left the port. */
size_t serial_room(void);
size_t serial_waiting(void);
bool serial_is_idle(void);

/* Let programs' text wait, or go on; forget what waits of it. Messages are not concerned. Any context. */
void serial_stop(void);
void serial_go(void);
void serial_drop(void);
