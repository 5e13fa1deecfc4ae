/*
 * Which serial port is the kernel's: the words console= and earlycon= of the command line, the ports of PCs, those that
 * the ACPI tables name, and PCI cards.
 */
#pragma once

#include <stdbool.h>

/*
 * Look for a 16550 at the four places of PCs, and use the first that is there: called before the command line is known.
 */
void serial_find_first(void);

/*
 * Use the port that the last console=ttySN,SPEED or earlycon=uart8250,io,ADDRESS,SPEED on the command line names. When
 * it is not there, say so, and go on with the port that serial_find_first() has found.
 */
void serial_choose(const char *cmdline);

/*
 * When no port has been found so far, use one that the ACPI tables name (SPCR, DBG2) or, if the command line asks for a
 * serial port, that of a PCI card; and send there what has been logged so far. Call in the kernel context, after
 * irq_init().
 */
void serial_find_more(const char *cmdline);

/* Return the port's ISA interrupt, or -1 when it has none that is known: it must then be polled. */
int serial_isa(void);

/* Return N of the port's name ttySN: 4 for one that is not at the four places of PCs, and 0 when there is no port. */
unsigned serial_number(void);
