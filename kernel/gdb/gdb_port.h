/*
 * The serial port of the gdb stub: a 16550 by port I/O alone, so it works in any context, at any stage, with interrupts
 * off. Not kernel/dev/serial.c's port, which is the console's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gdb_port_choice {
	unsigned number; /* of ttySn, 0 to 3 */
	uint16_t divisor;
};

/* "ttyS1" or "ttyS1,9600"; 115200 baud when none is named. False: it is neither; *ret is untouched. */
bool gdb_port_parse(const char *text, struct gdb_port_choice *ret);

/* Set the port up. False: there is none; all calls below are then harmless. */
bool gdb_port_start(const struct gdb_port_choice *choice);

/* The next byte, or -1 when none waits. */
int gdb_port_read(void);

/* Waits for the transmitter, but not for ever: a byte that cannot be sent is dropped. */
void gdb_port_write(uint8_t byte);

/* Its interrupt on a PC: 4 or 3. From now on it says when gdb_port_read has something. */
unsigned gdb_port_isa(void);
void gdb_port_interrupts_on(void);
