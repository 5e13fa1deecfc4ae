/*
 * Serial output while programs run, so that no writer waits for the port. Bytes that the port does not take at once go
 * into a queue, and are sent when the transmitter is empty and interrupts. A timer sends them too, for ports whose
 * interrupt does not arrive.
 */
#include "kernel/dev/serial_internal.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"

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

/* Guard, where a variable says nothing else: serial_lock. */
static uint64_t look_ns;       /* the timer's interval. Fixed after boot */
static bool text_is_seen;      /* a screen shows the same text, so a stuck port may lose it. Fixed after boot */
static void (*has_room)(void); /* `wake` of serial_start_queue(). Fixed after boot */
static bool is_awaited;        /* somebody waits: serial_room() has found text, or serial_is_idle() a busy port */
static uint64_t progress_ns;   /* when the port last took a byte, or the first byte was queued */
static struct timer look_timer;

/* Enable the transmit interrupt and start the timer if there are bytes to send. The caller holds serial_lock. */
static void watch(void)
{
	bool sends = port_queue_sends(&serial.queue);

	if (sends && !(serial.enabled & IER_TRANSMIT))
		progress_ns = clock_monotonic_ns();
	serial_enable(sends ? IER_DATA | IER_TRANSMIT : IER_DATA);
	/*
	 * The chip does not interrupt when its last byte is sent. If somebody waits for the idle port, the timer
	 * checks.
	 */
	if ((sends || (is_awaited && !port_queue_text(&serial.queue))) && !look_timer.queued)
		timer_start(&look_timer, time_add(clock_monotonic_ns(), look_ns));
}

/* Send queued bytes while the port takes them, up to `most`. The caller holds serial_lock. */
static void move(size_t most)
{
	size_t sent = 0;

	while (sent < most && port_queue_sends(&serial.queue) && serial_takes_byte()) {
		serial_send_byte(port_queue_take(&serial.queue));
		sent++;
	}
	if (sent) {
		progress_ns = clock_monotonic_ns();
		serial.wedged = false;
	}
}

/* Return whether all text has left the port. The caller holds serial_lock. */
static bool is_idle(void)
{
	return !port_queue_text(&serial.queue) && serial_get(LINE_STATUS) & LSR_TRANSMITTER_EMPTY;
}

/*
 * Return whether to call has_room() now: somebody waits, and half of the room for programs' text is free, or all text
 * is sent. If so, clear is_awaited, unless text is still queued: then has_room() is called again later. The caller
 * holds serial_lock.
 */
static bool is_news(void)
{
	if (!is_awaited || (port_queue_room(&serial.queue) < PORT_WRITES / 2 && !is_idle()))
		return false;
	is_awaited = port_queue_text(&serial.queue) > 0;
	return true;
}

/* Send up to `most` queued bytes, and call has_room() if somebody waits for the room or the idle port (is_news()). */
static void move_on(size_t most)
{
	uint64_t flags = lock_take(&serial_lock);
	bool news;

	move(most);
	news = is_news();
	watch();
	lock_release(&serial_lock, flags);
	if (news && has_room)
		has_room();
}

/* If the port has taken no byte for `patience_ns`, drop the queue, and new text too until the port takes a byte. */
static void give_up(uint64_t patience_ns)
{
	uint64_t flags = lock_take(&serial_lock);
	bool gives_up = port_queue_sends(&serial.queue) && clock_monotonic_ns() - progress_ns >= patience_ns;

	if (gives_up) {
		port_queue_lose(&serial.queue);
		serial.wedged = true;
	}
	lock_release(&serial_lock, flags);
	if (gives_up)
		move_on(MOST_AT_ONCE);
}

/* Called by the timer: send queued bytes; drop them if the port is stuck and a screen shows the same text. */
static void look(struct timer *timer)
{
	(void)timer;
	if (!serial.queues)
		return;
	move_on(MOST_AT_ONCE);
	if (text_is_seen)
		give_up(PATIENCE_NS);
}

/*
 * Send text without queueing it, as long as the queue is empty and the port takes bytes. Returns how many bytes were
 * sent. Returns 0 if the report about lost lines has to be sent first: it is queued by this function.
 */
