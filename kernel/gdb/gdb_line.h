/*
 * Packets between the stub and gdb over the stub's serial port (gdb_port.h), which must have been started.
 */
#pragma once

#include "kernel/gdb/gdb_packet.h"

/* Begin with no packet. Call once, before the other functions. */
void gdb_line_start(void);

/*
 * Send a reply, and send it again for each NAK, until gdb acknowledges it or sends a packet instead. Gives up after
 * `looks` polls of the port without an event; 0 waits for ever.
 */
void gdb_line_send(const struct gdb_reply *reply, uint64_t looks);

/*
 * Wait for the next undamaged packet, and acknowledge it. An overlong packet comes as an empty one, whose empty reply
 * says "unknown command". The packet is good until the next call of a function of this file.
 */
const struct gdb_packet *gdb_line_receive(void);

/* What gdb wants of a machine that runs. */
enum gdb_call {
	GDB_CALL_NONE,
	GDB_CALL_BREAK,  /* Ctrl-C: gdb wants the machine to stop now */
	GDB_CALL_PACKET, /* gdb has connected: gdb_line_receive() has its first packet */
};

/*
 * Take a byte that has come while the machine runs, with interrupts off. Bytes that only look like the start of a
 * packet are no call: they are forgotten when a second passes without another byte.
 */
enum gdb_call gdb_line_call(uint8_t byte);
