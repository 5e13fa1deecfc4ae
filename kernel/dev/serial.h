/*
 * Serial ports with a 16550 or a chip that works like it: 8 data bits, no parity, 1 stop bit. serial_choice.h finds
 * them, and says which of them are consoles.
 */
#pragma once

#include <stdbool.h>

#include "kernel/lib/log.h"

/* How many ports there can be, ttyS0 and so on; the first LEGACY_PORTS are those at the fixed addresses of PCs. */
#define SERIAL_PORTS 12
#define LEGACY_PORTS 4

struct serial_port;

/*
 * serial_port: return the port with this number, below SERIAL_PORTS, or NULL when there is none, or when it was left. A
 * port stays for ever. serial_number: return the number of a port. serial_isa: return its ISA interrupt, or -1 when it
 * has none that is known: it must then be polled. serial_is_console: return whether messages of the log are sent to it.
 */
struct serial_port *serial_port(unsigned number);
unsigned serial_number(const struct serial_port *port);
int serial_isa(const struct serial_port *port);
bool serial_is_console(const struct serial_port *port);

/* Leave a port to somebody else (the gdb stub): from now on there is no port with this number, and no console on it. */
void serial_leave(unsigned number);

/* Return the next byte that the port, or any of the consoles, has received; -1 when none waits. */
int serial_read(const struct serial_port *port);
int serial_read_console(void);

/*
 * The log's sink that sends to all ports that are consoles; '\n' is sent as "\r\n". Until a port's serial_start_queue()
 * text is sent by polling. If the transmitter does not get ready in a limited time, text is dropped until it is ready
 * again; then a line is sent that says how many lines were dropped.
 */
extern struct log_sink serial_sink;

/*
 * Write a program's text as serial_sink does, except that '\n' is sent as a line feed only. After serial_start_queue()
 * text that does not fit into the queue is dropped: call serial_room() first. Only a terminal's echo may be written
 * without that call, since a part of the queue is reserved for it.
 */
void serial_write_raw(struct serial_port *port, const char *text, size_t size);

/* ---- while programs run ---- */

/*
 * From now on writers do not wait for the port: bytes that it does not take at once are queued and sent later, in
 * order; a message of the log is sent between two lines of programs' text. wake: called with `ctx` when half of the
 * queue is free or the port is idle, but only after serial_room() has found text in the queue, or serial_is_idle() has
 * returned false. It may be called in an interrupt handler, and several times. When there is no memory for the queue,
 * the log says so, and text is sent by polling as before.
 */
void serial_start_queue(struct serial_port *port, void (*wake)(void *ctx), void *ctx);

/*
 * Tell the driver that a screen shows the same text, so that it need not wait forever for a stuck port: when the port
 * takes no byte for 10 s, the queued text is dropped, and so is new text until the port takes a byte again.
 */
void serial_text_is_seen(struct serial_port *port);

/*
 * Enable the port's interrupts. The handler of its interrupt must call serial_serve(), which calls take_input, to read
 * all bytes that have arrived, and sends queued bytes. serial_is_pending: return whether the port's interrupt has a
 * reason that was not served.
 */
void serial_interrupts_on(struct serial_port *port);
void serial_serve(struct serial_port *port, void (*take_input)(void *ctx), void *ctx);
bool serial_is_pending(const struct serial_port *port);

/*
 * Empty the queues of all ports and send by polling again. Queued text is sent before this returns; if a port takes no
 * byte for 3 s, its text is dropped and counted as lost. May be called in interrupt handlers, too, in a panic, and at
 * power-off.
 */
void serial_end_queues(void);

/*
 * Call serial_end_queues(), then wait until the chips have sent their last bytes or 3 s have passed since the call.
 * Call before the machine is turned off or restarted.
 */
void serial_flush(void);

/* Return how many lines were dropped and not yet reported on the ports. */
uint64_t serial_lost(void);

/*
 * serial_room: return how many bytes programs may write now. serial_waiting: return how many bytes of text are queued.
 * serial_is_idle: return whether the port has sent all text.
 */
size_t serial_room(struct serial_port *port);
size_t serial_waiting(struct serial_port *port);
bool serial_is_idle(struct serial_port *port);

/*
 * Programs' text that is queued: serial_stop() holds it back, serial_go() lets it be sent again, serial_drop() drops
 * it. The log's messages are not affected. May be called in interrupt handlers, too.
 */
void serial_stop(struct serial_port *port);
void serial_go(struct serial_port *port);
void serial_drop(struct serial_port *port);
