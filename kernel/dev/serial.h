/*
 * The first serial port, COM1: 115200 baud, 8 data bits, no parity, 1 stop bit.
 */
#pragma once

#include <stdbool.h>

#include "kernel/lib/log.h"

/*
 * Look for a 16550 or a relative of it at port 0x3f8 and set it up. When there is no such port, or one that does not
 * answer its own loopback, all calls are harmless.
 */
void serial_init(void);

/* Leave the port to somebody else: from now on all calls are harmless. */
void serial_leave(void);

/* Return whether a port was found and has not been left. */
bool serial_present(void);

/* Return the next byte received, or -1 when none waits. */
int serial_read(void);

/* Have IRQ 4 signal that serial_read() has something; and no longer. */
void serial_interrupts_on(void);
void serial_interrupts_off(void);

/*
 * The port as a console of the log; '\n' goes out as "\r\n". When the transmitter does not get ready in a bounded time,
 * the text is dropped, and so is all later text until the transmitter is ready at the first look.
 */
extern struct log_sink serial_sink;

/* Write a program's text as serial_sink does, except that '\n' goes out as a line feed only. */
void serial_write_raw(const char *text, size_t size);
