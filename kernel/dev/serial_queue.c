/*
 * Queues a port's output while programs run, so that no writer waits for the port. Bytes that the port does not take at
 * once go into a queue, and are sent when the transmitter is empty and interrupts. A timer sends them too, for ports
 * whose interrupt does not arrive.
 */
#include "kernel/dev/serial_internal.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/log.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"

/*
 * How long the port may take no byte before the queue is dropped. PATIENCE_NS applies only if a screen shows the same
 * text: otherwise a stuck port is waited for as long as programs run.
 */
#define LAST_WORDS_NS (3 * NS_PER_S)  /* when programs have ended, at power-off, and in a panic */
#define PATIENCE_NS   (10 * NS_PER_S) /* while programs run */

/* The timer's interval while bytes are queued: LOOK_NS for a port with an interrupt, LOOK_ALONE_NS for one without. */
#define LOOK_NS       (20 * NS_PER_MS)
#define LOOK_ALONE_NS NS_PER_MS

/* Limits on the work done with interrupts off. */
#define MOST_AT_ONCE     64   /* bytes sent before an interrupt checks for input again */
#define MOST_OF_MESSAGES 1024 /* bytes sent by one call that writes text or a message */
#define MOST_ROUNDS      16   /* rounds of reading and sending in one interrupt */

/* The rings of the first port that gets a queue, so that this port needs no heap. Guard: serial_lock. */
static SCRATCH char first_rings[PORT_TEXT + PORT_MESSAGES];
static bool first_is_taken; /* guard: tasks only, which the kernel does not preempt */

/* Enable the transmit interrupt and start the timer if there are bytes to send. The caller holds serial_lock. */
static void watch(struct serial_port *port)
{
	bool sends = port_queue_sends(&port->queue);

	if (sends && !(port->enabled & IER_TRANSMIT))
		port->progress_ns = clock_monotonic_ns();
	serial_enable(port, sends ? IER_DATA | IER_TRANSMIT : IER_DATA);
	/*
	 * The chip does not interrupt when its last byte is sent. If somebody waits for the idle port, the timer
	 * checks.
	 */
	if ((sends || (port->is_awaited && !port_queue_text(&port->queue))) && !port->timer.queued)
		timer_start(&port->timer, time_add(clock_monotonic_ns(), port->look_ns));
}

/* Send queued bytes while the port takes them, up to `most`. The caller holds serial_lock. */
static void move(struct serial_port *port, size_t most)
{
	size_t sent = 0;

	while (sent < most && port_queue_sends(&port->queue) && serial_takes_byte(port)) {
		serial_send_byte(port, port_queue_take(&port->queue));
		sent++;
	}
	if (sent) {
		port->progress_ns = clock_monotonic_ns();
		port->wedged = false;
	}
}

/* Return whether all text has left the port. The caller holds serial_lock. */
static bool is_idle(struct serial_port *port)
{
	return !port_queue_text(&port->queue) && serial_get(port, LINE_STATUS) & LSR_TRANSMITTER_EMPTY;
}

/*
 * Return whether to call port->wake() now: somebody waits, and half of the room for programs' text is free, or all text
 * is sent. If so, clear is_awaited, unless text is still queued: then wake() is called again later. The caller holds
 * serial_lock.
 */
static bool is_news(struct serial_port *port)
{
	if (!port->is_awaited || (port_queue_room(&port->queue) < PORT_WRITES / 2 && !is_idle(port)))
		return false;
	port->is_awaited = port_queue_text(&port->queue) > 0;
	return true;
}

/* Send up to `most` queued bytes, and call wake() if somebody waits for the room or the idle port (is_news()). */
static void move_on(struct serial_port *port, size_t most)
{
	uint64_t flags = lock_take(&serial_lock);
	bool news;

	move(port, most);
	news = is_news(port);
	watch(port);
	lock_release(&serial_lock, flags);
	if (news && port->wake)
		port->wake(port->wake_ctx);
}

/* If the port has taken no byte for `patience_ns`, drop the queue, and new text too until the port takes a byte. */
static void give_up(struct serial_port *port, uint64_t patience_ns)
{
	uint64_t flags = lock_take(&serial_lock);
	bool gives_up = port_queue_sends(&port->queue) && clock_monotonic_ns() - port->progress_ns >= patience_ns;

	if (gives_up) {
		port_queue_lose(&port->queue);
		port->wedged = true;
	}
	lock_release(&serial_lock, flags);
	if (gives_up)
		move_on(port, MOST_AT_ONCE);
}

/* Send queued bytes, or drop them if the port is stuck and a screen shows the same text. Called by the timer. */
static void look(struct timer *timer)
{
	struct serial_port *port = (struct serial_port *)timer; /* the timer is the port's first member */

	if (!port->queues)
		return;
	move_on(port, MOST_AT_ONCE);
	if (port->is_seen)
		give_up(port, PATIENCE_NS);
}

/*
 * Send text without queueing it, as long as the queue is empty and the port takes bytes. Returns how many bytes were
 * sent. Returns 0 if the report about lost lines has to be sent first: it is queued by this function.
 */
static size_t pass(struct serial_port *port, const char *text, size_t size)
{
	size_t sent = 0;

	if (port->queue.lost && serial_takes_byte(port)) {
		port->wedged = false;
		port_queue_add_message(&port->queue, "", 0);
	}
	if (port->queue.stopped || port_queue_sends(&port->queue) || port_queue_text(&port->queue))
		return 0;
	for (; sent < size && serial_takes_byte(port); sent++)
		serial_send_byte(port, text[sent]);
	if (sent) {
		port_queue_passed(&port->queue, text[sent - 1]);
		port->wedged = false;
	}
	return sent;
}

