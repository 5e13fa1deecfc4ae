/*
 * xHCI controllers, for the files of kernel/dev/usb only. Functions without another word in
 * their comment are for the task of usb_run(), in the kernel context, with usb_lock not held.
 */
#pragma once

#include "kernel/dev/usb/usb.h"
#include "kernel/dev/usb/xhci_ring.h"
#include "kernel/irq/timer_queue.h"
#include "kernel/mm/space/mmio.h"
#include "kernel/sync/lock.h"

/*
 * Guards what interrupt handlers share with the task: rings, answers, keyboards. Interrupt handlers hold it while keys
 * are taken.
 */
extern struct lock usb_lock;

/* The next event that the task waits for: the end of a command, or of a control transfer. Guard: usb_lock. */
struct xhci_answer {
	uint64_t trb;  /* the entry that ends it; 0: nothing is waited for */
	uint64_t data; /* a control transfer's entry with the data, or 0 */
	bool done;
	uint8_t code; /* enum xhci_code */
	uint8_t slot;
	uint32_t left; /* bytes of the data that were not transferred */
};

struct usb_device;

/* A controller. Guard: fixed when it is started, unless a field says otherwise. */
struct xhci {
	struct pci_function *function;
	volatile uint8_t *base; /* the BAR, in which the next ones lie */
	volatile uint8_t *operational;
	volatile uint8_t *runtime;
	volatile uint8_t *doorbells;
	uint64_t size;         /* bytes of the BAR */
	unsigned slots, ports; /* how many devices and ports it has */
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
	struct usb_device *devices;  /* list of all. Guard: the task of usb_run() */
	bool ports_changed;          /* guard: usb_lock */
	bool dead;                   /* does not answer, or is gone. Guard: usb_lock */
	unsigned restarts;           /* how often it was started anew. Guard: the task of usb_run() */
	struct pci_interrupt interrupt;
	bool has_interrupt;
	struct timer poll; /* without an interrupt: when to look at the events again */
	unsigned number;   /* for the names of its devices, from 1 on */
	struct xhci *next; /* in the list of all. Guard: the task of usb_run() */
};

/* ---- usb_wait.c ---- */

extern const struct usb_host *usb_host;

/* Have the task of usb_run() look at all controllers and devices again. Interrupt handlers may call this. */
void usb_wake(void);

/* Sleep for a time. Returns false when usb_run() is to end. */
bool usb_sleep_ms(unsigned ms);
bool usb_ending(void);

/* Return whether usb_wake() was called since usb_begin_work(), or usb_run() is to end. Ignores `ctx`. */
bool usb_has_work(void *ctx);
void usb_begin_work(void);

/* ---- xhci_start.c ---- */

/*
 * Find out what the controller has, and take it over from the firmware. Returns false, with a line, if it is unusable.
 */
bool xhci_identify(struct xhci *xhci);

/*
 * Reset the controller and let it run; false, with a line, when it does not. xhci_halt() may be called in both cases.
 */
bool xhci_run(struct xhci *xhci);

/* Stop the controller, so that it writes to no memory any more, and free the memory that xhci_run() took. */
void xhci_halt(struct xhci *xhci);

/* ---- xhci_event.c ---- */

/* Look at what has happened. An interrupt handler; `ctx` is the controller. xhci_poll() does it and comes again. */
void xhci_serve(void *ctx);
void xhci_poll(struct timer *timer);

/* ---- xhci_command.c ---- */

/*
 * Have the controller execute a command and wait for its end. Returns its code (XHCI_SUCCESS if all is well), or 0 when
 * it does not answer, which makes it dead. *ret_slot, if not NULL, is the slot that it names.
 */
uint8_t xhci_command(struct xhci *xhci, uint64_t parameter, uint32_t control, uint8_t *ret_slot);

/* ---- usb_device.c ---- */

/* Forget all devices of a controller that has been halted. */
void usb_devices_forget(struct xhci *xhci);
