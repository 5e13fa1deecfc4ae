/*
 * A debugger for real machines: gdb's remote protocol over a serial port of its own. docs/debugging.md shows how to use
 * it.
 */
#pragma once

/*
 * Start the stub on the port that `gdb=ttyS1[,115200]` on the command line names: from now on #BP, #DB and panics stop
 * the machine for gdb. With `gdbwait`, stop here. May be called early: only the direct map must be mapped. Errors go to
 * the log.
 */
void gdb_stub_init(const char *cmdline);

/* Have the port's interrupt stop the machine for Ctrl-C and for a gdb that connects. Call when interrupts work. */
void gdb_stub_interrupts_on(void);
