/*
 * Shared by the parts of the serial ports' driver: serial.c sets up a chip and sends by polling; serial_queue.c sends
 * from a queue while programs run; serial_choice.c finds the ports and chooses the consoles.
 */
#pragma once

#include "kernel/arch/cpu.h"
#include "kernel/dev/port_queue.h"
#include "kernel/dev/serial.h"
#include "kernel/irq/timer.h"
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

#define PORTS_OF_16550 8 /* how many registers a 16550 has: I/O ports, or places in memory */

/* Where the registers of a chip are. */
struct serial_place {
	uint64_t address; /* an I/O port, or a physical address */
	uint8_t width;    /* 0: I/O ports; otherwise bytes from one register to the next, and of each access: 1, 2, 4 */
};

/*
 * A port. Guard, where a field says nothing else: serial_lock while `queues` is set. Otherwise the port is polled
 * without a named lock: one CPU runs in the kernel, and interrupts are off around each byte.
 */
struct serial_port {
	struct timer timer; /* runs while `queues` is set. Must be the first member, see look() in serial_queue.c */
	bool present; /* set when the chip was found; cleared by serial_leave(). Guard: tasks only, not preempted */
	bool left;    /* somebody else drives the chip, so it is never looked for again. Fixed after boot */
	bool console; /* messages of the log are sent to it. Guard: tasks only, which the kernel does not preempt */
	/* Where the chip's registers are. Fixed when the port is present */
	struct serial_place place;
	void *registers;  /* the mapping of registers in memory; NULL: they are I/O ports. Fixed when mapped */
	uint16_t divisor; /* 115,200 baud divided by the baud rate; 0: as the firmware has set it. Fixed after boot */
	int isa;          /* the ISA interrupt, -1: none is known. Fixed when the port is present */
	bool queues;      /* bytes that the port does not take at once go into the queue */
	bool wedged;      /* a wait timed out: do not wait again until the transmitter is found ready */
	uint8_t enabled;  /* the interrupts that are enabled: IER_… */
	size_t burst;     /* how many bytes an empty transmitter takes. Fixed when the port is present */
	size_t room;      /* how many bytes may be sent before LINE_STATUS must be read again */
	uint64_t patience_ns; /* the least time that polling waits for the transmitter to take a byte */
	struct port_queue queue;

	/* The rest is for the time in which `queues` is set. */
	uint64_t look_ns;        /* the timer's interval. Guard: tasks only, which the kernel does not preempt */
	bool is_seen;            /* a screen shows the same text, so a stuck port may lose it. Fixed after boot */
	void (*wake)(void *ctx); /* the function that serial_start_queue() was given. Fixed after boot */
	void *wake_ctx;          /* fixed after boot */
	bool is_awaited;         /* somebody waits: serial_room() found text, or serial_is_idle() a busy port */
	uint64_t progress_ns;    /* when the port last took a byte, or the first byte was queued */
};

extern struct serial_port serial_ports[SERIAL_PORTS];
extern struct lock serial_lock;

/* Read or write a register in memory: enters the kernel context, which alone maps it. */
uint8_t serial_get_memory(const struct serial_port *port, enum serial_register at);
void serial_put_memory(const struct serial_port *port, enum serial_register at, uint8_t value);

static inline uint8_t serial_get(const struct serial_port *port, enum serial_register at)
{
	return port->registers ? serial_get_memory(port, at) : cpu_in8((uint16_t)port->place.address + at);
}

static inline void serial_put(const struct serial_port *port, enum serial_register at, uint8_t value)
{
	if (port->registers)
		serial_put_memory(port, at, value);
	else
		cpu_out8((uint16_t)port->place.address + at, value);
}

/*
 * Return whether the transmitter takes a byte now. When `room` is used up and the FIFO is empty, set `room` to a full
 * burst again.
 */
static inline bool serial_takes_byte(struct serial_port *port)
{
	if (!port->room && serial_get(port, LINE_STATUS) & LSR_TRANSMIT_EMPTY)
		port->room = port->burst;
	return port->room > 0;
}

/* Send a byte. Call when serial_takes_byte() has returned true. */
static inline void serial_send_byte(struct serial_port *port, char byte)
{
	port->room--;
	serial_put(port, DATA, (uint8_t)byte);
}

/* Enable exactly these interrupts of the port: IER_… */
static inline void serial_enable(struct serial_port *port, uint8_t interrupts)
{
	if (port->enabled == interrupts)
		return;
	port->enabled = interrupts;
	serial_put(port, INTERRUPT_ENABLE, interrupts);
}

/*
 * Set the chip at port->place up, at 115,200 baud divided by `divisor`; 0: at the rate that the firmware has set. Call
 * before serial_start_queue(). Returns whether it is there: false when nothing answers there, or the loopback test
 * fails, and for a port that was left.
 */
bool serial_start(struct serial_port *port, uint16_t divisor);

/*
 * Start the port at a place, which gets a number of its own unless it is one of a PC's. A port that has been found
 * before stays as it is. Returns the port, or NULL when it is not there or all numbers are taken. Call in the kernel
 * context.
 */
struct serial_port *serial_add(struct serial_place place, uint16_t divisor);

/* Send by polling: a program's text as it is, a message of the kernel with each '\n' as "\r\n". */
void serial_send(struct serial_port *port, const char *text, size_t size);
void serial_send_message(struct serial_port *port, const char *text, size_t size);

/* Send a program's text or a message of the kernel as far as the port takes it at once, and queue the rest. */
void serial_queue_text(struct serial_port *port, const char *text, size_t size);
void serial_queue_message(struct serial_port *port, const char *text, size_t size);
