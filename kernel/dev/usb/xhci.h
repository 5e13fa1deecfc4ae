/*
 * xHCI controllers, for the files of kernel/dev/usb only. Unless their comments say otherwise, functions are called by
 * the task of usb_run() alone, in the kernel context, with usb_lock not held.
 */
#pragma once

#include "kernel/dev/usb/usb.h"
#include "kernel/dev/usb/xhci_ring.h"
#include "kernel/irq/timer_queue.h"
#include "kernel/mm/space/mmio.h"
#include "kernel/sync/lock.h"

/*
 * Guards what interrupt handlers share with the task: rings, answers, keyboards. It is held while usb_host->keys is
 * called.
 */
extern struct lock usb_lock;

/* The next event that the task waits for: the end of a command, or of a control transfer. Guard: usb_lock. */
struct xhci_answer {
	uint64_t trb;  /* the address of the ring entry whose event is the answer; 0: nothing is waited for */
	uint64_t data; /* the address of a control transfer's entry with the data, or 0 */
	bool done;     /* the answer has come: the fields below are set */
	uint8_t code;  /* enum xhci_code */
	uint8_t slot;
	uint32_t left; /* bytes of the data that were not transferred */
};

struct usb_device;

/* A controller. Guard: fixed when it is started, unless a field says otherwise. */
struct xhci {
	struct pci_function *function;
	volatile uint8_t *base; /* the mapped BAR, in which the next three groups of registers lie */
	volatile uint8_t *operational;
	volatile uint8_t *runtime;
	volatile uint8_t *doorbells;
	uint64_t size;         /* bytes of the BAR */
	unsigned slots, ports; /* how many devices it can have, and how many ports it has */
	unsigned context_size; /* bytes of a context: 32 or 64 */
	bool low;              /* reaches only the first 4 GiB */
	struct dma_page table; /* the array of contexts, and behind it what describes the ring of events */
	struct dma_page scratch_table;
	struct dma_page *scratch; /* pages for the controller's own use, of which scratch_table has the addresses */
	unsigned scratch_count;
	struct xhci_ring commands;   /* guard: usb_lock */
	struct xhci_events events;   /* guard: usb_lock */
	struct xhci_answer answer;   /* guard: usb_lock */
	struct usb_device **by_slot; /* devices by slot, [slots + 1]; NULL: none. Guard: usb_lock */
	struct usb_device *devices;  /* list of all devices. Guard: the task of usb_run() */
	bool ports_changed;          /* guard: usb_lock */
	bool dead;                   /* does not answer, or is gone. Guard: usb_lock */
	unsigned restarts;           /* how often it was started anew. Guard: the task of usb_run() */
	struct pci_interrupt interrupt;
	bool has_interrupt;
	struct timer poll; /* without an interrupt: when to look at the events again */
	unsigned number;   /* for the names of its devices, from 1 on */
	struct xhci *next; /* in the list of all controllers. Guard: the task of usb_run() */
};

/* ---- usb_wait.c ---- */

extern const struct usb_host *usb_host;

/* Have the task of usb_run() look at all controllers and devices once more. Interrupt handlers may call this. */
void usb_wake(void);

/* Let the task sleep for `ms` milliseconds, or until usb_run() is to end. Returns false in the latter case. */
bool usb_sleep_ms(unsigned ms);
bool usb_ending(void); /* return whether usb_run() is to end */

/* Return whether usb_wake() was called since usb_begin_work(), or usb_run() is to end. Ignores `ctx`. */
bool usb_has_work(void *ctx);
void usb_begin_work(void); /* forget the calls of usb_wake() so far: the task looks at everything after this */

/* ---- xhci_start.c ---- */

/*
 * Read what the controller has, and take it over from the firmware. Returns false, with a line in the log, when it
 * cannot be used.
 */
bool xhci_identify(struct xhci *xhci);

/*
 * Reset the controller and let it run. Returns false, with a line in the log, when that fails; the caller must call
 * xhci_halt() then, too.
 */
bool xhci_run(struct xhci *xhci);

/* Stop the controller, so that it writes to no memory any more, and free the memory that xhci_run() took. */
void xhci_halt(struct xhci *xhci);

/* ---- xhci_event.c ---- */

/*
 * Take the events that the controller has written. xhci_serve() is its interrupt handler, whose `ctx` is the
 * controller; xhci_poll() is the function of the timer that does the same for a controller without an interrupt.
 */
void xhci_serve(void *ctx);
void xhci_poll(struct timer *timer);

/* ---- xhci_command.c ---- */

/*
 * Have the controller execute a command and wait for its end. Returns the answer's code (XHCI_SUCCESS if all is well),
 * or 0 when the controller does not answer, which is then dead. *ret_slot, if not NULL, is the slot in the answer.
 */
uint8_t xhci_command(struct xhci *xhci, uint64_t parameter, uint32_t control, uint8_t *ret_slot);

/* ---- usb_device.c ---- */

/* Release the keys of all devices of a controller that has been halted, and free the devices. */
void usb_devices_forget(struct xhci *xhci);
