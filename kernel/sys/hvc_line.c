/*
 * Joins the virtio console with a terminal; see hvc_line.h.
 */
#include "kernel/sys/hvc_line.h"

#include "kernel/arch/irq_guard.h"
#include "kernel/dev/hvc.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/device_poll.h"
#include "kernel/task/job_control.h"

#define HVC_MAJOR   229 /* the device's major number, as on Linux */
#define INPUT       64  /* bytes that are passed to the terminal at once */
#define MOST_INPUTS 16  /* most times that bytes are passed on in one interrupt */

static struct tty *line; /* guard: tasks only, which the kernel does not preempt */

static void show(struct tty *tty, const char *text, size_t size)
{
	(void)tty;
	hvc_write_raw(text, size);
}

static size_t room(const struct tty *tty)
{
	(void)tty;
	return hvc_room();
}

static size_t waiting(const struct tty *tty)
{
	(void)tty;
	return hvc_waiting();
}

static bool is_idle(struct tty *tty)
{
	(void)tty;
	return hvc_is_idle();
}

static void order(struct tty *tty, enum tty_order what)
{
	(void)tty;
	if (what == TTY_STOP)
		hvc_stop();
	else if (what == TTY_GO)
		hvc_go();
	else if (what == TTY_DROP)
		hvc_drop();
}

static const struct tty_port operations = { .room = room, .waiting = waiting, .is_idle = is_idle, .order = order };

static void wake(void)
{
	wait_queue_wake(&line->queue);
}

/* Pass typed bytes to the terminal, at most as many as one interrupt may. The rest comes with the next interrupt. */
static void take(void)
{
	char typed[INPUT];
	size_t count = sizeof(typed);

	for (int inputs = 0; inputs < MOST_INPUTS && count == sizeof(typed); inputs++) {
		int byte;

		for (count = 0; count < sizeof(typed) && (byte = hvc_read()) >= 0; count++)
			typed[count] = (char)byte;
		if (count)
			tty_input(line, typed, count);
	}
}

bool hvc_line_make(void)
{
	struct tty *tty;

	if (line || !hvc_present())
		return false;
	tty = kmalloc(sizeof(*tty));
	if (!tty || tty_init(tty, "hvc0", DEVICE_NUMBER(HVC_MAJOR, 0), show, NULL) != 0) {
		log_err("hvc0: no memory for its terminal\n");
		kfree(tty);
		return false;
	}
	tty->port = &operations;
	job_control_add(tty);
	tty_set_size(tty, 0, 0);
	line = tty;
	return true;
}

struct tty *hvc_line(void)
{
	return line;
}

static struct device_poll polled; /* fixed after boot, but for the timer */

void hvc_line_connect(void)
{
	uint64_t flags;

	if (!line)
		return;
	hvc_start_queue(wake, take);
	flags = irq_guard_enter();
	hvc_serve(NULL);
	irq_guard_leave(flags);
	if (hvc_is_polled())
		device_poll_start(&polled, hvc_serve, NULL);
}

void hvc_line_disconnect(void)
{
	device_poll_end(&polled);
	hvc_end_queue();
}
