/*
 * The kernel's serial port, which serial_choice.h chooses: 8 data bits, no parity, 1 stop bit. When there is none, all
 * functions but serial_present() do nothing.
 */
#pragma once

#include <stdbool.h>

#include "kernel/lib/log.h"

/* Leave the port to somebody else (the gdb stub): from now on all functions do nothing. */
void serial_leave(void);

/* Return whether a port was found and has not been left. */
bool serial_present(void);

/* Return the next byte received, or -1 when none waits. */
int serial_read(void);

/*
 * The port as a console of the log; '\n' is sent as "\r\n". Until serial_start_queue() text is sent by polling. If the
 * transmitter does not get ready in a limited time, text is dropped until it is ready again; then a line is sent that
 * says how many lines were dropped.
 */
extern struct log_sink serial_sink;

/*
 * Write a program's text as serial_sink does, except that '\n' is sent as a line feed only. After serial_start_queue()
 * text that does not fit into the queue is dropped: call serial_room() first. Only a terminal's echo may be written
 * without that call, since a part of the queue is reserved for it.
 */
void serial_write_raw(const char *text, size_t size);

/* ---- while programs run ---- */

/*
 * From now on writers do not wait for the port: bytes that it does not take at once are queued and sent later, in
 * order; a message of the log is sent between two lines of programs' text. wake: called when half of the queue is free
 * or the port is idle, but only after serial_room() has found text in the queue, or serial_is_idle() has returned
 * false. It may be called in an interrupt handler, and several times.
 */
void serial_start_queue(void (*wake)(void));

/*
 * Tell the driver that a screen shows the same text, so that it need not wait forever for a stuck port: when the port
 * takes no byte for 10 s, the queued text is dropped, and so is new text until the port takes a byte again.
 */
void serial_text_is_seen(void);

/*
 * Enable the port's interrupts. The handler of its interrupt must call serial_serve(), which calls take_input, to read
 * all bytes that have arrived, and sends queued bytes.
 */
void serial_interrupts_on(void);
void serial_serve(void (*take_input)(void));

/*
 * Empty the queue and send by polling again. Queued text is sent before this returns; if the port takes no byte for 3
 * s, the text is dropped and counted as lost. May be called in interrupt handlers, too, in a panic, and at power-off.
 */
void serial_end_queue(void);

/*
 * Call serial_end_queue(), then wait until the chip has sent its last byte or 3 s have passed since the call. Call
 * before the machine is turned off or restarted.
 */
void serial_flush(void);

/* Return how many lines were dropped and not yet reported on the port. */
uint64_t serial_lost(void);

/*
 * serial_room: return how many bytes programs may write now. serial_waiting: return how many bytes of text are queued.
 * serial_is_idle: return whether the port has sent all text.
 */
size_t serial_room(void);
size_t serial_waiting(void);
bool serial_is_idle(void);

/*
 * Programs' text that is queued: serial_stop() holds it back, serial_go() lets it be sent again, serial_drop() drops
 * it. The log's messages are not affected. May be called in interrupt handlers, too.
 */
void serial_stop(void);
void serial_go(void);
void serial_drop(void);