void serial_queue_message(struct serial_port *port, const char *text, size_t size)
{
	uint64_t flags = lock_take(&serial_lock);

	port_queue_add_message(&port->queue, text, size);
	move(port, MOST_OF_MESSAGES);
	watch(port);
	lock_release(&serial_lock, flags);
}

void serial_queue_text(struct serial_port *port, const char *text, size_t size)
{
	uint64_t flags = lock_take(&serial_lock);
	size_t sent = pass(port, text, size);

	if (sent < size && port->wedged)
		port->queue.lost += port_lines(text + sent, size - sent);
	else if (sent < size)
		port_queue_add_text(&port->queue, text + sent, size - sent);
	if (port_queue_sends(&port->queue)) {
		move(port, MOST_OF_MESSAGES);
		watch(port);
	}
	lock_release(&serial_lock, flags);
}

void serial_start_queue(struct serial_port *port, void (*wake)(void *ctx), void *ctx)
{
	char *rings = port->queue.text;

	if (!port->present)
		return;
	if (!rings && !first_is_taken) {
		rings = first_rings;
		first_is_taken = true;
	} else if (!rings) {
		rings = kmalloc(sizeof(first_rings));
	}
	if (!rings) {
		log_warn("serial port ttyS%u: no memory for its queue, so its writers wait\n", serial_number(port));
		return;
	}
	port->queue.text = rings;
	port->queue.messages = rings + PORT_TEXT;
	port->wake = wake;
	port->wake_ctx = ctx;
	port->look_ns = LOOK_ALONE_NS;
	port->timer.fire = look;
	port->wedged = false;
	port->queues = true;
}

void serial_text_is_seen(struct serial_port *port)
{
	port->is_seen = true;
}

void serial_interrupts_on(struct serial_port *port)
{
	port->look_ns = LOOK_NS;
	if (port->present)
		serial_enable(port, IER_DATA);
}

/* Send all queued text of a port, and send by polling from now on; see serial_end_queues(). */
static void end_queue(struct serial_port *port)
{
	/* From now on each write sends by polling. */
	port->queues = port->queue.stopped = false;
	port->progress_ns = clock_monotonic_ns();
	while (port_queue_sends(&port->queue)) {
		uint64_t flags = lock_take(&serial_lock);

		move(port, MOST_AT_ONCE);
		lock_release(&serial_lock, flags);
		give_up(port, LAST_WORDS_NS);
		cpu_pause();
	}
	port->patience_ns = LAST_WORDS_NS;
	serial_enable(port, 0);
}

void serial_end_queues(void)
{
	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		if (serial_ports[i].queues)
			end_queue(&serial_ports[i]);
}

void serial_flush(void)
{
	uint64_t start = clock_monotonic_ns();

	serial_end_queues();
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		struct serial_port *port = &serial_ports[i];

		while (port->present && !port->wedged && !(serial_get(port, LINE_STATUS) & LSR_TRANSMITTER_EMPTY) &&
		       clock_monotonic_ns() - start < LAST_WORDS_NS)
			cpu_pause();
	}
}

uint64_t serial_lost(void)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < SERIAL_PORTS; i++)
		lost += serial_ports[i].queue.lost;
	return lost;
}

bool serial_is_pending(const struct serial_port *port)
{
	return port->present && !(serial_get(port, INTERRUPT_ID) & IIR_NONE);
}

void serial_serve(struct serial_port *port, void (*take_input)(void *ctx), void *ctx)
{
	int rounds = MOST_ROUNDS;

	do {
		take_input(ctx);
		move_on(port, MOST_AT_ONCE);
	} while (serial_is_pending(port) && --rounds);
	if (!rounds) {
		/*
		 * An ISA interrupt is edge-triggered: switching the port's interrupts off and on makes a new edge if an
		 * interrupt is still pending.
		 */
		serial_put(port, INTERRUPT_ENABLE, 0);
		serial_put(port, INTERRUPT_ENABLE, port->enabled);
	}
}

size_t serial_room(struct serial_port *port)
{
	/* A port that was given up as stuck accepts all text and drops it. */
	if (!port_queue_text(&port->queue) || port->wedged)
		return PORT_WRITES;
	port->is_awaited = true;
	return port_queue_room(&port->queue);
}

size_t serial_waiting(struct serial_port *port)
{
	return port_queue_text(&port->queue);
}

bool serial_is_idle(struct serial_port *port)
{
	uint64_t flags = lock_take(&serial_lock);
	bool idle = !port->present || port->wedged || is_idle(port);

	if (!idle) {
		port->is_awaited = true;
		watch(port);
	}
	lock_release(&serial_lock, flags);
	return idle;
}

void serial_drop(struct serial_port *port)
{
	uint64_t flags = lock_take(&serial_lock);

	port_queue_drop_text(&port->queue);
	lock_release(&serial_lock, flags);
	if (port->queues)
		move_on(port, MOST_AT_ONCE);
}

void serial_stop(struct serial_port *port)
{
	uint64_t flags = lock_take(&serial_lock);

	port->queue.stopped = port->queues;
	lock_release(&serial_lock, flags);
}

void serial_go(struct serial_port *port)
{
	uint64_t flags = lock_take(&serial_lock);

	port->queue.stopped = false;
	lock_release(&serial_lock, flags);
	if (port->queues)
		move_on(port, MOST_AT_ONCE);
}
