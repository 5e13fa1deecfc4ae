/*
 * The first serial port, COM1: 115200 baud, 8 data bits, no parity, 1 stop bit.
 */
#pragma once

#include <stdbool.h>

#include "kernel/lib/log.h"

/*
 * Look for a 16550 or a relative of it at port 0x3f8 and set it up. A port that is absent or does not answer
 * its own loopback is left alone: all calls are harmless then.
 */
void serial_init(void);

/* Leave the port to somebody else: all calls are harmless from now on. */
void serial_leave(void);

/* Was one found? */
bool serial_present(void);

/* The next byte received, or -1 when none waits. */
int serial_read(void);

/* From now on IRQ 4 says when serial_read has something; or no more. */
void serial_interrupts_on(void);
void serial_interrupts_off(void);

/*
 * The port as a console; '\n' goes out as "\r\n". When the transmitter does not get ready in a bounded time,
 * the text is dropped, and so is all that follows until it is ready at the first look.
 */
extern struct log_sink serial_sink;

/* A program's text: the same, but that '\n' is no more than a line feed. */
void serial_write_raw(const char *text, size_t size);
