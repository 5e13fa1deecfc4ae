/*
 * The gdb stub without a machine: packets on the line, the registers' layout, and each command against a machine that
 * notes what it is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/cpu.h"
#include "kernel/gdb/gdb_commands.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ports are not for the host: only the option's text is looked at. */
static uint8_t port_in(uint16_t port)
{
	(void)port;
	return 0xff;
}

static void port_out(uint16_t port, uint8_t value)
{
	(void)port;
	(void)value;
}

#define cpu_in8  port_in
#define cpu_out8 port_out
#include "kernel/gdb/gdb_port.c"
#undef cpu_in8
#undef cpu_out8

/* ---- the line ---- */

static struct gdb_packet packet;

/* The event of the last byte; all before it give nothing. */
static enum gdb_event feed(const char *bytes, size_t size)
{
	enum gdb_event event = GDB_NOTHING;

	for (size_t i = 0; i < size; i++) {
		assert_int_equal(event, GDB_NOTHING);
		event = gdb_packet_feed(&packet, (uint8_t)bytes[i]);
	}
	return event;
}

#define FEED(text) feed(text, sizeof(text) - 1)

static void packets_are_found(void **state)
{
	(void)state;
	memset(&packet, 0, sizeof(packet));
	assert_int_equal(FEED("noise$m10,4#2e"), GDB_PACKET);
	assert_string_equal(packet.text, "m10,4");
	assert_int_equal(FEED("+"), GDB_ACK);
	assert_int_equal(FEED("-"), GDB_NAK);
	assert_int_equal(FEED("\x03"), GDB_BREAK);
	assert_int_equal(FEED("$#00"), GDB_PACKET);
	assert_int_equal(packet.length, 0);
	/* An escaped '#', a '}', and a Ctrl-C that is data. */
	assert_int_equal(FEED("$X}\x03}]\x03#b5"), GDB_PACKET);
	assert_int_equal(packet.length, 4);
	assert_memory_equal(packet.text, "X#}\x03", 4);
	/* Cut off by the next. */
	assert_int_equal(FEED("$m10$g#67"), GDB_PACKET);
	assert_string_equal(packet.text, "g");
	assert_int_equal(FEED("$G#4"), GDB_NOTHING);
	assert_int_equal(FEED("7"), GDB_PACKET);
}

static void damage_is_seen(void **state)
{
	(void)state;
	memset(&packet, 0, sizeof(packet));
	assert_int_equal(FEED("$g#66"), GDB_DAMAGED);
	assert_int_equal(FEED("$g#6z"), GDB_DAMAGED);
	assert_int_equal(FEED("$g#z7"), GDB_DAMAGED);
	assert_int_equal(FEED("$g#67"), GDB_PACKET);
}

static void long_packets_are_refused(void **state)
{
	static char text[GDB_PACKET_MOST + 2];

	(void)state;
	memset(&packet, 0, sizeof(packet));
	for (size_t size = GDB_PACKET_MOST - 1; size <= GDB_PACKET_MOST + 1; size++) {
		char end[4];

		memset(text, 'a', size);
		snprintf(end, sizeof(end), "#%02x", (unsigned)(size * 'a' & 0xff));
		assert_int_equal(feed("$", 1), GDB_NOTHING);
		assert_int_equal(feed(text, size), GDB_NOTHING);
		assert_int_equal(feed(end, 3), size > GDB_PACKET_MOST ? GDB_OVERLONG : GDB_PACKET);
	}
}

/* ---- the machine ---- */

#define MEMORY_BASE 0x1000

static struct {
	uint8_t memory[64]; /* at MEMORY_BASE, the same for all threads but for the first byte: the thread's number */
	struct gdb_registers registers;
	char noted[256];
	bool refuse;
	char printed[4096]; /* packets that were sent in between */
} mock;

static int64_t mock_current(void)
{
	return 7;
}

static bool mock_alive(int64_t id)
{
	return id == 7 || id == 8;
}

static void mock_threads(gdb_see_thread *see, void *ctx)
{
	see(ctx, 7, "a<&\"b", "running");
	see(ctx, 8, "sh", "blocked");
}

