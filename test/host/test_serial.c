/*
 * The serial driver against a model of the 16550: what goes out, what comes in, and how ports that are absent, deaf
 * or stuck are dealt with. The driver's source is compiled into this file with its port accesses turned to the model.
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
	bool overrun; /* the driver wrote into a full FIFO */
	char sent[4096];
	size_t sent_size;
	uint8_t received[64]; /* waiting for the driver */
	size_t received_read, received_count;
	uint64_t accesses;
} model;

static void model_send_one(void)
{
	model.sent[model.sent_size++] = model.queue[0];
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
	if (at == 2)
		return !model.no_fifo && (model.registers[2] & 1) ? 0xc1 : 0x01;
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

/* A machine with this chip, just switched on: the driver's state is fresh as well. */
static void power_on(struct model chip)
{
	model = chip;
	present = wedged = false;
	burst = room = 0;
	serial_init();
}

static void say_it(const char *text)
{
	serial_sink.write(text, strlen(text));
}

/* Let the chip send what it holds. */
static void drain(void)
{
	while (model.queued > 0)
		model_send_one();
}

static void expect_sent(const char *text)
{
	drain();
	assert_int_equal(model.sent_size, strlen(text));
	assert_memory_equal(model.sent, text, model.sent_size);
	assert_false(model.overrun);
}

static void the_line_is_set_up(void **state)
{
	(void)state;
	power_on((struct model){ .slowness = 3 });
	assert_true(serial_present());
	assert_int_equal(model.divisor, 1);
	assert_int_equal(model.registers[3], 0x03);
	assert_int_equal(model.registers[1], 0);
	assert_int_equal(model.registers[4], 0x0b);
	assert_int_equal(serial_read(), -1); /* the loopback byte is not taken for input */
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
	assert_int_equal(serial_read(), -1);
	memcpy(model.received + model.received_count, "ab\xff", 3);
	model.received_count += 3;
	assert_int_equal(serial_read(), 'a');
	assert_int_equal(serial_read(), 'b');
	assert_int_equal(serial_read(), 0xff);
	assert_int_equal(serial_read(), -1);
}

static void an_absent_port_costs_nothing(void **state)
{
	(void)state;
	power_on((struct model){ .absent = true });
	assert_false(serial_present());
	assert_true(model.accesses <= 4);
	model.accesses = 0;
	say_it("nobody listens\n");
	assert_int_equal(serial_read(), -1);
	assert_int_equal(model.accesses, 0);
}

static void a_port_that_answers_nothing_is_absent(void **state)
{
	(void)state;
	power_on((struct model){ .deaf = true });
	assert_false(serial_present());
	say_it("nobody listens\n");
	assert_int_equal(model.sent_size, 0);
	assert_int_equal(model.registers[4] & 0x10, 0);
}

static void a_stuck_transmitter_is_given_up(void **state)
{
	(void)state;
	power_on((struct model){ 0 });
	assert_true(serial_present());
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
	expect_sent("back\r\n");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
