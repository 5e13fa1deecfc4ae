/*
 * The serial driver against a model of the 16550: what goes out, what comes in, and how ports that are absent, deaf
 * or stuck are dealt with. The driver's source is compiled into this file with its port accesses turned to the model, and
 * so are clock and timer: time passes when a test says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/cpu.h"

static uint8_t model_in(uint16_t port);
static void model_out(uint16_t port, uint8_t value);

#define cpu_in8  model_in
#define cpu_out8 model_out
#include "kernel/dev/serial.c"
#include "kernel/dev/serial_queue.c"
#undef cpu_in8
#undef cpu_out8

/* The chip. Sending takes `slowness` looks at the line status a byte. */
static struct model {
	bool absent, stuck, deaf; /* deaf: loopback brings nothing back; stuck: never ready to send */
	bool no_fifo;
	uint32_t slowness;

	uint8_t registers[8];
	uint16_t divisor;
	uint8_t queue[FIFO_SIZE]; /* to be sent */
	size_t queued;
	uint32_t countdown;
	bool overrun;    /* the driver wrote into a full FIFO */
	bool empty_news; /* the FIFO has become empty since the interrupt's reason was read */
	char sent[65536];
	size_t sent_size;
	uint8_t received[64]; /* waiting for the driver */
	size_t received_read, received_count;
	uint64_t accesses;
} model;

static void model_send_one(void)
{
	assert_true(model.sent_size < sizeof(model.sent));
	model.sent[model.sent_size++] = model.queue[0];
	model.empty_news = model.queued == 1;
	memmove(model.queue, model.queue + 1, --model.queued);
	model.countdown = model.slowness;
}

static uint8_t model_line_status(void)
{
	uint8_t status = 0;

	if (model.queued > 0 && !model.stuck && (model.countdown == 0 || --model.countdown == 0))
		model_send_one();
	if (model.received_read < model.received_count)
		status |= 0x01;
	if (model.queued == 0 && !model.stuck)
		status |= 0x60;
	return status;
}

static uint8_t model_in(uint16_t port)
{
	uint16_t at = port - 0x3f8;

	assert_in_range(at, 0, 7);
	model.accesses++;
	if (model.absent)
		return 0xff;
	if (at == 0)
		return model.received_read < model.received_count ? model.received[model.received_read++] : 0;
	if (at == 2) {
		uint8_t none = model.queued == 0 && !model.stuck && model.registers[1] & 2 && model.empty_news ? 0 : 1;

		model.empty_news = false;
		return (!model.no_fifo && (model.registers[2] & 1) ? 0xc0 : 0) | (none ? 1 : 2);
	}
	if (at == 5)
		return model_line_status();
	return model.registers[at];
}

static void model_data(uint8_t value)
{
	if (model.registers[4] & 0x10) { /* loopback */
		if (!model.deaf)
			model.received[model.received_count++] = value;
		return;
	}
	if (model.queued == (model.no_fifo ? 1 : FIFO_SIZE)) {
		model.overrun = true;
		return;
	}
	if (model.queued == 0)
		model.countdown = model.slowness;
	model.queue[model.queued++] = value;
}

static void model_out(uint16_t port, uint8_t value)
{
	uint16_t at = port - 0x3f8;

	assert_in_range(at, 0, 7);
	model.accesses++;
	if (model.absent)
		return;
	if (at <= 1 && (model.registers[3] & 0x80)) {
		model.divisor = at == 0 ? (model.divisor & 0xff00) | value : (model.divisor & 0xff) | value << 8;
		return;
	}
	if (at == 0) {
		model_data(value);
		return;
	}
	if (at == 2 && (value & 0x04))
		model.queued = 0;
	model.registers[at] = value;
}

/* Let the chip send what it holds. */
static void drain(void)
{
	while (model.queued > 0)
		model_send_one();
}

static struct serial_port *const port = &serial_ports[0];