static void mock_get(int64_t id, struct gdb_registers *ret)
{
	*ret = mock.registers;
	ret->general[GDB_RAX] = (uint64_t)id;
}

static bool mock_set(int64_t id, const struct gdb_registers *r)
{
	snprintf(mock.noted, sizeof(mock.noted), "set %d rip=%llx rbx=%llx", (int)id, (unsigned long long)r->rip,
		 (unsigned long long)r->general[GDB_RBX]);
	return !mock.refuse;
}

static size_t clip(uint64_t va, size_t size)
{
	uint64_t at = va - MEMORY_BASE;

	if (at >= sizeof(mock.memory))
		return 0;
	return size < sizeof(mock.memory) - at ? size : sizeof(mock.memory) - at;
}

static size_t mock_read(int64_t id, uint64_t va, void *to, size_t size)
{
	mock.memory[0] = (uint8_t)id;
	size = clip(va, size);
	memcpy(to, mock.memory + (size ? va - MEMORY_BASE : 0), size);
	return size;
}

static size_t mock_write(int64_t id, uint64_t va, const void *from, size_t size)
{
	(void)id;
	size = clip(va, size);
	memcpy(mock.memory + (size ? va - MEMORY_BASE : 0), from, size);
	return size;
}

static bool mock_insert(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size)
{
	snprintf(mock.noted, sizeof(mock.noted), "insert %d %d %llx %llx", (int)id, kind, (unsigned long long)va,
		 (unsigned long long)size);
	return !mock.refuse;
}

static bool mock_remove(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size)
{
	(void)mock_insert(id, kind, va, size);
	memcpy(mock.noted, "remove", 6);
	return !mock.refuse;
}

static bool mock_step(int64_t id)
{
	snprintf(mock.noted, sizeof(mock.noted), "step %d", (int)id);
	return !mock.refuse;
}

static void mock_monitor(char *line, void (*say)(const char *text, size_t size))
{
	snprintf(mock.noted, sizeof(mock.noted), "monitor %s", line);
	say("hi\n", 3);
	say(line, strlen(line));
}

static void mock_send(const struct gdb_reply *reply)
{
	snprintf(mock.printed + strlen(mock.printed), sizeof(mock.printed) - strlen(mock.printed), "%.*s|",
		 (int)reply->length, reply->text);
}

static const struct gdb_machine machine = {
	.current = mock_current,
	.alive = mock_alive,
	.threads = mock_threads,
	.get_registers = mock_get,
	.set_registers = mock_set,
	.read = mock_read,
	.write = mock_write,
	.insert = mock_insert,
	.remove = mock_remove,
	.step = mock_step,
	.monitor = mock_monitor,
	.send = mock_send,
};

static struct gdb_session session;

static int start_session(void **state)
{
	const struct gdb_stop stop = { .signal = GDB_SIGNAL_TRAP };

	(void)state;
	memset(&mock, 0, sizeof(mock));
	memset(&session, 0, sizeof(session));
	session.machine = &machine;
	gdb_session_stop(&session, &stop);
	return 0;
}

/* The reply, NUL-terminated; the packet's text has no byte behind it that could be read. */
static const char *ask_next(const char *text, enum gdb_next next)
{
	size_t length = strlen(text);
	char *copy = malloc(length + (length == 0));

	assert_non_null(copy);
	memcpy(copy, text, length);
	assert_int_equal(gdb_command(&session, copy, length), next);
	free(copy);
	assert_false(session.reply.full);
	session.reply.text[session.reply.length] = '\0';
	return session.reply.text;
}

static const char *ask(const char *text)
{
	return ask_next(text, GDB_ANSWER);
}

