/*
 * Which serial ports there are, and which of them are consoles: the words console= and earlycon= of the command line,
 * the ports of PCs, those that the ACPI tables name, and PCI cards.
 */
#pragma once

#include "kernel/dev/serial.h"

/*
 * Look for a port at the four places of PCs, and make the first that is there the console: called before the command
 * line is known.
 */
void serial_find_first(void);

/*
 * Make the ports consoles that the command line names by console=ttySN,SPEED, or, when there are none, by
 * earlycon=uart8250,io,ADDRESS,SPEED. A port that is not there is passed over (serial_find_more() logs it). When none
 * is there, the port that serial_find_first() has found stays the console.
 */
void serial_choose(const char *cmdline);

/*
 * Add the ports that the ACPI tables name (SPCR, DBG2) and, if the command line asks for a port that has not been found
 * so far, those of PCI cards. When there is no console yet, the first port becomes one. What has been logged so far is
 * sent to new consoles. Call in the kernel context, after irq_init().
 */
void serial_find_more(const char *cmdline);

/* Look for all further ports at the places of PCs: until now only those that might become a console were looked for. */
void serial_find_rest(void);

/* Return the console whose terminal can be /dev/console: the one that the command line named last. NULL: no console. */
struct serial_port *serial_leading(void);
