/*
 * The 16550 at COM1, by polling (National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with
 * FIFOs"). Needs no interrupt. Each wait has a bound: a kernel that hangs because nobody listens would be worse than
 * one whose text is lost.
 */
#include "kernel/dev/serial.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"

#define COM1 0x3f8

enum serial_register {
	DATA = 0,             /* receive and transmit buffer; with LCR_DIVISOR the divisor's low byte */
	INTERRUPT_ENABLE = 1, /* with LCR_DIVISOR the divisor's high byte */
	FIFO_CONTROL = 2,     /* when written */
	INTERRUPT_ID = 2,     /* when read */
	LINE_CONTROL = 3,
	MODEM_CONTROL = 4,
	LINE_STATUS = 5,
	SCRATCH = 7,
};

#define IER_DATA    0x01
#define LCR_8N1     0x03
#define LCR_DIVISOR 0x80

#define FCR_ENABLE_AND_CLEAR 0x07

#define IIR_FIFO 0xc0 /* both bits: the FIFO works */

#define MCR_DTR_RTS  0x03
#define MCR_OUT2     0x08 /* connects the interrupt line on PCs; set, as everybody expects */
#define MCR_LOOPBACK 0x10

#define LSR_DATA              0x01
#define LSR_TRANSMIT_EMPTY    0x20 /* the transmit FIFO is empty: it takes FIFO_SIZE bytes */
#define LSR_TRANSMITTER_EMPTY 0x40 /* the shift register is empty as well */

#define DIVISOR_115200 1
#define FIFO_SIZE      16

/*
 * How often to look at the line status before giving up. A look takes about a microsecond on real machines, and 16
 * bytes at 115200 baud take 1400; management controllers that forward the line may hold it up for longer.
 */
#define MOST_LOOKS 100000

/* Guard: the kernel, one CPU, not preempted. */
static bool present; /* set at boot; cleared by serial_leave() */
static bool wedged;  /* the last wait was in vain: do not wait again until the transmitter is found ready */
static size_t burst; /* how many bytes an empty transmitter takes. Fixed after boot */
static size_t room;  /* how many bytes the transmitter takes without another look. Own CPU, interrupts off */

static uint8_t get(enum serial_register at)
{
	return cpu_in8(COM1 + at);
}

static void put(enum serial_register at, uint8_t value)
{
	cpu_out8(COM1 + at, value);
}

static bool wait_for(uint8_t line_status, uint32_t looks)
{
	for (uint32_t i = 0; i < looks; i++) {
		if ((get(LINE_STATUS) & line_status) == line_status)
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
	put(SCRATCH, 0x5a);
	if (get(SCRATCH) != 0x5a)
		return false;
	put(SCRATCH, 0xa5);
	return get(SCRATCH) == 0xa5;
}

static bool loopback_works(void)
{
	bool works;

	put(MODEM_CONTROL, MCR_LOOPBACK);
	put(DATA, 0xae);
	works = wait_for(LSR_DATA, MOST_LOOKS) && get(DATA) == 0xae;
	put(MODEM_CONTROL, MCR_DTR_RTS | MCR_OUT2);
	return works;
}

void serial_init(void)
{
	if (!scratch_works())
		return;
	/*
	 * Clearing the FIFO loses what the firmware is still sending: first wait until all of it is out, at most
	 * MOST_LOOKS times.
	 */
	(void)wait_for(LSR_TRANSMITTER_EMPTY, MOST_LOOKS);
	put(INTERRUPT_ENABLE, 0);
	put(LINE_CONTROL, LCR_DIVISOR | LCR_8N1);
	put(DATA, DIVISOR_115200 & 0xff);
	put(INTERRUPT_ENABLE, DIVISOR_115200 >> 8);
	put(LINE_CONTROL, LCR_8N1);
	put(FIFO_CONTROL, FCR_ENABLE_AND_CLEAR);
	burst = (get(INTERRUPT_ID) & IIR_FIFO) == IIR_FIFO ? FIFO_SIZE : 1;
	present = loopback_works();
}

void serial_leave(void)
{
	present = false;
}

bool serial_present(void)
{
	return present;
}

int serial_read(void)
{
	if (!present || !(get(LINE_STATUS) & LSR_DATA))
		return -1;
	return get(DATA);
}

void serial_interrupts_on(void)
{
	if (present)
		put(INTERRUPT_ENABLE, IER_DATA);
}

void serial_interrupts_off(void)
{
	if (present)
		put(INTERRUPT_ENABLE, 0);
}

/* Send a byte if the transmitter takes one now. */
static bool send_now(uint8_t byte)
{
	/* Interrupts are off because a handler that logs changes `room`, too. */
	uint64_t flags = irq_guard_enter();
	bool sends;

	if (room == 0 && (get(LINE_STATUS) & LSR_TRANSMIT_EMPTY))
		room = burst;
	sends = room > 0;
	if (sends) {
		room--;
		put(DATA, byte);
	}
	irq_guard_leave(flags);
	return sends;
}

/* Send a byte. Returns false when it was dropped. */
static bool send(uint8_t byte)
{
	for (uint32_t looks = wedged ? 1 : MOST_LOOKS; !send_now(byte); cpu_pause())
		if (--looks == 0) {
			wedged = true;
			return false;
		}
	wedged = false;
	return true;
}

static void serial_write(const char *text, size_t size)
{
	if (!present)
		return;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n' && !send('\r'))
			return;
		if (!send(text[i]))
			return;
	}
}

void serial_write_raw(const char *text, size_t size)
{
	for (size_t i = 0; present && i < size; i++)
		if (!send((uint8_t)text[i]))
			return;
}

/* Guard: that of all sinks of the log (log.c). */
struct log_sink serial_sink = { .write = serial_write };