static void memory_commands(void **state)
{
	(void)state;
	memset(mock.memory, 0xab, sizeof(mock.memory));
	assert_string_equal(ask("m1001,3"), "ababab");
	assert_string_equal(ask("m1000,1"), "07");
	assert_string_equal(ask("M1002,2:0102"), "OK");
	assert_string_equal(ask("m1001,4"), "ab0102ab");
	assert_string_equal(ask("X1004,2:z}"), "OK");
	assert_string_equal(ask("m1004,2"), "7a7d");
	/* A part that is there is an answer; nothing is an error. */
	assert_string_equal(ask("m103f,8"), "ab");
	assert_string_equal(ask("m1040,8"), "E0e");
	assert_string_equal(ask("mffffffffffffffff,2"), "E0e");
	assert_string_equal(ask("M103f,2:0102"), "E0e");
	assert_string_equal(ask("m1000,0"), "");
	assert_string_equal(ask("X1000,0:"), "OK");
	for (const char *const *bad =
		     (const char *const[]){ "m", "m1000", "m1000,", "m,1", "mx,1", "m11111111111111111,1", "M1000,2:01",
					    "M1000,1:0g", "M1000,1", "X1000,2:a", "M1000,8000000000000001:00", NULL };
	     *bad; bad++)
		assert_string_equal(ask(*bad), "E16");
}

static void register_commands(void **state)
{
	char *all, *write;

	(void)state;
	mock.registers.rip = 0x1122334455667788;
	mock.registers.eflags = 0x246;
	assert_string_equal(ask("p10"), "8877665544332211");
	assert_string_equal(ask("p11"), "46020000");
	assert_string_equal(ask("p0"), "0700000000000000");
	assert_string_equal(ask("p3b"), "E16");
	assert_string_equal(ask("P10=0100000000000000"), "OK");
	assert_string_equal(mock.noted, "set 7 rip=1 rbx=0");
	assert_string_equal(ask("P10=01"), "E16");
	assert_string_equal(ask("P3b=01"), "E16");
	all = strdup(ask("g"));
	assert_int_equal(strlen(all), 2 * (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + 4 + 2 * 8));
	write = malloc(strlen(all) + 2);
	sprintf(write, "G%s", all);
	memcpy(write + 1 + 16, "0500000000000000", 16);
	assert_string_equal(ask(write), "OK");
	assert_string_equal(mock.noted, "set 7 rip=1122334455667788 rbx=5");
	mock.refuse = true;
	assert_string_equal(ask(write), "E16");
	mock.refuse = false;
	write[strlen(write) - 1] = '\0';
	assert_string_equal(ask(write), "E16");
	free(write);
	free(all);
}

static void thread_commands(void **state)
{
	(void)state;
	assert_string_equal(ask("qC"), "QC7");
	assert_string_equal(ask("T8"), "OK");
	assert_string_equal(ask("T9"), "E03");
	assert_string_equal(ask("Hg8"), "OK");
	assert_string_equal(ask("p0"), "0800000000000000");
	assert_string_equal(ask("m1000,1"), "08");
	assert_string_equal(ask("Hg9"), "E03");
	assert_string_equal(ask("m1000,1"), "08");
	assert_string_equal(ask("Hg0"), "OK");
	assert_string_equal(ask("m1000,1"), "07");
	assert_string_equal(ask("Hc-1"), "OK");
	assert_string_equal(ask("Hx1"), "E16");
	assert_string_equal(ask("qXfer:threads:read::0,fff"),
			    "l<?xml version=\"1.0\"?>\n<threads>\n<thread id=\"7\" name=\"a&lt;&amp;&quot;b\">running"
			    "</thread>\n<thread id=\"8\" name=\"sh\">blocked</thread>\n</threads>\n");
}

/* In pieces of any size it is the same text. */
static void texts_come_in_pieces(void **state)
{
	static const char *const objects[] = { "features:read:target.xml", "threads:read:" };

	(void)state;
	for (size_t i = 0; i < COUNT(objects); i++) {
		static char whole[2][16384];

		for (size_t size = i ? 1 : 7, run = 0; run < 2; run++, size = 0x7ff) {
			size_t length = 0;
			const char *reply;

			do {
				char query[80];

				snprintf(query, sizeof(query), "qXfer:%s:%zx,%zx", objects[i], length, size);
				reply = ask(query);
				assert_true(reply[0] == 'm' || reply[0] == 'l');
				strcpy(whole[run] + length, reply + 1);
				length += strlen(reply + 1);
				assert_true(length < sizeof(whole[run]) - GDB_PACKET_MOST);
			} while (reply[0] == 'm');
		}
		assert_string_equal(whole[0], whole[1]);
	}
	assert_string_equal(ask("qXfer:features:read:target.xml:x,1"), "E16");
	assert_string_equal(ask("qXfer:features:read:other.xml:0,1"), "");
}

