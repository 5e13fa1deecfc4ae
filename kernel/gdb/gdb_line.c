/*
 * Sends and receives packets over the stub's serial port, with acknowledgements. While the machine runs,
 * gdb_line_call() gets each byte that comes, and notices when gdb wants to stop the machine.
 * Guard of all state here: the CPU that owns the stub while the machine is stopped; interrupts off while it runs.
 */
#include "kernel/gdb/gdb_line.h"

#include "kernel/arch/cpu.h"
#include "kernel/gdb/gdb_port.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/scratch.h"

/* While the machine runs, an unfinished packet is dropped when no further byte has come for this long. */
#define UNFINISHED_NS NS_PER_S

static SCRATCH struct gdb_packet packet;
static bool pending;     /* `packet` is whole, and has not been given to gdb_line_receive()'s caller yet */
static uint64_t last_ns; /* when the last byte came while the machine ran */

void gdb_line_start(void)
{
	packet.state = GDB_IDLE;
}

/* Wait for an event on the line, for `looks` polls of the port (0: for ever). Returns GDB_NOTHING when none came. */
static enum gdb_event wait_event(uint64_t looks)
{
	for (uint64_t i = 0; !looks || i < looks; i++) {
		int byte = gdb_port_read();
		enum gdb_event event = byte < 0 ? GDB_NOTHING : gdb_packet_feed(&packet, (uint8_t)byte);

		if (event != GDB_NOTHING)
			return event;
		cpu_pause();
	}
	return GDB_NOTHING;
}

void gdb_line_send(const struct gdb_reply *reply, uint64_t looks)
{
	enum gdb_event event = GDB_NAK;

	while (event != GDB_ACK && event != GDB_PACKET) {
		if (event == GDB_NAK)
			gdb_reply_send(reply, gdb_port_write);
		event = wait_event(looks);
		if (event == GDB_NOTHING)
			return;
	}
	pending = event == GDB_PACKET;
}

const struct gdb_packet *gdb_line_receive(void)
{
	while (!pending) {
		switch (wait_event(0)) {
		case GDB_PACKET:
			pending = true;
			break;
		case GDB_DAMAGED:
			gdb_port_write('-');
			break;
		case GDB_OVERLONG:
			/* Treat an overlong packet as an empty one, which gets the empty reply: "unknown command". */
			packet.length = 0;
			pending = true;
			break;
		default:
			break;
		}
	}
	pending = false;
	gdb_port_write('+');
	return &packet;
}

enum gdb_call gdb_line_call(uint8_t byte)
{
	uint64_t now = clock_monotonic_ns();

	if (now - last_ns > UNFINISHED_NS)
		packet.state = GDB_IDLE;
	last_ns = now;
	switch (gdb_packet_feed(&packet, byte)) {
	case GDB_BREAK:
		return GDB_CALL_BREAK;
	case GDB_PACKET:
		pending = true;
		return GDB_CALL_PACKET;
	case GDB_DAMAGED:
		gdb_port_write('-');
		return GDB_CALL_NONE;
	default:
		return GDB_CALL_NONE;
	}
}