static uint64_t now_ns;
static uint64_t look_takes_ns; /* somebody waits for the port: so long is each look at the clock */
static unsigned wakes;

uint64_t clock_monotonic_ns(void)
{
	now_ns += look_takes_ns;
	return now_ns;
}

void timer_start(struct timer *timer, uint64_t deadline_ns)
{
	assert_ptr_equal(timer, &port->timer);
	timer->queued = true;
	timer->deadline_ns = deadline_ns;
}

/* Let time pass: the timer goes off whenever its deadline comes. */
static void pass_time(uint64_t ns)
{
	uint64_t end = now_ns + ns;

	while (port->timer.queued && port->timer.deadline_ns <= end) {
		now_ns = port->timer.deadline_ns;
		port->timer.queued = false;
		port->timer.fire(&port->timer);
	}
	now_ns = end;
}

/* A machine with this chip, just switched on: the driver's state is fresh as well. */
static void power_on(struct model chip)
{
	model = chip;
	memset(first_rings, 0, sizeof(first_rings));
	first_is_taken = false;
	*port = (struct serial_port){ .place = { 0x3f8, 0 }, .console = true };
	now_ns = look_takes_ns = 0;
	wakes = 0;
	(void)serial_start(port, 1);
}

static void note_wake(void *ctx)
{
	assert_ptr_equal(ctx, &wakes);
	wakes++;
}

/* The same with programs that run, and an interrupt that is connected. */
static void power_on_queued(struct model chip)
{
	power_on(chip);
	serial_start_queue(port, note_wake, &wakes);
	serial_interrupts_on(port);
}

static void write_text(const char *text)
{
	serial_write_raw(port, text, strlen(text));
}

static void no_input(void *ctx)
{
	assert_null(ctx);
}

/* The transmitter has become empty: its interrupt. */
static void ready(void)
{
	model.stuck = false;
	drain();
	serial_serve(port, no_input, NULL);
}

/* The same until nothing waits. */
static void ready_for_all(void)
{
	do
		ready();
	while (model.queued || port_queue_sends(&port->queue));
}

static void say_it(const char *text)
{
	serial_sink.write(text, strlen(text));
}

static void expect_sent(const char *text)
{
	drain();
	model.sent[model.sent_size] = 0;
	assert_string_equal(model.sent, text);
	assert_int_equal(model.sent_size, strlen(text));
	assert_memory_equal(model.sent, text, model.sent_size);
	assert_false(model.overrun);
}

static void the_line_is_set_up(void **state)
{
	(void)state;
	power_on((struct model){ .slowness = 3 });
	assert_ptr_equal(serial_port(0), port);
	assert_int_equal(model.divisor, 1);
	assert_int_equal(model.registers[3], 0x03);
	assert_int_equal(model.registers[1], 0);
	assert_int_equal(model.registers[4], 0x0b);
	assert_int_equal(serial_read(port), -1); /* the loopback byte is not taken for input */
}

static void text_goes_out_whole(void **state)
{
	static char lines[100 * 22 + 1], expected[100 * 23 + 1];

	(void)state;
	for (int i = 0; i < 100; i++) {
		strcat(lines, "one more line of text\n");
		strcat(expected, "one more line of text\r\n");
	}
	for (int no_fifo = 0; no_fifo <= 1; no_fifo++) {
		for (uint32_t slowness = 0; slowness < 40; slowness += 13) {
			power_on((struct model){ .slowness = slowness, .no_fifo = no_fifo });
			say_it(lines);
			expect_sent(expected);
		}
	}
}

static void a_fifo_saves_looks(void **state)
{
	(void)state;
	power_on((struct model){ 0 });
	model.accesses = 0;
	say_it("0123456789abcdef0123456789abcdef");
	/* 32 bytes, and looks only where the FIFO must be empty. */
	assert_true(model.accesses < 32 + 2 * (FIFO_SIZE + 2));
	expect_sent("0123456789abcdef0123456789abcdef");
}

