/*
 * The terminals of the serial ports, ttyS0 and so on: one for each port, and their input. The terminal of the port that
 * leads (serial_leading()) may be shared with the screen, so terminals.c makes it.
 */
#pragma once

#include "kernel/dev/serial.h"
#include "kernel/fs/tty.h"

/* Return the number of the device ttySN. */
static inline uint64_t serial_line_device(unsigned number)
{
	return DEVICE_NUMBER(DEVICE_TTY_MAJOR, 64 + number);
}

/* Return the name of ttySN, which is valid for ever. */
const char *serial_line_name(unsigned number);

/* Make `tty` the terminal of a port: its text is sent by serial_line_write(), and waits in the port's queue. */
void serial_line_join(struct serial_port *port, struct tty *tty);
void serial_line_write(struct tty *tty, const char *text, size_t size);

/*
 * Make a terminal, and register a device, for each port that has none. When there is no memory the log says so. Returns
 * how many were made.
 */
unsigned serial_lines_make(void);

/*
 * serial_lines_connect() takes what is typed at the ports that have a terminal from now on; call it again when more
 * ports have one. Interrupt handlers call `take` with a port and its terminal; it must read all bytes that have
 * arrived. serial_lines_disconnect() ends that, and sends all text that waits.
 */
void serial_lines_connect(void (*take)(struct tty *tty, struct serial_port *port));
void serial_lines_disconnect(void);
