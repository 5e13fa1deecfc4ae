/*
 * Sets up serial ports with a 16550 (National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with
 * FIFOs"), reads from them, and sends by polling. Each wait ends after a limited time: losing text is better than
 * hanging when nobody takes the bytes.
 */
#include "kernel/dev/serial_internal.h"
#include "kernel/irq/clock.h"
#include "kernel/mm/space/mmio.h"

/*
 * How many times to read the line status before giving up. A read takes about a microsecond on real machines, and 16
 * bytes at 115200 baud take 1400 microseconds; management controllers that forward the line may delay it for longer.
 */
#define MOST_LOOKS 100000

struct serial_port serial_ports[SERIAL_PORTS];
struct lock serial_lock = LOCK_INITIAL(LOCK_SERIAL);

uint8_t serial_get_memory(const struct serial_port *port, enum serial_register at)
{
	const volatile uint8_t *place = (const volatile uint8_t *)port->registers + at * port->place.width;
	context_token_t token = kernel_context_enter();
	uint8_t value;

	if (port->place.width == 4)
		value = (uint8_t)mmio_read32(place);
	else if (port->place.width == 2)
		value = (uint8_t) * (const volatile uint16_t *)place;
	else
		value = *place;
	kernel_context_leave(token);
	return value;
}

void serial_put_memory(const struct serial_port *port, enum serial_register at, uint8_t value)
{
	volatile uint8_t *place = (volatile uint8_t *)port->registers + at * port->place.width;
	context_token_t token = kernel_context_enter();

	if (port->place.width == 4)
		mmio_write32(place, value);
	else if (port->place.width == 2)
		*(volatile uint16_t *)place = value;
	else
		*place = value;
	kernel_context_leave(token);
}

static bool wait_for(struct serial_port *port, uint8_t line_status, uint32_t looks)
{
	for (uint32_t i = 0; i < looks; i++) {
		if ((serial_get(port, LINE_STATUS) & line_status) == line_status)
			return true;
		cpu_pause();
	}
	return false;
}

/*
 * Return whether the scratch register keeps values: an absent port reads as 0xff, or as the last value on the bus, so
 * two different values are tried.
 */
static bool scratch_works(struct serial_port *port)
{
	serial_put(port, SCRATCH_PAD, 0x5a);
	if (serial_get(port, SCRATCH_PAD) != 0x5a)
		return false;
	serial_put(port, SCRATCH_PAD, 0xa5);
	return serial_get(port, SCRATCH_PAD) == 0xa5;
}

static bool loopback_works(struct serial_port *port)
{
	bool works;

	serial_put(port, MODEM_CONTROL, MCR_LOOPBACK);
	serial_put(port, DATA, 0xae);
	works = wait_for(port, LSR_DATA, MOST_LOOKS) && serial_get(port, DATA) == 0xae;
	serial_put(port, MODEM_CONTROL, MCR_DTR_RTS | MCR_OUT2);
	return works;
}

