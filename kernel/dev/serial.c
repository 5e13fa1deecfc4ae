/*
 * The serial port, a 16550 (National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs"),
 * by polling. Each wait ends after a limited time: losing text is better than hanging when nobody takes the bytes.
 */
#include "kernel/dev/serial_internal.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/scratch.h"

/*
 * How many times to read the line status before giving up. A read takes about a microsecond on real machines, and 16
 * bytes at 115200 baud take 1400 microseconds; management controllers that forward the line may delay it for longer.
 */
#define MOST_LOOKS 100000

/* Guard: serial_lock. */
static SCRATCH char text_bytes[PORT_TEXT], message_bytes[PORT_MESSAGES];

struct serial_port serial = { .queue = { .text = text_bytes, .messages = message_bytes } };
struct lock serial_lock = LOCK_INITIAL(LOCK_SERIAL);

static bool wait_for(uint8_t line_status, uint32_t looks)
{
	for (uint32_t i = 0; i < looks; i++) {
		if ((serial_get(LINE_STATUS) & line_status) == line_status)
			return true;
		cpu_pause();
	}
	return false;
}

/*
 * Return whether the scratch register keeps values: an absent port reads as 0xff, or as the last value on the bus, so
 * two different values are tried.
 */
static bool scratch_works(void)
{
	serial_put(SCRATCH_PAD, 0x5a);
	if (serial_get(SCRATCH_PAD) != 0x5a)
		return false;
	serial_put(SCRATCH_PAD, 0xa5);
	return serial_get(SCRATCH_PAD) == 0xa5;
}

static bool loopback_works(void)
{
	bool works;

	serial_put(MODEM_CONTROL, MCR_LOOPBACK);
	serial_put(DATA, 0xae);
	works = wait_for(LSR_DATA, MOST_LOOKS) && serial_get(DATA) == 0xae;
	serial_put(MODEM_CONTROL, MCR_DTR_RTS | MCR_OUT2);
	return works;
}

bool serial_start(uint16_t base, uint16_t divisor)
{
	serial.present = false;
	serial.base = base;
	if (!scratch_works())
		return false;
	/*
	 * Clearing the FIFO would lose what the firmware is still sending: wait until all of that is sent, for at most
	 * MOST_LOOKS reads of the line status.
	 */
	(void)wait_for(LSR_TRANSMITTER_EMPTY, MOST_LOOKS);
	serial_put(INTERRUPT_ENABLE, 0);
	serial_put(LINE_CONTROL, LCR_DIVISOR | LCR_8N1);
	serial_put(DATA, (uint8_t)divisor);
	serial_put(INTERRUPT_ENABLE, divisor >> 8);
	serial_put(LINE_CONTROL, LCR_8N1);
	serial_put(FIFO_CONTROL, FCR_ENABLE_AND_CLEAR);
	serial.burst = (serial_get(INTERRUPT_ID) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	serial.room = 0;
	serial.present = loopback_works();
	return serial.present;
}

void serial_leave(void)
{
	serial.present = false;
}

bool serial_present(void)
{
	return serial.present;
}

int serial_read(void)
{
	if (!serial.present || !(serial_get(LINE_STATUS) & LSR_DATA))
		return -1;
	return serial_get(DATA);
}

/* ---- polling ---- */

/* Send a byte if the transmitter takes one now. */
static bool send_now(char byte)
{
	/* Turn interrupts off, because a handler that logs may send bytes and change serial.room. */
	uint64_t flags = irq_guard_enter();
	bool sends = serial_takes_byte();

	if (sends)
		serial_send_byte(byte);
	irq_guard_leave(flags);
	return sends;
}

/* Try to send a byte until the transmitter takes it. Returns false when it does not take it in time. */
static bool send_late(char byte)
{
	uint64_t start = clock_monotonic_ns();

	do
		for (uint32_t looks = 0; looks < MOST_LOOKS; looks++) {
			if (send_now(byte))
				return true;
			cpu_pause();
		}
	while (clock_monotonic_ns() - start < serial.patience_ns);
	return false;
}

/*
 * Send a byte, waiting for the port if necessary. If the port does not take the byte in time, drop it and set
 * serial.wedged: from then on bytes are dropped without a wait, until the port takes one at once. Returns false when
 * the byte was dropped.
 */
static bool send(char byte)
{
	if (!send_now(byte))
		serial.wedged = serial.wedged || !send_late(byte);
	else
		serial.wedged = false;
	return !serial.wedged;
}

/* Send text; with '\n' as "\r\n" if `newline`. Lines that the port does not take are dropped and counted as lost. */
static void send_all(const char *text, size_t size, bool newline)
{
	for (size_t i = 0; i < size; i++)
		if ((newline && text[i] == '\n' && !send('\r')) || !send(text[i])) {
			serial.queue.lost += port_lines(text + i, size - i);
			return;
		}
}

/*
 * Send text by polling, after a line that says how many lines were dropped before. As long as the port is stuck, the
 * text is only counted as lost.
 */
static void send_waiting(const char *text, size_t size, bool newline)
{
	char lost[PORT_LOST_TEXT];

	if (serial.wedged && !serial_takes_byte())
		serial.queue.lost += port_lines(text, size);
	else if (serial.queue.lost)
		send_all(lost, port_queue_tell_lost(&serial.queue, lost), true);
	if (!serial.wedged || serial.room)
		send_all(text, size, newline);
}

void serial_send(const char *text, size_t size)
{
	send_waiting(text, size, false);
}

void serial_send_message(const char *text, size_t size)
{
	send_waiting(text, size, true);
}

static void serial_write(const char *text, size_t size)
{
	if (serial.queues)
		serial_queue_message(text, size);
	else if (serial.present)
		serial_send_message(text, size);
}

void serial_write_raw(const char *text, size_t size)
{
	if (serial.queues)
		serial_queue_text(text, size);
	else if (serial.present)
		serial_send(text, size);
}

/*
 * The port as a sink of the log: its function gets the text of each message. Guard: the same as for all sinks (`sinks`
 * in log.c).
 */
struct log_sink serial_sink = { .write = serial_write };
