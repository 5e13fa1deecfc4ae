/*
 * How the handler of a simple device is called: by its ISA interrupt, or by a timer that asks a device which has none.
 */
#pragma once

#include <stdbool.h>

#include "kernel/irq/irq.h"
#include "kernel/irq/timer.h"

/* A device that is asked by a timer; all zero: not started. Guard: fixed when first started, but for the timer. */
struct device_poll {
	struct timer timer; /* the first member */
	irq_handler_fn *handler;
	void *ctx;
};

/*
 * Have `handler` called for an ISA interrupt from now on. Returns false when there is no such interrupt, or it has a
 * handler; isa -1 stands for none.
 */
bool device_take_isa(int isa, irq_handler_fn *handler, void *ctx);

/*
 * Have `handler` called a thousand times a second, in the timer's interrupt. device_poll_end: end that, if it has been
 * started. Either may be called again, with the same arguments; call them in tasks.
 */
void device_poll_start(struct device_poll *poll, irq_handler_fn *handler, void *ctx);
void device_poll_end(struct device_poll *poll);