bool serial_start(struct serial_port *port, uint16_t divisor)
{
	port->present = false;
	if (port->left || !scratch_works(port))
		return false;
	/*
	 * Clearing the FIFO would lose what the firmware is still sending: wait until all of that is sent, for at most
	 * MOST_LOOKS reads of the line status.
	 */
	(void)wait_for(port, LSR_TRANSMITTER_EMPTY, MOST_LOOKS);
	serial_put(port, INTERRUPT_ENABLE, 0);
	if (divisor) {
		serial_put(port, LINE_CONTROL, LCR_DIVISOR | LCR_8N1);
		serial_put(port, DATA, (uint8_t)divisor);
		serial_put(port, INTERRUPT_ENABLE, divisor >> 8);
	}
	serial_put(port, LINE_CONTROL, LCR_8N1);
	serial_put(port, FIFO_CONTROL, FCR_ENABLE_AND_CLEAR);
	port->burst = (serial_get(port, INTERRUPT_ID) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	port->room = 0;
	port->divisor = divisor;
	port->present = loopback_works(port);
	return port->present;
}

void serial_leave(unsigned number)
{
	serial_ports[number].present = serial_ports[number].console = false;
	serial_ports[number].left = true;
}

struct serial_port *serial_port(unsigned number)
{
	return serial_ports[number].present ? &serial_ports[number] : NULL;
}

unsigned serial_number(const struct serial_port *port)
{
	return (unsigned)(port - serial_ports);
}

int serial_isa(const struct serial_port *port)
{
	return port->isa;
}

bool serial_is_console(const struct serial_port *port)
{
	return port->console;
}

int serial_read(const struct serial_port *port)
{
	uint8_t status = port->present ? serial_get(port, LINE_STATUS) : 0;

	/* All ones: the device was removed, or its addresses are being set. */
	if (!(status & LSR_DATA) || status == UINT8_MAX)
		return -1;
	return serial_get(port, DATA);
}

int serial_read_console(void)
{
	int byte = -1;

	for (unsigned i = 0; i < SERIAL_PORTS && byte < 0; i++)
		if (serial_ports[i].console)
			byte = serial_read(&serial_ports[i]);
	return byte;
}

/* ---- polling ---- */

/* Send a byte if the transmitter takes one now. */
static bool send_now(struct serial_port *port, char byte)
{
	/* Turn interrupts off, because a handler that logs may send bytes and change port->room. */
	uint64_t flags = irq_guard_enter();
	bool sends = serial_takes_byte(port);

	if (sends)
		serial_send_byte(port, byte);
	irq_guard_leave(flags);
	return sends;
}

/* Try to send a byte until the transmitter takes it. Returns false when it does not take it in time. */
static bool send_late(struct serial_port *port, char byte)
{
	uint64_t start = clock_monotonic_ns();

	do
		for (uint32_t looks = 0; looks < MOST_LOOKS; looks++) {
			if (send_now(port, byte))
				return true;
			cpu_pause();
		}
	while (clock_monotonic_ns() - start < port->patience_ns);
	return false;
}

/*
 * Send a byte, waiting for the port if necessary. If the port does not take the byte in time, drop it and set
 * port->wedged: from then on bytes are dropped without a wait, until the port takes one at once. Returns false when
 * the byte was dropped.
 */
static bool send(struct serial_port *port, char byte)
{
	if (!send_now(port, byte))
		port->wedged = port->wedged || !send_late(port, byte);
	else
		port->wedged = false;
	return !port->wedged;
}

/* Send text; with '\n' as "\r\n" if `newline`. Lines that the port does not take are dropped and counted as lost. */
static void send_all(struct serial_port *port, const char *text, size_t size, bool newline)
{
	for (size_t i = 0; i < size; i++)
		if ((newline && text[i] == '\n' && !send(port, '\r')) || !send(port, text[i])) {
			port->queue.lost += port_lines(text + i, size - i);
			return;
		}
}

/*
 * Send text by polling, after a line that says how many lines were dropped before. As long as the port is stuck, the
 * text is only counted as lost.
 */
static void send_waiting(struct serial_port *port, const char *text, size_t size, bool newline)
{
	char lost[PORT_LOST_TEXT];

	if (port->wedged && !serial_takes_byte(port))
		port->queue.lost += port_lines(text, size);
	else if (port->queue.lost)
		send_all(port, lost, port_queue_tell_lost(&port->queue, lost), true);
	if (!port->wedged || port->room)
		send_all(port, text, size, newline);
}

void serial_send(struct serial_port *port, const char *text, size_t size)
{
	send_waiting(port, text, size, false);
}

void serial_send_message(struct serial_port *port, const char *text, size_t size)
{
	send_waiting(port, text, size, true);
}

static void serial_write(const char *text, size_t size)
{
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		struct serial_port *port = &serial_ports[i];

		if (!port->console || !port->present)
			continue;
		if (port->queues)
			serial_queue_message(port, text, size);
		else
			serial_send_message(port, text, size);
	}
}

void serial_write_raw(struct serial_port *port, const char *text, size_t size)
{
	if (port->queues)
		serial_queue_text(port, text, size);
	else if (port->present)
		serial_send(port, text, size);
}

/*
 * The ports that are consoles as a sink of the log: its function gets the text of each message. Guard: the same as for
 * all sinks (`sinks` in log.c).
 */
struct log_sink serial_sink = { .write = serial_write };