static size_t pass(const char *text, size_t size)
{
	size_t sent = 0;

	if (serial.queue.lost && serial_takes_byte()) {
		serial.wedged = false;
		port_queue_add_message(&serial.queue, "", 0);
	}
	if (serial.queue.stopped || port_queue_sends(&serial.queue) || port_queue_text(&serial.queue))
		return 0;
	for (; sent < size && serial_takes_byte(); sent++)
		serial_send_byte(text[sent]);
	if (sent) {
		port_queue_passed(&serial.queue, text[sent - 1]);
		serial.wedged = false;
	}
	return sent;
}

void serial_queue_message(const char *text, size_t size)
{
	uint64_t flags = lock_take(&serial_lock);

	port_queue_add_message(&serial.queue, text, size);
	move(MOST_OF_MESSAGES);
	watch();
	lock_release(&serial_lock, flags);
}

void serial_queue_text(const char *text, size_t size)
{
	uint64_t flags = lock_take(&serial_lock);
	size_t sent = pass(text, size);

	if (sent < size && serial.wedged)
		serial.queue.lost += port_lines(text + sent, size - sent);
	else if (sent < size)
		port_queue_add_text(&serial.queue, text + sent, size - sent);
	if (port_queue_sends(&serial.queue)) {
		move(MOST_OF_MESSAGES);
		watch();
	}
	lock_release(&serial_lock, flags);
}

void serial_start_queue(void (*wake)(void))
{
	has_room = wake;
	look_ns = LOOK_ALONE_NS;
	look_timer.fire = look;
	serial.wedged = false;
	serial.queues = serial.present;
}

void serial_text_is_seen(void)
{
	text_is_seen = true;
}

void serial_interrupts_on(void)
{
	look_ns = LOOK_NS;
	if (serial.present)
		serial_enable(IER_DATA);
}

void serial_end_queue(void)
{
	if (!serial.queues)
		return;
	/* From now on each write sends by polling. */
	serial.queues = serial.queue.stopped = false;
	progress_ns = clock_monotonic_ns();
	while (port_queue_sends(&serial.queue)) {
		uint64_t flags = lock_take(&serial_lock);

		move(MOST_AT_ONCE);
		lock_release(&serial_lock, flags);
		give_up(LAST_WORDS_NS);
		cpu_pause();
	}
	serial.patience_ns = LAST_WORDS_NS;
	serial_enable(0);
}

void serial_flush(void)
{
	uint64_t start = clock_monotonic_ns();

	serial_end_queue();
	while (serial.present && !serial.wedged && !(serial_get(LINE_STATUS) & LSR_TRANSMITTER_EMPTY) &&
	       clock_monotonic_ns() - start < LAST_WORDS_NS)
		cpu_pause();
}

uint64_t serial_lost(void)
{
	return serial.queue.lost;
}

void serial_serve(void (*take_input)(void))
{
	int rounds = MOST_ROUNDS;

	do {
		take_input();
		move_on(MOST_AT_ONCE);
	} while (!(serial_get(INTERRUPT_ID) & IIR_NONE) && --rounds);
	if (!rounds && serial.present) {
		/*
		 * IRQ 4 is edge-triggered: switching the port's interrupts off and on makes a new edge if an interrupt
		 * is still pending.
		 */
		serial_put(INTERRUPT_ENABLE, 0);
		serial_put(INTERRUPT_ENABLE, serial.enabled);
	}
}

size_t serial_room(void)
{
	/* A port that was given up as stuck accepts all text and drops it. */
	if (!port_queue_text(&serial.queue) || serial.wedged)
		return PORT_WRITES;
	is_awaited = true;
	return port_queue_room(&serial.queue);
}

size_t serial_waiting(void)
{
	return port_queue_text(&serial.queue);
}

bool serial_is_idle(void)
{
	uint64_t flags = lock_take(&serial_lock);
	bool idle = !serial.present || serial.wedged || is_idle();

	if (!idle) {
		is_awaited = true;
		watch();
	}
	lock_release(&serial_lock, flags);
	return idle;
}

void serial_drop(void)
{
	uint64_t flags = lock_take(&serial_lock);

	port_queue_drop_text(&serial.queue);
	lock_release(&serial_lock, flags);
	if (serial.queues)
		move_on(MOST_AT_ONCE);
}

void serial_stop(void)
{
	uint64_t flags = lock_take(&serial_lock);

	serial.queue.stopped = serial.queues;
	lock_release(&serial_lock, flags);
}

void serial_go(void)
{
	uint64_t flags = lock_take(&serial_lock);

	serial.queue.stopped = false;
	lock_release(&serial_lock, flags);
	if (serial.queues)
		move_on(MOST_AT_ONCE);
}
