/*
 * The serial port of the gdb stub: a 16550, polled by port I/O alone, so that it works with any page tables, early in
 * the boot, and with interrupts off. When the stub gets the console's port, ttyS0, the console stops using it
 * (serial_leave()).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gdb_port_choice {
	unsigned number;  /* the n of ttySn, 0 to 3 */
	uint16_t divisor; /* 115200 divided by the baud rate */
};

/*
 * Parse "ttyS1" or "ttyS1,9600"; 115200 baud when no rate is given. Returns false, *ret untouched, for any other text.
 */
bool gdb_port_parse(const char *text, struct gdb_port_choice *ret);

/* Set the port up. Returns false when there is no such port; all functions below then have no effect. */
bool gdb_port_start(const struct gdb_port_choice *choice);

/* Return the next byte, or -1 when none waits. */
int gdb_port_read(void);

/* Write a byte. Waits for the transmitter, but not for ever: a byte that cannot be sent is dropped. */
void gdb_port_write(uint8_t byte);

/*
 * gdb_port_isa: return the port's ISA interrupt on a PC, 4 or 3. gdb_port_interrupts_on: make the port raise that
 * interrupt from now on when gdb_port_read() has a byte.
 */
unsigned gdb_port_isa(void);
void gdb_port_interrupts_on(void);
