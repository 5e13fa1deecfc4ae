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

/* Turn IRQ 4 on, which signals that serial_read() has something; turn it off. */
void serial_interrupts_on(void);
void serial_interrupts_off(void);

/*
 * The port as a console of the log; '\n' goes out as "\r\n". When the transmitter does not get ready in a bounded time,
 * text is dropped without waiting again, until the transmitter is ready.
 */
extern struct log_sink serial_sink;

/* Write a program's text as serial_sink does, except that '\n' goes out as a line feed only. */
void serial_write_raw(const char *text, size_t size);
