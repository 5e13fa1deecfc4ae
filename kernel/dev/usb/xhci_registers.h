/*
 * Registers of xHCI controllers (eXtensible Host Controller Interface for USB, "Register Interface").
 */
#pragma once

/* Offsets from the start of the BAR. */
enum xhci_capability_register {
	XHCI_CAPABILITY_LENGTH = 0x00, /* in the lowest byte; the version is in the upper half */
	XHCI_STRUCTURE_1 = 0x04,
	XHCI_STRUCTURE_2 = 0x08,
	XHCI_CAPABILITIES_1 = 0x10,
	XHCI_DOORBELLS = 0x14,
	XHCI_RUNTIME = 0x18,
};

#define XHCI_REACHES_64    (1u << 0) /* in XHCI_CAPABILITIES_1 */
#define XHCI_CONTEXTS_64   (1u << 2)
#define XHCI_SWITCHES_PORT (1u << 3) /* each port's power has a switch, which the driver turns on */

/* Offsets from the start of the operational registers. */
enum xhci_operational_register {
	XHCI_COMMAND = 0x00,
	XHCI_STATUS = 0x04,
	XHCI_PAGE_SIZE = 0x08,
	XHCI_COMMAND_RING = 0x18,
	XHCI_CONTEXTS = 0x30,
	XHCI_CONFIGURE = 0x38,
	XHCI_PORTS = 0x400, /* 16 bytes for each port */
};

#define XHCI_COMMAND_RUN       (1u << 0)
#define XHCI_COMMAND_RESET     (1u << 1)
#define XHCI_COMMAND_INTERRUPT (1u << 2)
#define XHCI_COMMAND_ERRORS    (1u << 3) /* host system errors interrupt */

#define XHCI_STATUS_HALTED    (1u << 0)
#define XHCI_STATUS_HOST      (1u << 2) /* an error on the way to memory */
#define XHCI_STATUS_EVENT     (1u << 3)
#define XHCI_STATUS_NOT_READY (1u << 11)
#define XHCI_STATUS_INTERNAL  (1u << 12) /* an error inside of the controller */
#define XHCI_GONE             0xffffffffu

#define XHCI_PORT_CONNECTED (1u << 0)
#define XHCI_PORT_ENABLED   (1u << 1) /* written as 1 it disables the port */
#define XHCI_PORT_RESET     (1u << 4)
#define XHCI_PORT_POWER     (1u << 9)
#define XHCI_PORT_SPEED(v)  ((v) >> 10 & 0xf)
#define XHCI_PORT_KEEP      0x0e00c200u /* what is written back as it was: power, lights, what wakes the machine */
#define XHCI_PORT_CHANGES   0x00fe0000u /* what has changed; cleared by ones */
#define XHCI_PORT_PLUGGED   (1u << 17)  /* one of XHCI_PORT_CHANGES: a device was plugged in or unplugged */

/* Offsets from the start of the runtime registers, of interrupter 0: the controller's first source of interrupts. */
enum xhci_runtime_register {
	XHCI_INTERRUPTER = 0x20,
	XHCI_MODERATION = 0x24, /* the shortest time between two interrupts, in units of 250 ns */
	XHCI_SEGMENTS = 0x28,
	XHCI_SEGMENT_TABLE = 0x30,
	XHCI_DEQUEUE = 0x38,
	XHCI_RUNTIME_SIZE = 0x40,
};

#define XHCI_INTERRUPTER_PENDING 1u /* cleared by a one */
#define XHCI_INTERRUPTER_ON      2u
#define XHCI_DEQUEUE_BUSY        8u /* Event Handler Busy: cleared by writing a one, when the events are handled */
