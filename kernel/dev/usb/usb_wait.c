/*
 * Lets the task of USB wait, and interrupt handlers wake it.
 */
#include "kernel/dev/usb/xhci.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/time.h"

#define NS_PER_MS 1000000ULL

struct lock usb_lock = LOCK_INITIAL(LOCK_USB);
struct wait_queue usb_queue = WAIT_QUEUE_INITIAL;
const struct usb_host *usb_host; /* fixed after boot */

static bool work;   /* usb_wake() was called since the task last looked at everything. Atomic */
static bool ending; /* usb_run() is to return. Atomic */

void usb_init(const struct usb_host *host)
{
	usb_host = host;
	__atomic_store_n(&ending, false, __ATOMIC_RELAXED);
}

void usb_wake(void)
{
	__atomic_store_n(&work, true, __ATOMIC_RELEASE);
	wait_queue_wake(&usb_queue);
}

void usb_end(void)
{
	__atomic_store_n(&ending, true, __ATOMIC_RELEASE);
	wait_queue_wake(&usb_queue);
}

bool usb_ending(void)
{
	return __atomic_load_n(&ending, __ATOMIC_ACQUIRE);
}

static bool is_ending(void *ctx)
{
	(void)ctx;
	return usb_ending();
}

bool usb_has_work(void *ctx)
{
	(void)ctx;
	return __atomic_load_n(&work, __ATOMIC_ACQUIRE) || usb_ending();
}

void usb_begin_work(void)
{
	__atomic_store_n(&work, false, __ATOMIC_RELEASE);
}

bool usb_sleep_ms(unsigned ms)
{
	usb_host->wait(is_ending, NULL, time_add(clock_monotonic_ns(), ms * NS_PER_MS));
	return !usb_ending();
}
