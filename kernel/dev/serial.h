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
 * The port as a console of the log; '\n' goes out as "\r\n". Until serial_start_queue() it sends by polling: when the
 * transmitter does not get ready in a bounded time, text is dropped without waiting again, until the transmitter is
 * ready. A line then says how many lines were dropped.
 */
extern struct log_sink serial_sink;

/*
 * Write a program's text as serial_sink does, except that '\n' goes out as a line feed only. After serial_start_queue()
 * text that the queue has no room for is dropped: call serial_room() first. Only a terminal's echo is written without
 * that call: a part of the queue is kept for it.
 */
void serial_write_raw(const char *text, size_t size);

/* ---- while programs run ---- */

/*
 * Make writers stop waiting for the port: from now on, bytes that the port does not take at once are queued and go out
 * later, in order; a message of the log goes out between two lines of programs' text. After serial_room() has found
 * text in the queue, or serial_is_idle() a port that is not idle, `wake` is called when half of the queue's room is
 * free or the port is idle. That may be in any context, and several times.
 */
void serial_start_queue(void (*wake)(void));

/*
 * Say that a screen shows the same text. From then on, when the port takes no byte for 10 s, its queued text is
 * dropped, and so is new text until the port takes a byte again.
 */
void serial_text_is_seen(void);

/*
 * Enable the port's interrupts. The handler of IRQ 4 must call serial_serve(), which calls take_input, to read all
 * bytes that have arrived, and sends queued bytes.
 */
void serial_interrupts_on(void);
void serial_serve(void (*take_input)(void));

/*
 * Empty the queue and send by polling again. Queued text is sent now; it is dropped, and counted as lost, when the port
 * takes no byte for 3 s. May be called in any context; the panic page and power-off call it too.
 */
void serial_end_queue(void);

/*
 * Call serial_end_queue(), then wait until the chip has sent its last byte or 3 s have passed since the call. Call
 * before the machine is turned off or restarted.
 */
void serial_flush(void);

/* Return how many lines were dropped since the port was last sent a line that says how many. */
uint64_t serial_lost(void);

/* Return how many bytes programs may write now; how many written bytes are queued; whether all have left the port. */
size_t serial_room(void);
size_t serial_waiting(void);
bool serial_is_idle(void);

/*
 * Hold back queued programs' text; let it go on; drop it. The log's messages are not affected. All three may be called
 * in any context.
 */
void serial_stop(void);
void serial_go(void);
void serial_drop(void);