static void breakpoint_commands(void **state)
{
	(void)state;
	assert_string_equal(ask("Z0,ffffffff80000010,1"), "OK");
	assert_string_equal(mock.noted, "insert 7 0 ffffffff80000010 1");
	assert_string_equal(ask("z2,1000,8"), "OK");
	assert_string_equal(mock.noted, "remove 7 2 1000 8");
	assert_string_equal(ask("Z3,1000,8"), "");
	assert_string_equal(ask("Z9,1000,8"), "");
	assert_string_equal(ask("Z0,1000"), "E16");
	mock.refuse = true;
	assert_string_equal(ask("Z4,1000,8"), "E1c");
}

static void going_on(void **state)
{
	(void)state;
	assert_string_equal(ask("vCont?"), "vCont;c;C;s;S");
	ask_next("vCont;c", GDB_RUN);
	assert_string_equal(mock.noted, "");
	ask_next("vCont;s:8;c", GDB_RUN);
	assert_string_equal(mock.noted, "step 8");
	ask_next("vCont;S05:7;C05:-1", GDB_RUN);
	assert_string_equal(mock.noted, "step 7");
	ask_next("s1234", GDB_RUN);
	assert_string_equal(mock.noted, "step 7");
	ask_next("c1234", GDB_RUN);
	assert_string_equal(mock.noted, "set 7 rip=1234 rbx=0");
	assert_string_equal(ask("vCont;s:9"), "E16");
	assert_string_equal(ask("vCont;r1,2"), "E16");
	assert_string_equal(ask("vCont"), "E16");
	mock.refuse = true;
	assert_string_equal(ask("s"), "E16");
	assert_string_equal(ask_next("D", GDB_DETACH), "OK");
	ask_next("k", GDB_LEAVE);
}

static void stop_replies(void **state)
{
	struct gdb_stop stop = { .signal = GDB_SIGNAL_TRAP, .reason = "swbreak" };

	(void)state;
	gdb_session_stop(&session, &stop);
	assert_string_equal(ask("?"), "T05thread:7;");
	assert_non_null(strstr(ask("qSupported:swbreak+;hwbreak+"), "qXfer:features:read+"));
	assert_string_equal(ask("?"), "T05swbreak:;thread:7;");
	stop = (struct gdb_stop){ .signal = GDB_SIGNAL_TRAP, .reason = "watch", .address = 0xffffffff80001000 };
	gdb_session_stop(&session, &stop);
	assert_string_equal(ask("?"), "T05watch:ffffffff80001000;thread:7;");
	stop = (struct gdb_stop){ .signal = GDB_SIGNAL_SEGV };
	gdb_session_stop(&session, &stop);
	assert_string_equal(ask("?"), "T0bthread:7;");
}

static void monitor_commands(void **state)
{
	(void)state;
	assert_string_equal(ask("qRcmd,6d6170"), "OK");
	assert_string_equal(mock.noted, "monitor map");
	assert_string_equal(mock.printed, "O68690a|O6d6170|");
	assert_string_equal(ask("qRcmd,6"), "E16");
	assert_string_equal(ask("qRcmd,6x"), "E16");
	assert_string_equal(ask(""), "");
	assert_string_equal(ask("vMustReplyEmpty"), "");
	assert_string_equal(ask("qSymbol::"), "");
	assert_string_equal(ask("qAttached"), "1");
}

