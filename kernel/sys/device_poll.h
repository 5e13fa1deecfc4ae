/*
 * How the handler of a simple device is called: by its ISA interrupt, or by a timer that asks a device which has none.
 */
#pragma once

#include <stdbool.h>

#include "kernel/irq/irq.h"
#include "kernel/irq/timer.h"

/*
 * A device whose handler a timer calls; all zero: not started. Guard: fixed when first started, except the timer, which
 * kernel/irq/timer.c guards.
 */
struct device_poll {
	struct timer timer; /* must be the first member: ask() in device_poll.c relies on that */
	irq_handler_fn *handler;
	void *ctx;
};

/*
 * Have `handler` called for the ISA interrupt `isa` from now on. Returns false when there is no such interrupt, or
 * another handler has it; isa -1 stands for a device without an interrupt.
 */
bool device_take_isa(int isa, irq_handler_fn *handler, void *ctx);

/*
 * device_poll_start() has `handler` called a thousand times a second, in the timer's interrupt; device_poll_end() ends
 * that, if it was started. Either may be called again with the same arguments. Call both in tasks.
 */
void device_poll_start(struct device_poll *poll, irq_handler_fn *handler, void *ctx);
void device_poll_end(struct device_poll *poll);
