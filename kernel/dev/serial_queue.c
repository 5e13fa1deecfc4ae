/*
 * The serial port while programs run: nobody waits for it. What it does not take at once stands in a queue, and the
 * interrupt of the transmitter that has become empty moves it on. A timer does so too, for ports whose interrupt does not
 * come.
 */
#include "kernel/dev/serial_internal.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"

/*
 * How long a port that takes nothing is waited for: where the machine ends, and its last words are in the queue; and
 * where a screen shows the same text.
 */
#define LAST_WORDS_NS (3 * NS_PER_S)
#define PATIENCE_NS   (10 * NS_PER_S)

/* How often the timer looks at a port that has something to send: with its interrupt, and without. */
#define LOOK_NS       (20 * NS_PER_MS)
#define LOOK_ALONE_NS NS_PER_MS

/* Bytes that are sent with interrupts off: before an interrupt looks for input again; and of a message, or behind one. */
#define MOST_AT_ONCE     64
#define MOST_OF_MESSAGES 1024
#define MOST_ROUNDS      16 /* of an interrupt that finds more and more to do */

/* Guard, where a variable says nothing else: serial_lock. */
static uint64_t look_ns;       /* the timer's interval. Fixed after boot */
static bool text_is_seen;      /* a screen shows the text too: a port that takes none is given up. Fixed after boot */
static void (*has_room)(void); /* fixed after boot */
static bool is_awaited;        /* somebody has seen that the queue is not empty, and wants to hear of it */
static uint64_t progress_ns;   /* when the port last took a byte, or the queue was empty */
static struct timer look_timer;

/* Have the port looked at for as long as something waits. serial_lock is held. */
static void watch(void)
{
	bool sends = port_queue_sends(&serial.queue);

	if (sends && !(serial.enabled & IER_TRANSMIT))
		progress_ns = clock_monotonic_ns();
	serial_enable(sends ? IER_DATA | IER_TRANSMIT : IER_DATA);
	/* Who waits for the last byte to leave the chip is not is_awaited by an interrupt. */
	if ((sends || (is_awaited && !port_queue_text(&serial.queue))) && !look_timer.queued)
		timer_start(&look_timer, time_add(clock_monotonic_ns(), look_ns));
}

/* Give the port what waits, `most` bytes. serial_lock is held. */
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

/* Return whether all text has left the port. serial_lock is held. */
static bool is_idle(void)
{
	return !port_queue_text(&serial.queue) && serial_get(LINE_STATUS) & LSR_TRANSMITTER_EMPTY;
}

/* Return whether somebody waits for what is true now: half of the programs' room, or nothing left. serial_lock is held. */
static bool is_news(void)
{
	if (!is_awaited || (port_queue_room(&serial.queue) < PORT_WRITES / 2 && !is_idle()))
		return false;
	is_awaited = port_queue_text(&serial.queue) > 0;
	return true;
}

/* Move what waits, and wake who waits for room. */
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

/* Drop what waits if the port has taken nothing for so long. Text is dropped from now on, until the port takes some. */
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

/* The timer's look. A port that has taken nothing for long is given up where the text is seen elsewhere. */
static void look(struct timer *timer)
{
	(void)timer;
	if (!serial.queues)
		return;
	move_on(MOST_AT_ONCE);
	if (text_is_seen)
		give_up(PATIENCE_NS);
}

/* Pass text straight to the port for as long as nothing waits and the port takes it. Returns how many bytes. */
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
	/* Whoever says something from here on sends by himself. */
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
		/* The line is an edge: what is pending now comes as another interrupt. */
		serial_put(INTERRUPT_ENABLE, 0);
		serial_put(INTERRUPT_ENABLE, serial.enabled);
	}
}

size_t serial_room(void)
{
	/* A port that was given up takes all, and loses it. */
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