/* Written and read back, each register is what it was, and no other has changed. */
static void registers_have_places(void **state)
{
	(void)state;
	for (unsigned number = 0; number < GDB_REGISTERS; number++) {
		uint8_t value[GDB_REGISTER_MOST] = { 0 }, got[GDB_REGISTER_MOST], before[GDB_REGISTER_MOST];
		struct gdb_registers empty, r;

		memset(&empty, 0, sizeof(empty));
		r = empty;
		for (size_t i = 0; i < gdb_register_size(number); i++)
			value[i] = (uint8_t)(number + i + 1);
		gdb_register_set(&r, number, value);
		for (unsigned other = 0; other < GDB_REGISTERS; other++) {
			gdb_register_get(&r, other, got);
			gdb_register_get(&empty, other, before);
			if (other == number && other < GDB_FCTRL)
				assert_memory_equal(got, value, gdb_register_size(number));
			/* The tags depend on other registers. */
			else if (other != number && other != GDB_FCTRL + 2)
				assert_memory_equal(got, before, gdb_register_size(other));
		}
	}
	assert_int_equal(gdb_register_size(GDB_REGISTERS), 0);
}

static void tags_are_rebuilt(void **state)
{
	struct gdb_registers r;
	uint8_t value[GDB_REGISTER_MOST];

	(void)state;
	memset(&r, 0, sizeof(r));
	gdb_register_get(&r, GDB_FCTRL + 2, value);
	assert_memory_equal(value, "\xff\xff\0\0", 4);
	/* TOP is 6: ST0 is R6, a number; ST1 is R7, a zero. */
	r.fpu[3] = 6 << 3;
	r.fpu[4] = 0xc0;
	memcpy(r.fpu + 32, "\0\0\0\0\0\0\0\x80\xff\x3f", 10);
	gdb_register_get(&r, GDB_FCTRL + 2, value);
	assert_memory_equal(value, "\xff\x4f\0\0", 4);
	gdb_register_set(&r, GDB_FCTRL + 2, value);
	assert_int_equal(r.fpu[4], 0xc0);
}

static void ports_are_read(void **state)
{
	static const struct {
		const char *text;
		unsigned number, divisor; /* divisor 0: refused */
	} cases[] = {
		{ "ttyS0", 0, 1 },
		{ "ttyS3,9600", 3, 12 },
		{ "ttyS1,115200", 1, 1 },
		{ "ttyS1,2", 1, 57600 },
		{ "ttyS4", 0, 0 },
		{ "ttyS", 0, 0 },
		{ "", 0, 0 },
		{ "tty0", 0, 0 },
		{ "ttyS1,", 0, 0 },
		{ "ttyS1,0", 0, 0 },
		{ "ttyS1,1", 0, 0 },
		{ "ttyS1,7", 0, 0 },
		{ "ttyS1,230400", 0, 0 },
		{ "ttyS1x", 0, 0 },
		{ "ttyS1,9600n8", 0, 0 },
		{ "ttyS1,99999999999999999999", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct gdb_port_choice choice = { 99, 99 };
		bool good = gdb_port_parse(cases[i].text, &choice);

		assert_int_equal(good, cases[i].divisor != 0);
		assert_int_equal(choice.number, good ? cases[i].number : 99);
		assert_int_equal(choice.divisor, good ? cases[i].divisor : 99);
	}
	assert_false(gdb_port_start(&(struct gdb_port_choice){ 1, 1 }));
	assert_int_equal(gdb_port_read(), -1);
	gdb_port_write(1);
	gdb_port_interrupts_on();
	assert_int_equal(gdb_port_isa(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_found),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(long_packets_are_refused),
		cmocka_unit_test_setup(memory_commands, start_session),
		cmocka_unit_test_setup(register_commands, start_session),
		cmocka_unit_test_setup(thread_commands, start_session),
		cmocka_unit_test_setup(texts_come_in_pieces, start_session),
		cmocka_unit_test_setup(breakpoint_commands, start_session),
		cmocka_unit_test_setup(going_on, start_session),
		cmocka_unit_test_setup(stop_replies, start_session),
		cmocka_unit_test_setup(monitor_commands, start_session),
		cmocka_unit_test(registers_have_places),
		cmocka_unit_test(tags_are_rebuilt),
		cmocka_unit_test(ports_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
