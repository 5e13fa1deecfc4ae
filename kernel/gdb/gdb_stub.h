/*
 * gdb on a real machine: the remote protocol over a serial port of its own. docs/debugging.md shows how to use it.
 */
#pragma once

/*
 * Take the port that `gdb=ttyS1[,115200]` on the command line names, and with it breakpoints, single steps and panics.
 * With `gdbwait`, wait for gdb here. Called early: the direct map must be mapped, nothing else. The log says what could
 * not be done.
 */
void gdb_stub_init(const char *cmdline);

/* Have Ctrl-C stop the machine from now on, and a gdb that connects as well. Interrupts work. */
void gdb_stub_interrupts_on(void);
