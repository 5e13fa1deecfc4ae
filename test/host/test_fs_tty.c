/*
 * Terminals: what is shown and what is read for what is typed.
 */
#include "test/host/fs_user.h"

#include "kernel/fs/tty.h"

static struct tty tty;
static char shown[8192];
static size_t shown_size;
static int last_signal;
static bool registered;
static struct file *file;

static void show(struct tty *of, const char *text, size_t size)
{
	assert_ptr_equal(of, &tty);
	assert_true(shown_size + size < sizeof(shown));
	memcpy(shown + shown_size, text, size);
	shown_size += size;
}

static void note_signal(struct tty *of, int signal)
{
	assert_ptr_equal(of, &tty);
	last_signal = signal;
}

static const struct tty_job_control jobs = { .signal = note_signal };

static int start(void **state)
{
	struct device device;

	(void)state;
	fs_start();
	if (!registered) {
		assert_int_equal(tty_init(&tty, "ttyS0", DEVICE_NUMBER(4, 64), show, NULL), 0);
		tty_set_console(&tty);
	} else {
		device = tty.device;
		assert_int_equal(tty_init(&tty, "ttyS0", DEVICE_NUMBER(4, 64), show, NULL), -EEXIST);
		tty.device = device;
	}
	registered = true;
	tty.jobs = &jobs;
	shown_size = 0;
	last_signal = 0;
	assert_int_equal(path_create(&fs_base, "console", S_IFCHR | 0600, DEVICE_NUMBER(5, 1)), 0);
	assert_int_equal(path_open(&fs_base, "console", O_RDWR, 0, &file), 0);
	assert_ptr_equal(tty_of(file), &tty);
	return 0;
}

static int end(void **state)
{
	(void)state;
	file_put(file);
	fs_end();
	return 0;
}

static void type(const char *text)
{
	tty_input(&tty, text, strlen(text));
}

static void expect_shown(const char *text)
{
	shown[shown_size] = 0;
	assert_string_equal(shown, text);
	shown_size = 0;
}