static void what_the_firmware_sends_goes_out_first(void **state)
{
	(void)state;
	power_on((struct model){ .slowness = 5, .registers = { [2] = 1 }, .queue = "firmware", .queued = 8 });
	say_it(" kernel");
	expect_sent("firmware kernel");
}

static void input_is_read_without_waiting(void **state)
{
	(void)state;
	power_on((struct model){ 0 });
	assert_int_equal(serial_read(port), -1);
	memcpy(model.received + model.received_count, "ab\xff", 3);
	model.received_count += 3;
	assert_int_equal(serial_read(port), 'a');
	assert_int_equal(serial_read(port), 'b');
	assert_int_equal(serial_read(port), 0xff);
	assert_int_equal(serial_read(port), -1);
}

static void an_absent_port_costs_nothing(void **state)
{
	(void)state;
	power_on((struct model){ .absent = true });
	assert_null(serial_port(0));
	assert_true(model.accesses <= 4);
	model.accesses = 0;
	say_it("nobody listens\n");
	assert_int_equal(serial_read(port), -1);
	assert_int_equal(model.accesses, 0);
}

static void a_port_that_answers_nothing_is_absent(void **state)
{
	(void)state;
	power_on((struct model){ .deaf = true });
	assert_null(serial_port(0));
	say_it("nobody listens\n");
	assert_int_equal(model.sent_size, 0);
	assert_int_equal(model.registers[4] & 0x10, 0);
}

static void a_stuck_transmitter_is_given_up(void **state)
{
	(void)state;
	power_on((struct model){ 0 });
	assert_ptr_equal(serial_port(0), port);
	model.stuck = true;
	model.accesses = 0;
	say_it("this goes nowhere, and takes one bounded wait\n");
	assert_in_range(model.accesses, MOST_LOOKS, MOST_LOOKS + FIFO_SIZE);
	model.accesses = 0;
	for (int i = 0; i < 1000; i++)
		say_it("and this takes a look a line\n");
	assert_int_equal(model.accesses, 1000);
	/* It recovers by itself. */
	model.stuck = false;
	model.queued = 0;
	say_it("back\n");
	expect_sent("(1001 lines left out: the port took nothing)\r\nback\r\n");
}

static void text_waits_for_a_port_that_does_not_take_it(void **state)
{
	static char expected[200 * 22 + 1];

	(void)state;
	power_on_queued((struct model){ .stuck = true });
	model.accesses = 0;
	for (int i = 0; i < 100; i++) {
		assert_true(serial_room(port) >= 21);
		write_text("one more line of text\n");
		strcat(expected, "one more line of text\n");
	}
	/* Nobody has waited, and nothing is lost. */
	assert_true(model.accesses <= 2 * 100 + 10);
	assert_int_equal(serial_waiting(port), 2200);
	assert_false(serial_is_idle(port));
	ready_for_all();
	expect_sent(expected);
	assert_true(serial_is_idle(port));
	assert_int_equal(model.registers[1], IER_DATA);
	/* None of it is left in the kernel's memory. */
	for (size_t i = 0; i < sizeof(first_rings); i++)
		assert_int_equal(first_rings[i], 0);
}

static void programs_are_told_of_room(void **state)
{
	static char page[PORT_WRITES];

	(void)state;
	power_on_queued((struct model){ .stuck = true });
	assert_int_equal(serial_room(port), PORT_WRITES);
	memset(page, 'x', sizeof(page));
	serial_write_raw(port, page, sizeof(page));
	assert_int_equal(serial_room(port), 0);
	/* What is echoed finds room all the same. */
	write_text("echo");
	assert_int_equal(serial_waiting(port), PORT_WRITES + 4);
	ready();
	assert_int_equal(wakes, 0);
	while (!wakes)
		ready();
	assert_true(serial_room(port) >= PORT_WRITES / 2);
	assert_false(serial_is_idle(port));
	wakes = 0;
	ready_for_all();
	pass_time(NS_PER_S);
	assert_true(wakes > 0 && serial_is_idle(port));
	assert_int_equal(model.sent_size, PORT_WRITES + 4);
	assert_memory_equal(model.sent + PORT_WRITES, "echo", 4);
	/* Who waits for none is not told of any. */
	wakes = 0;
	write_text("again");
	drain();
	pass_time(NS_PER_S);
	assert_int_equal(wakes, 0);
}

