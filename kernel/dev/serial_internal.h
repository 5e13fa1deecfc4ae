/*
 * Shared by the parts of the serial port's driver: serial.c sets up the chip and sends by polling; serial_queue.c sends
 * from a queue while programs run; serial_choice.c chooses the port.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/dev/port_queue.h"
#include "kernel/dev/serial.h"
#include "kernel/sync/lock.h"

enum serial_register {
	DATA = 0,             /* receive and transmit buffer; with LCR_DIVISOR the divisor's low byte */
	INTERRUPT_ENABLE = 1, /* with LCR_DIVISOR the divisor's high byte */
	FIFO_CONTROL = 2,     /* when written */
	INTERRUPT_ID = 2,     /* when read */
	LINE_CONTROL = 3,
	MODEM_CONTROL = 4,
	LINE_STATUS = 5,
	SCRATCH_PAD = 7,
};

#define IER_DATA     0x01
#define IER_TRANSMIT 0x02 /* the transmit FIFO has become empty */

#define LCR_8N1     0x03
#define LCR_DIVISOR 0x80

#define FCR_ENABLE_AND_CLEAR 0x07

#define IIR_NONE 0x01 /* no interrupt is pending */
#define IIR_FIFO 0xc0 /* both bits: the FIFO works */

#define MCR_DTR_RTS  0x03
#define MCR_OUT2     0x08 /* must be set on PCs: it connects the chip's interrupt output to IRQ 4 */
#define MCR_LOOPBACK 0x10

#define LSR_DATA              0x01
#define LSR_TRANSMIT_EMPTY    0x20 /* the transmit FIFO is empty: it takes FIFO_SIZE bytes */
#define LSR_TRANSMITTER_EMPTY 0x40 /* the shift register is empty as well */

#define FIFO_SIZE 16

/*
 * Guard, where a field says nothing else: serial_lock while `queues` is set. Otherwise the port is polled without a
 * named lock: one CPU runs in the kernel, and interrupts are off around each byte.
 */
struct serial_port {
	bool present; /* set at boot; cleared by serial_leave(). Guard: tasks only, which the kernel does not preempt */
	uint16_t base;        /* the chip's first I/O port. Fixed after boot */
	bool queues;          /* bytes that the port does not take at once go into the queue */
	bool wedged;          /* a wait timed out: do not wait again until the transmitter is found ready */
	uint8_t enabled;      /* the interrupts that are enabled: IER_… */
	size_t burst;         /* how many bytes an empty transmitter takes. Fixed after boot */
	size_t room;          /* how many bytes may be sent before LINE_STATUS must be read again */
	uint64_t patience_ns; /* the least time that polling waits for the transmitter to take a byte */
	struct port_queue queue;
};

extern struct serial_port serial;
extern struct lock serial_lock;

static inline uint8_t serial_get(enum serial_register at)
{
	return cpu_in8(serial.base + at);
}

static inline void serial_put(enum serial_register at, uint8_t value)
{
	cpu_out8(serial.base + at, value);
}

/*
 * Return whether the transmitter takes a byte now. When `room` is used up and the FIFO is empty, set `room` to a full
 * burst again.
 */
static inline bool serial_takes_byte(void)
{
	if (!serial.room && serial_get(LINE_STATUS) & LSR_TRANSMIT_EMPTY)
		serial.room = serial.burst;
	return serial.room > 0;
}

/* Send a byte. Call when serial_takes_byte() has returned true. */
static inline void serial_send_byte(char byte)
{
	serial.room--;
	serial_put(DATA, (uint8_t)byte);
}

/* Enable exactly these interrupts of the port: IER_… */
static inline void serial_enable(uint8_t interrupts)
{
	if (serial.enabled == interrupts)
		return;
	serial.enabled = interrupts;
	serial_put(INTERRUPT_ENABLE, interrupts);
}

/*
 * Use the chip whose first I/O port is `base` from now on, at 115,200 baud divided by `divisor`. Call before
 * serial_start_queue(). Returns false when there is no such chip, or its loopback test fails: then the kernel has no
 * serial port, not even the one that it used before.
 */
bool serial_start(uint16_t base, uint16_t divisor);

/* Send by polling: a program's text as it is, a message of the kernel with each '\n' as "\r\n". */
void serial_send(const char *text, size_t size);
void serial_send_message(const char *text, size_t size);

/* Send a program's text or a message of the kernel as far as the port takes it at once, and queue the rest. */
void serial_queue_text(const char *text, size_t size);
void serial_queue_message(const char *text, size_t size);