static void expect_read(size_t most, const char *text)
{
	char got[5000];
	int64_t done = do_read(file, got, most);

	assert_int_equal(done, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void expect_blocks(void)
{
	char byte;

	assert_int_equal(file_poll(file) & POLLIN, 0);
	assert_int_equal(do_read(file, &byte, 1), -EAGAIN);
}

static void set_modes(uint32_t lflag_off, uint8_t least)
{
	struct linux_termios t;

	assert_int_equal(WITH_USER_IO(io, 0, 4096, file_ioctl(file, TCGETS, 0, &io)), 0);
	user_get(0, &t, sizeof(t));
	t.lflag &= ~lflag_off;
	t.cc[VMIN] = least;
	user_set(0, &t, sizeof(t));
	assert_int_equal(WITH_USER_IO(io, 0, 4096, file_ioctl(file, TCSETS, 0, &io)), 0);
}

static void a_line_is_read_when_it_ends(void **state)
{
	(void)state;
	type("hel");
	expect_blocks();
	type("lo\rworld\n");
	expect_shown("hello\r\nworld\r\n");
	expect_read(100, "hello\n");
	assert_true(file_poll(file) & POLLIN);
	expect_read(3, "wor");
	expect_read(100, "ld\n");
	expect_blocks();
}

/* A line that is as long as one of the pieces in which it is copied ends the read all the same. */
static void a_line_as_long_as_a_piece_is_one_read(void **state)
{
	char line[TTY_PIECE + 1];

	(void)state;
	memset(line, 'a', sizeof(line));
	line[TTY_PIECE - 1] = '\n';
	line[TTY_PIECE] = 0;
	type(line);
	type("next\n");
	expect_read(4000, line);
	expect_read(4000, "next\n");
}

static void the_line_can_be_edited(void **state)
{
	(void)state;
	type("ab\x7f");
	expect_shown("ab\b \b");
	type("\x7f\x7f\x7f");
	expect_shown("\b \b");
	type("one two  \x17");
	expect_shown("one two  \b \b\b \b\b \b\b \b\b \b");
	type("\x15");
	expect_shown("\b \b\b \b\b \b\b \b");
	type("\x01");
	expect_shown("^A");
	type("\x7f");
	expect_shown("\b \b\b \b");
	type("a\tb\x7f\x7f");
	expect_shown("a\tb\b \b\b\b\b\b\b\b\b");
	type("\x7f\xc3\xa4");
	shown_size = 0;
	type("\x7f");
	expect_shown("\b \b");
	type("x\n");
	expect_read(100, "x\n");
}

/* What a program writes meanwhile moves the cursor, however far: an erased character still is one character. */
static void erasing_costs_what_was_typed(void **state)
{
	char tabs[TTY_INPUT];
	size_t written = 0;

	(void)state;
	type("$");
	for (int i = 0; i < 100000; i++) {
		shown_size = 0;
		written += (size_t)do_write(file, "without an end of line ", 23);
	}
	assert_int_equal(written, 2300000);
	shown_size = 0;
	type("\x7f");
	expect_shown("\b \b");
	/* A line of tabs: each goes back over its own columns. */
	assert_int_equal(do_write(file, "\n", 1), 1);
	memset(tabs, '\t', sizeof(tabs));
	tabs[800] = '\0';
	type(tabs);
	shown_size = 0;
	type("\x15");
	assert_int_equal(shown_size, 800 * 8);
	/* And one that is reached from the middle of its columns. */
	shown_size = 0;
	type("abc\tde\x7f\x7f\x7f");
	expect_shown("abc\tde\b \b\b \b\b\b\b\b\b");
	type("\x15");
	shown_size = 0;
}

static void a_program_prompt_stays_when_the_line_goes(void **state)
{
	(void)state;
	assert_int_equal(do_write(file, "$ ", 2), 2);
	type("ab\x15");
	expect_shown("$ ab\b \b\b \b");
}

static void end_of_file_is_read_as_nothing(void **state)
{
	(void)state;
	type("ab\x04");
	expect_read(100, "ab");
	expect_blocks();
	type("\x04");
	assert_true(file_poll(file) & POLLIN);
	expect_read(100, "");
	expect_blocks();
	type("\x16\x04\n");
	expect_read(100, "\x04\n");
}

static void signals_go_to_the_foreground(void **state)
{
	(void)state;
	type("half\x03");
	assert_int_equal(last_signal, 2);
	expect_shown("half^C");
	type("\n");
	expect_read(10, "\n");
	type("\x1a");
	assert_int_equal(last_signal, 20);
	type("\x1c");
	assert_int_equal(last_signal, 3);
	last_signal = 0;
	set_modes(ISIG, 1);
	type("\x03\n");
	assert_int_equal(last_signal, 0);
	expect_read(10, "\x03\n");
	tty_set_size(&tty, 25, 80);
	last_signal = 0;
	tty_set_size(&tty, 50, 132);
	assert_int_equal(last_signal, 28);
	tty_set_size(&tty, 25, 80);
}

static void raw_input_is_read_at_once(void **state)
{
	char byte;

	(void)state;
	set_modes(ICANON | ECHO | ISIG, 1);
	expect_blocks();
	type("\x03\x7fq");
	expect_shown("");
	expect_read(2, "\x03\x7f");
	expect_read(10, "q");
	expect_blocks();
	set_modes(0, 0);
	assert_int_equal(do_read(file, &byte, 1), 0);
	/* What was typed in raw mode can be read in canonical mode, and the other way round. */
	set_modes(0, 1);
	type("xy");
	tty.termios.lflag |= ICANON | ECHO;
	tty.line = tty.head;
	expect_read(10, "xy");
}

static int64_t do_read_late(void *to, size_t size)
{
	int64_t done = WITH_USER_IO(io, 0, size, file_read_late(file, &io));

	if (done > 0)
		user_get(0, to, (size_t)done);
	return done;
}

/* termios(3)'s four cases; what is typed is "ab", to a read of 10 bytes with VMIN 3. */
static void raw_reads_are_patient_as_told(void **state)
{
	uint32_t there;
	char bytes[10];

	(void)state;
	assert_int_equal(file_patience(file, &there), 0);

	/* VMIN bytes, however long it takes. */
	set_modes(ICANON | ECHO, 3);
	type("ab");
	assert_int_equal(file_poll(file) & POLLIN, 0);
	assert_int_equal(do_read(file, bytes, 10), -EAGAIN);
	assert_int_equal(file_patience(file, &there), 0);
	/* A read of two has all that it has room for. */
	expect_read(2, "ab");

	/* Fewer after VTIME tenths of a second without another, but not none. */
	tty.termios.cc[VTIME] = 7;
	assert_int_equal(do_read(file, bytes, 10), -EAGAIN);
	assert_int_equal(file_patience(file, &there), 0);
	type("a");
	assert_true(file_poll(file) & POLLIN);
	assert_int_equal(do_read(file, bytes, 10), -EAGAIN);
	assert_int_equal(file_patience(file, &there), 700000000);
	assert_int_equal(there, 1);
	type("b");
	assert_int_equal(do_read(file, bytes, 10), -EAGAIN);
	assert_int_equal(file_patience(file, &there), 700000000);
	assert_int_equal(there, 2);
	assert_int_equal(do_read_late(bytes, 10), 2);
	assert_memory_equal(bytes, "ab", 2);
	type("abc");
	expect_read(10, "abc");

	/* Without VMIN one byte at once, or none after VTIME; somebody who does not wait is told to come again. */
	set_modes(0, 0);
	assert_int_equal(do_read(file, bytes, 10), -EAGAIN);
	assert_int_equal(file_patience(file, &there), 700000000);
	assert_int_equal(do_read_late(bytes, 10), 0);
	type("a");
	expect_read(10, "a");
	file_set_flags(file, O_NONBLOCK);
	assert_int_equal(do_read(file, bytes, 10), -EAGAIN);
	file_set_flags(file, 0);

	/* Neither. */
	tty.termios.cc[VTIME] = 0;
	assert_int_equal(do_read(file, bytes, 10), 0);
}

/* Whoever had it open reads its end, may not write to it, and polls as ready; who opens it now has it again. */
static void a_hang_up_ends_what_is_open(void **state)
{
	struct file *own;
	char byte;

	(void)state;
	assert_int_equal(path_create(&fs_base, "ttyS0", S_IFCHR | 0600, DEVICE_NUMBER(4, 64)), 0);
	assert_int_equal(path_open(&fs_base, "ttyS0", O_RDWR, 0, &own), 0);
	assert_int_equal(do_read(own, &byte, 1), -EAGAIN);
	tty_hang_up(&tty);
	assert_int_equal(file_poll(own) & (POLLHUP | POLLERR | POLLIN), POLLHUP | POLLERR | POLLIN);
	assert_int_equal(do_read(own, &byte, 1), 0);
	assert_int_equal(WITH_USER_IO(io, 0, 1, file_read_late(own, &io)), 0);
	assert_int_equal(do_write(own, "x", 1), -EIO);
	file_put(own);
	/* The console is no terminal's own file: it stays. */
	expect_blocks();
	assert_int_equal(path_open(&fs_base, "ttyS0", O_RDWR, 0, &own), 0);
	type("a\n");
	expect_read(2, "a\n");
	file_put(own);
}

static void a_full_ring_loses_no_line_end(void **state)
{
	char got[TTY_INPUT];

	(void)state;
	for (int i = 0; i < 5000; i++)
		type("z");
	assert_int_equal(shown_size, 5000); /* echo, and bells where it was full */
	assert_int_equal(shown[4999], '\a');
	type("\n");
	assert_int_equal(do_read(file, got, sizeof(got)), TTY_INPUT);
	assert_int_equal(got[TTY_INPUT - 1], '\n');
	expect_blocks();
}

static void output_costs_no_switch_and_can_be_stopped(void **state)
{
	unsigned before;

	(void)state;
	user_set(0, "a\nb\n", 4);
	before = host_cr3_writes;
	assert_int_equal(WITH_USER_IO(io, 0, 4, file_write(file, &io)), 4);
	assert_int_equal(host_cr3_writes - before, 2); /* the test's own */
	expect_shown("a\r\nb\r\n");
	type("\x13");
	assert_int_equal(do_write(file, "x", 1), -EAGAIN);
	type("\x11");
	assert_int_equal(do_write(file, "x", 1), 1);
	expect_shown("x");
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4, file_write(file, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 1, 4, file_write(file, &io)), 1);
}

static unsigned flushes;
static size_t flushed_at; /* of what was shown */

static void note_flush(struct tty *of)
{
	assert_ptr_equal(of, &tty);
	flushes++;
	flushed_at = shown_size;
}

/* What a call wrote in many pieces is flushed when the call has made all its writes; what was typed at once. */
static void what_was_shown_is_flushed_once(void **state)
{
	char text[3 * TTY_PIECE];

	(void)state;
	memset(text, 'x', sizeof(text));
	flushes = 0;
	tty.flush = note_flush;
	for (int i = 0; i < 3; i++)
		assert_int_equal(do_write(file, text + (size_t)i * TTY_PIECE, (3 - (size_t)i) * TTY_PIECE), TTY_PIECE);
	assert_int_equal(flushes, 0);
	file->ops->written(file);
	assert_int_equal(flushes, 1);
	assert_int_equal(flushed_at, sizeof(text));
	type("abc");
	assert_int_equal(flushes, 2);
	assert_int_equal(flushed_at, sizeof(text) + 3);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 1, 4, file_write(file, &io)), 1);
	file->ops->written(file);
	assert_int_equal(flushes, 3);
	assert_int_equal(flushed_at, sizeof(text) + 4);
}