/* As long as the interrupt does not come the timer sends what waits. */
static void a_port_without_interrupt_is_looked_at(void **state)
{
	(void)state;
	for (int no_fifo = 0; no_fifo <= 1; no_fifo++) {
		power_on((struct model){ .stuck = true, .no_fifo = no_fifo });
		serial_start_queue(port, note_wake, &wakes);
		write_text("a text of more than one load of the transmitter's\n");
		model.stuck = false;
		for (int i = 0; i < 60; i++) {
			drain();
			pass_time(NS_PER_MS);
		}
		expect_sent("a text of more than one load of the transmitter's\n");
		drain();
		pass_time(NS_PER_S);
		assert_false(port->timer.queued);
	}
}

static void messages_stand_between_lines(void **state)
{
	(void)state;
	power_on_queued((struct model){ .stuck = true });
	write_text("first\nsecond, ");
	say_it("a message\n");
	write_text("its end\nthird\n");
	say_it("another\n");
	ready_for_all();
	expect_sent("first\nsecond, its end\na message\r\nanother\r\nthird\n");
	/* A prompt is not waited for. */
	power_on_queued((struct model){ 0 });
	write_text("$ ");
	drain();
	say_it("a message\n");
	drain();
	write_text("typed\n");
	ready_for_all();
	expect_sent("$ a message\r\ntyped\n");
	/* A message that has begun is not torn by text that comes meanwhile. */
	power_on_queued((struct model){ 0 });
	write_text("$ ");
	drain();
	say_it("a message that takes more than one load\n");
	write_text("typed\n");
	ready_for_all();
	expect_sent("$ a message that takes more than one load\r\ntyped\n");
}

static void messages_that_find_no_room_are_counted(void **state)
{
	static char line[1024];
	static const char told[] = "(5 lines left out: the port took nothing)\r\nthe last\r\n";
	int kept = 0;

	(void)state;
	power_on_queued((struct model){ .stuck = true });
	memset(line, 'm', sizeof(line));
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = 0;
	for (; !serial_lost(); kept++)
		say_it(line);
	assert_in_range(kept, PORT_MESSAGES / 1024 - 1, PORT_MESSAGES / 1024 + 1);
	for (int i = 0; i < 4; i++)
		say_it(line);
	assert_int_equal(serial_lost(), 5);
	ready_for_all();
	say_it("the last\n");
	ready_for_all();
	assert_int_equal(model.sent_size, (size_t)(kept - 1) * 1024 + sizeof(told) - 1);
	assert_memory_equal(model.sent + model.sent_size - (sizeof(told) - 1), told, sizeof(told) - 1);
}

static void text_can_be_stopped_and_dropped(void **state)
{
	(void)state;
	power_on_queued((struct model){ 0 });
	serial_stop(port);
	write_text("stopped\n");
	say_it("a message\n");
	ready();
	pass_time(NS_PER_S);
	expect_sent("a message\r\n");
	assert_false(port->timer.queued);
	serial_go(port);
	ready_for_all();
	expect_sent("a message\r\nstopped\n");
	model.stuck = true;
	model.sent_size = port->room = 0;
	write_text("dropped\n");
	say_it("kept\n");
	serial_drop(port);
	assert_int_equal(serial_waiting(port), 0);
	ready_for_all();
	expect_sent("kept\r\n");
}

