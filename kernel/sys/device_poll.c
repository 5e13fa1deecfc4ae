/*
 * Connects the handlers of simple devices to interrupts or to a timer; see device_poll.h.
 */
#include "kernel/sys/device_poll.h"

#include "kernel/irq/clock.h"
#include "kernel/lib/time.h"

/* Time between two calls of a handler: at 115,200 baud 11 bytes come in this time, and a serial port keeps 16. */
#define POLL_NS NS_PER_MS

bool device_take_isa(int isa, irq_handler_fn *handler, void *ctx)
{
	uint32_t gsi;

	if (isa < 0 || irq_register_isa((unsigned)isa, handler, ctx, &gsi) != OK)
		return false;
	irq_enable(gsi);
	return true;
}

static void ask(struct timer *timer)
{
	struct device_poll *poll = (struct device_poll *)timer; /* `timer` is the first member of struct device_poll */

	poll->handler(poll->ctx);
	timer_start(timer, time_add(clock_monotonic_ns(), POLL_NS));
}

void device_poll_start(struct device_poll *poll, irq_handler_fn *handler, void *ctx)
{
	poll->handler = handler;
	poll->ctx = ctx;
	poll->timer.fire = ask;
	timer_start(&poll->timer, clock_monotonic_ns());
}

void device_poll_end(struct device_poll *poll)
{
	if (poll->handler)
		(void)timer_cancel(&poll->timer);
}