/* A port that takes `port_room` bytes. */
static size_t port_room, port_waiting;
static bool port_idle;
static char orders[20]; /* a letter each: stop, go, drop */

static size_t room_of_port(const struct tty *of)
{
	assert_ptr_equal(of, &tty);
	return port_room;
}

static size_t waiting_at_port(const struct tty *of)
{
	assert_ptr_equal(of, &tty);
	return port_waiting;
}

static bool is_port_idle(struct tty *of)
{
	assert_ptr_equal(of, &tty);
	return port_idle;
}

static void order_port(struct tty *of, enum tty_order order)
{
	assert_ptr_equal(of, &tty);
	assert_true(strlen(orders) < sizeof(orders) - 1);
	if (order != TTY_DROP_INPUT)
		strcat(orders, order == TTY_STOP ? "s" : order == TTY_GO ? "g" : "d");
}

static const struct tty_port port = {
	.room = room_of_port, .waiting = waiting_at_port, .is_idle = is_port_idle, .order = order_port
};

static void use_port(size_t space)
{
	tty.port = &port;
	port_room = space;
	port_waiting = 0;
	port_idle = true;
	orders[0] = 0;
}

static void expect_orders(const char *expected)
{
	assert_string_equal(orders, expected);
	orders[0] = 0;
}