/* Where a screen shows the text as well, a port that takes nothing holds it up for so long and no longer. */
static void a_dead_port_beside_a_screen_is_given_up(void **state)
{
	static char page[PORT_WRITES];

	(void)state;
	memset(page, '\n', sizeof(page));
	for (int seen = 0; seen <= 1; seen++) {
		power_on_queued((struct model){ .stuck = true });
		if (seen)
			serial_text_is_seen(port);
		serial_write_raw(port, page, sizeof(page));
		assert_int_equal(serial_room(port), 0);
		pass_time(9 * NS_PER_S);
		assert_int_equal(serial_room(port), 0);
		pass_time(2 * NS_PER_S);
		assert_int_equal(serial_room(port), seen ? PORT_WRITES : 0);
		assert_int_equal(wakes, seen);
	}
	assert_true(serial_is_idle(port));
	assert_false(port->timer.queued);
	write_text("lost\nand lost\n");
	assert_int_equal(serial_lost(), PORT_WRITES + 2);
	model.stuck = false;
	write_text("back\n");
	ready_for_all();
	expect_sent("(4098 lines left out: the port took nothing)\r\nback\n");
	assert_int_equal(serial_lost(), 0);
}

static void the_end_brings_what_waits(void **state)
{
	(void)state;
	power_on_queued((struct model){ .slowness = 5 });
	write_text("what a program said last, more than one load of it\n");
	say_it("and the kernel\n");
	serial_stop(port);
	look_takes_ns = NS_PER_MS;
	serial_end_queues();
	say_it("and the page\n");
	expect_sent("what a program said last, more than one load of it\nand the kernel\r\nand the page\r\n");
	assert_int_equal(model.registers[1], 0);
}

static void the_end_does_not_wait_for_a_dead_port(void **state)
{
	(void)state;
	power_on_queued((struct model){ .stuck = true });
	write_text("one\ntwo\nand a part");
	say_it("a message\n");
	look_takes_ns = NS_PER_S / 10;
	serial_flush();
	assert_in_range(now_ns, LAST_WORDS_NS, 2 * LAST_WORDS_NS);
	assert_int_equal(serial_lost(), 3);
	look_takes_ns = 0;
	say_it("no wait\n");
	model.stuck = false;
	say_it("back\n");
	expect_sent("(4 lines left out: the port took nothing)\r\nback\r\n");
}

/* An interrupt that finds more and more to do ends, and comes again. */
static void an_interrupt_ends(void **state)
{
	(void)state;
	power_on_queued((struct model){ .stuck = true });
	for (int i = 0; i < 100; i++)
		write_text("one more line of text, and another, and another\n");
	model.stuck = false;
	for (int i = 0; i < 1000 && port_queue_sends(&port->queue); i++) {
		size_t before = model.sent_size;

		drain();
		serial_serve(port, no_input, NULL);
		assert_true(model.sent_size - before <= (MOST_ROUNDS + 1) * MOST_AT_ONCE + FIFO_SIZE);
	}
	drain();
	assert_int_equal(model.sent_size, 100 * 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_is_set_up),
		cmocka_unit_test(text_goes_out_whole),
		cmocka_unit_test(a_fifo_saves_looks),
		cmocka_unit_test(what_the_firmware_sends_goes_out_first),
		cmocka_unit_test(input_is_read_without_waiting),
		cmocka_unit_test(an_absent_port_costs_nothing),
		cmocka_unit_test(a_port_that_answers_nothing_is_absent),
		cmocka_unit_test(a_stuck_transmitter_is_given_up),
		cmocka_unit_test(text_waits_for_a_port_that_does_not_take_it),
		cmocka_unit_test(programs_are_told_of_room),
		cmocka_unit_test(a_port_without_interrupt_is_looked_at),
		cmocka_unit_test(messages_stand_between_lines),
		cmocka_unit_test(messages_that_find_no_room_are_counted),
		cmocka_unit_test(text_can_be_stopped_and_dropped),
		cmocka_unit_test(a_dead_port_beside_a_screen_is_given_up),
		cmocka_unit_test(the_end_brings_what_waits),
		cmocka_unit_test(the_end_does_not_wait_for_a_dead_port),
		cmocka_unit_test(an_interrupt_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
