/*
 * gdb on a real machine: the remote protocol over a serial port of its own. docs/debugging.md shows how it is used.
 */
#pragma once

/*
 * `gdb=ttyS1[,115200]` on the command line: take that port, and with it breakpoints, single steps and panics. `gdbwait`:
 * wait there for gdb. Early: the direct map must be there, nothing else. Says in the log what it could not do.
 */
void gdb_stub_init(const char *cmdline);

/* From now on Ctrl-C stops the machine, and so does a gdb that connects. Interrupts work. */
void gdb_stub_interrupts_on(void);