static void a_write_takes_what_the_port_has_room_for(void **state)
{
	char text[3 * TTY_PIECE];

	(void)state;
	memset(text, '\n', sizeof(text));
	use_port(2 * TTY_PIECE - 1);
	assert_int_equal(do_write(file, text, sizeof(text)), -EAGAIN);
	assert_int_equal(file_poll(file) & POLLOUT, 0);
	expect_shown("");
	/* A few bytes need less; each may become two. */
	port_room = 6;
	assert_int_equal(do_write(file, text, 4), -EAGAIN);
	assert_int_equal(do_write(file, text, 3), 3);
	expect_shown("\r\n\r\n\r\n");
	/* What is typed is echoed whatever room there is. */
	port_room = 0;
	type("x");
	expect_shown("x");
	port_room = 2 * TTY_PIECE;
	assert_true(file_poll(file) & POLLOUT);
	assert_int_equal(do_write(file, text, sizeof(text)), sizeof(text));
	assert_int_equal(shown_size, 2 * sizeof(text));
}

static size_t pieces[8];
static unsigned piece_count;

static void note_piece(struct tty *of, const char *text, size_t size)
{
	assert_true(piece_count < 8);
	pieces[piece_count++] = size;
	show(of, text, size);
}

/* Between two pieces of a long write a message of the kernel's may come: they end where lines do. */
static void pieces_end_with_lines(void **state)
{
	static char text[TTY_WRITE_MOST];
	char *at = text;

	(void)state;
	while (at < text + 1000) {
		memset(at, 'a', 99);
		at[99] = '\n';
		at += 100;
	}
	tty.show = note_piece;
	piece_count = 0;
	assert_int_equal(do_write(file, text, 1000), 1000);
	assert_int_equal(piece_count, 2);
	assert_int_equal(pieces[0], 505);
	assert_int_equal(pieces[1], 505);
	/* A line that is longer than a piece is not one. */
	memset(text, 'b', sizeof(text));
	piece_count = 0;
	shown_size = 0;
	assert_int_equal(do_write(file, text, 2 * TTY_PIECE), 2 * TTY_PIECE);
	assert_int_equal(piece_count, 2);
	assert_int_equal(pieces[0], TTY_PIECE);
	/* Bytes that are not the user's end a write where they begin. */
	user_set(USER_BYTES - 600, text, 600);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 600, 1200, file_write(file, &io)), 600);
}

static int64_t request(unsigned number, uint64_t arg)
{
	return WITH_USER_IO(io, 0, 4096, file_ioctl(file, number, arg, &io));
}

static void requests_wait_for_the_port(void **state)
{
	static const unsigned drains[] = { TCSBRK, TCSBRKP, TCSETSW, TCSETSF };
	int32_t waiting;

	(void)state;
	use_port(0);
	assert_int_equal(request(TCGETS, 0), 0);
	port_waiting = 77;
	port_idle = false;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(request(drains[i], 1), -EAGAIN);
	port_idle = true;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(request(drains[i], 1), 0);
	assert_int_equal(request(TIOCOUTQ, 0), 0);
	user_get(0, &waiting, sizeof(waiting));
	assert_int_equal(waiting, 77);
	orders[0] = 0;
	assert_int_equal(request(TCFLSH, TCIFLUSH), 0);
	expect_orders("");
	assert_int_equal(request(TCFLSH, TCOFLUSH), 0);
	expect_orders("d");
	assert_int_equal(request(TCFLSH, TCIOFLUSH), 0);
	expect_orders("d");
}

