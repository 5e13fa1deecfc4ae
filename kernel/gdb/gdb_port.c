/*
 * Drives the stub's serial port, a 16550; see gdb_port.h (National Semiconductor, "PC16550D Universal Asynchronous
 * Receiver/Transmitter with FIFOs").
 */
#include "kernel/gdb/gdb_port.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/string.h"

#define PORTS    4
#define BAUD_MAX 115200

enum gdb_port_register {
	DATA = 0,             /* the low byte of the baud rate's divisor while LCR_DIVISOR is set */
	INTERRUPT_ENABLE = 1, /* the divisor's high byte while LCR_DIVISOR is set */
	FIFO_CONTROL = 2,
	LINE_CONTROL = 3,
	MODEM_CONTROL = 4,
	LINE_STATUS = 5,
	SCRATCH_BYTE = 7,
};

#define IER_DATA             0x01
#define LCR_8N1              0x03
#define LCR_DIVISOR          0x80
#define FCR_ENABLE_AND_CLEAR 0x07
#define MCR_ON               0x0b /* DTR, RTS, and OUT2, which connects the interrupt line on PCs */
#define LSR_DATA             0x01
#define LSR_TRANSMIT_EMPTY   0x20

/*
 * How many times to read the line status before a byte is dropped. A read takes about a microsecond; sending a byte at
 * 300 baud takes 33,000 microseconds.
 */
#define MOST_LOOKS 200000

static const struct {
	uint16_t base;
	uint8_t isa;
} ports[PORTS] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

static uint16_t base; /* 0: no port. Fixed after boot */
static unsigned isa;  /* fixed after boot */

bool gdb_port_parse(const char *text, struct gdb_port_choice *ret)
{
	struct gdb_port_choice choice = { .divisor = 1 };
	unsigned baud = 0;

	if (strncmp(text, "ttyS", 4) != 0 || digit_value(text[4]) >= PORTS)
		return false;
	choice.number = digit_value(text[4]);
	text += 5;
	if (*text == ',') {
		while (digit_value(*++text) < 10 && baud <= BAUD_MAX)
			baud = 10 * baud + digit_value(*text);
		if (baud < 2 || baud > BAUD_MAX || BAUD_MAX % baud)
			return false;
		choice.divisor = (uint16_t)(BAUD_MAX / baud);
	}
	if (*text)
		return false;
	*ret = choice;
	return true;
}

/* Return whether there is a 16550 at the port: its scratch register keeps what is written. */
static bool answers(uint16_t at)
{
	cpu_out8(at + SCRATCH_BYTE, 0x5a);
	if (cpu_in8(at + SCRATCH_BYTE) != 0x5a)
		return false;
	cpu_out8(at + SCRATCH_BYTE, 0xa5);
	return cpu_in8(at + SCRATCH_BYTE) == 0xa5;
}

bool gdb_port_start(const struct gdb_port_choice *choice)
{
	uint16_t at = ports[choice->number].base;

	if (!answers(at))
		return false;
	cpu_out8(at + INTERRUPT_ENABLE, 0);
	cpu_out8(at + LINE_CONTROL, LCR_DIVISOR | LCR_8N1);
	cpu_out8(at + DATA, (uint8_t)choice->divisor);
	cpu_out8(at + INTERRUPT_ENABLE, (uint8_t)(choice->divisor >> 8));
	cpu_out8(at + LINE_CONTROL, LCR_8N1);
	cpu_out8(at + FIFO_CONTROL, FCR_ENABLE_AND_CLEAR);
	cpu_out8(at + MODEM_CONTROL, MCR_ON);
	base = at;
	isa = ports[choice->number].isa;
	return true;
}

int gdb_port_read(void)
{
	if (!base || !(cpu_in8(base + LINE_STATUS) & LSR_DATA))
		return -1;
	return cpu_in8(base + DATA);
}

void gdb_port_write(uint8_t byte)
{
	if (!base)
		return;
	for (uint32_t i = 0; i < MOST_LOOKS; i++) {
		if (cpu_in8(base + LINE_STATUS) & LSR_TRANSMIT_EMPTY) {
			cpu_out8(base + DATA, byte);
			return;
		}
		cpu_pause();
	}
}

unsigned gdb_port_isa(void)
{
	return isa;
}

void gdb_port_interrupts_on(void)
{
	if (base)
		cpu_out8(base + INTERRUPT_ENABLE, IER_DATA);
}
