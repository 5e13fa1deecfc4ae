/*
 * Joins serial ports with terminals; see serial_lines.h.
 */
#include "kernel/sys/serial_lines.h"

#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/device_poll.h"
#include "kernel/task/job_control.h"

#define NAME        8
#define MOST_PASSES 4 /* most times that one interrupt serves all ports that share it */

/* A port with its terminal. Guard, where a field says nothing else: fixed when the port is connected. */
struct line {
	struct device_poll poll;  /* guard: as device_poll.h says */
	struct serial_port *port; /* NULL: there is no terminal for this number */
	struct tty *tty;
	int isa;        /* the ISA interrupt that serves the port; -1: none does, so the port is polled */
	bool connected; /* what is typed goes to the terminal. Guard: tasks only, which the kernel does not preempt */
	size_t files;   /* open files of the terminal. Guard: tasks only, which the kernel does not preempt */
	char name[NAME];
};

static struct line lines[SERIAL_PORTS];

/* The function that was passed to serial_lines_connect(). Guard: fixed after boot */
static void (*take_typed)(struct tty *tty, struct serial_port *port);

const char *serial_line_name(unsigned number)
{
	format_s(lines[number].name, NAME, "ttyS%u", number);
	return lines[number].name;
}

/* ---- output ---- */

void serial_line_write(struct tty *tty, const char *text, size_t size)
{
	serial_write_raw(tty->data, text, size);
}

static size_t room(const struct tty *tty)
{
	return serial_room(tty->data);
}

static size_t waiting(const struct tty *tty)
{
	return serial_waiting(tty->data);
}

static bool is_idle(struct tty *tty)
{
	return serial_is_idle(tty->data);
}

static void order(struct tty *tty, enum tty_order what)
{
	if (what == TTY_STOP)
		serial_stop(tty->data);
	else if (what == TTY_GO)
		serial_go(tty->data);
	else if (what == TTY_DROP)
		serial_drop(tty->data);
}

static void has_room(void *ctx)
{
	struct tty *tty = ctx;

	wait_queue_wake(&tty->queue);
}

/* ---- input ---- */

static void take(void *ctx)
{
	struct line *line = ctx;

	take_typed(line->tty, line->port);
}

static void serve(void *ctx)
{
	struct line *line = ctx;

	serial_serve(line->port, take, line);
}

/*
 * Begin or end to poll a port that has no interrupt. Each poll costs a timer interrupt, so a port is polled only while
 * what is typed there is read: while a program has its terminal open, and always if the port is a console.
 */
static void poll_if_used(struct line *line)
{
	if (line->connected && line->isa < 0 && (line->files || serial_is_console(line->port)))
		device_poll_start(&line->poll, serve, line);
	else
		device_poll_end(&line->poll);
}

static void opened(struct tty *tty)
{
	struct line *line = &lines[serial_number(tty->data)];

	if (!line->files++)
		poll_if_used(line);
}

static void closed(struct tty *tty, bool hung_up)
{
	struct line *line = &lines[serial_number(tty->data)];

	(void)hung_up;
	if (!--line->files)
		poll_if_used(line);
}

static const struct tty_port operations = {
	.room = room,
	.waiting = waiting,
	.is_idle = is_idle,
	.order = order,
	.opened = opened,
	.closed = closed,
};

/* ---- which ports have a terminal ---- */

void serial_line_join(struct serial_port *port, struct tty *tty)
{
	struct line *line = &lines[serial_number(port)];

	tty->data = port;
	tty->port = &operations;
	line->port = port;
	line->tty = tty;
	line->isa = -1;
}

/* Make a terminal for a port. Returns false, with a line in the log, when that cannot be done. */
static bool make(unsigned number, struct serial_port *port)
{
	struct tty *tty = kmalloc(sizeof(*tty));

	if (!tty || tty_init(tty, serial_line_name(number), serial_line_device(number), serial_line_write, port) != 0) {
		log_err("serial port ttyS%u: %s\n", number, tty ? "its number is taken" : "no memory for a terminal");
		kfree(tty);
		return false;
	}
	job_control_add(tty);
	tty_set_size(tty, 0, 0);
	serial_line_join(port, tty);
	return true;
}

unsigned serial_lines_make(void)
{
	unsigned made = 0;

	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		if (serial_port(i) && !lines[i].port)
			made += make(i, serial_port(i));
	return made;
}

/* ---- interrupts ---- */

/*
 * Serve the ports that share an ISA interrupt, whose number is `ctx`. The interrupt is edge-triggered, so no other one
 * comes as long as any of the ports still asks for service: go on until none does. One port alone needs no second pass,
 * since serial_serve() goes on by itself.
 */
static void isa_interrupt(void *ctx)
{
	const int isa = (int)(uintptr_t)ctx;
	unsigned sharing, pending, passes = 0;

	do {
		sharing = pending = 0;
		for (unsigned i = 0; i < SERIAL_PORTS; i++)
			if (lines[i].port && lines[i].isa == isa) {
				serve(&lines[i]);
				sharing++;
			}
		for (unsigned i = 0; i < SERIAL_PORTS && sharing > 1; i++)
			pending += lines[i].port && lines[i].isa == isa && serial_is_pending(lines[i].port);
	} while (pending && ++passes < MOST_PASSES);
}

/* Return whether the ISA interrupt serves a port already. */
static bool is_taken(int isa)
{
	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		if (lines[i].port && lines[i].isa == isa)
			return true;
	return false;
}

static void connect(struct line *line)
{
	const int isa = serial_isa(line->port);

	line->connected = true;
	serial_start_queue(line->port, has_room, line->tty);
	if (isa >= 0 && (is_taken(isa) || device_take_isa(isa, isa_interrupt, (void *)(uintptr_t)isa))) {
		line->isa = isa;
		serial_interrupts_on(line->port);
		return;
	}
	log_info("serial port %s: no interrupt, so it is polled\n", line->name);
	poll_if_used(line);
}

void serial_lines_connect(void (*take_function)(struct tty *tty, struct serial_port *port))
{
	take_typed = take_function;
	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		if (lines[i].port && !lines[i].connected)
			connect(&lines[i]);
}

void serial_lines_disconnect(void)
{
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		lines[i].connected = false;
		poll_if_used(&lines[i]);
	}
	serial_end_queues();
}