static void keys_stop_and_drop_output(void **state)
{
	(void)state;
	use_port(1000);
	type("\x13");
	expect_orders("s");
	assert_int_equal(do_write(file, "x", 1), -EAGAIN);
	type("\x11");
	expect_orders("g");
	/* A signal lets go on what was stopped, and forgets what was written. */
	type("\x13\x03");
	expect_orders("sdg");
	assert_int_equal(do_write(file, "x", 1), 1);
	tty.termios.lflag |= NOFLSH;
	type("\x03");
	expect_orders("g");
	type("\x13");
	tty_hang_up(&tty);
	expect_orders("sg");
}

/* A screen takes no more than four sequences, or 64 ends of lines, at once; then others get to run. */
static void a_screen_takes_what_it_can_show_at_once(void **state)
{
	char text[TTY_PIECE];

	(void)state;
	tty.flush = note_flush;
	for (size_t i = 0; i < sizeof(text); i += 4)
		memcpy(text + i, "\033[2J", 4);
	assert_int_equal(do_write(file, text, sizeof(text)), 3 * 4 + 1);
	assert_int_equal(do_write(file, text, 4), 4);
	memset(text, '\n', sizeof(text));
	assert_int_equal(do_write(file, text, sizeof(text)), 64);
	memset(text, 'x', sizeof(text));
	assert_int_equal(do_write(file, text, sizeof(text)), sizeof(text));
	/* What the user does not have is told of once all before it is shown. */
	memset(text, '\n', 100);
	user_set(USER_BYTES - 100, text, 100);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 100, 200, file_write(file, &io)), 64);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES - 36, 136, file_write(file, &io)), 36);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 100, file_write(file, &io)), -EFAULT);
}

static void requests_answer(void **state)
{
	struct linux_winsize size = { 0 };
	int32_t waiting;

	(void)state;
	assert_int_equal(WITH_USER_IO(io, 0, 4096, file_ioctl(file, TIOCGWINSZ, 0, &io)), 0);
	user_get(0, &size, sizeof(size));
	assert_int_equal(size.rows, 25);
	assert_int_equal(size.columns, 80);
	type("abc\nd");
	assert_int_equal(WITH_USER_IO(io, 0, 4096, file_ioctl(file, FIONREAD, 0, &io)), 0);
	user_get(0, &waiting, sizeof(waiting));
	assert_int_equal(waiting, 4);
	assert_int_equal(WITH_USER_IO(io, 0, 4096, file_ioctl(file, TCFLSH, TCIFLUSH, &io)), 0);
	expect_blocks();
	assert_int_equal(WITH_USER_IO(io, 0, 4096, file_ioctl(file, TCFLSH, 9, &io)), -EINVAL);
	assert_int_equal(WITH_USER_IO(io, 0, 4096, file_ioctl(file, 0x1234, 0, &io)), -ENOTTY);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4096, file_ioctl(file, TCGETS, 0, &io)), -EFAULT);
	assert_int_equal(WITH_USER_IO(io, USER_BYTES, 4096, file_ioctl(file, TCSETS, 0, &io)), -EFAULT);
	assert_int_equal(file_seek(file, 0, SEEK_SET), -ESPIPE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_read_when_it_ends),
		TEST(a_line_as_long_as_a_piece_is_one_read),
		TEST(the_line_can_be_edited),
		TEST(erasing_costs_what_was_typed),
		TEST(a_program_prompt_stays_when_the_line_goes),
		TEST(end_of_file_is_read_as_nothing),
		TEST(signals_go_to_the_foreground),
		TEST(raw_input_is_read_at_once),
		TEST(raw_reads_are_patient_as_told),
		TEST(a_hang_up_ends_what_is_open),
		TEST(a_full_ring_loses_no_line_end),
		TEST(output_costs_no_switch_and_can_be_stopped),
		TEST(what_was_shown_is_flushed_once),
		TEST(a_screen_takes_what_it_can_show_at_once),
		TEST(a_write_takes_what_the_port_has_room_for),
		TEST(pieces_end_with_lines),
		TEST(requests_wait_for_the_port),
		TEST(keys_stop_and_drop_output),
		TEST(requests_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
