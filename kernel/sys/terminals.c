/*
 * Connects terminals with their devices: the serial port, and the screen with the keyboard. Decides which terminal each
 * device has.
 */
#include "kernel/sys/terminals.h"

#include "kernel/dev/hvc.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial_choice.h"
#include "kernel/fs/tty.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sys/device_poll.h"
#include "kernel/sys/hvc_line.h"
#include "kernel/sys/screen_mode.h"
#include "kernel/sys/serial_lines.h"
#include "kernel/task/job_control.h"
#include "kernel/task/rights.h"
#include "kernel/task/sched.h"
#include "kernel/task/user_return.h"

#define IRQ_KEYBOARD 1
#define INPUT        64 /* bytes that are taken from a device, and passed to a terminal, at once */
#define MOST_INPUTS  16 /* most times that this is done in one interrupt: a broken device may have input for ever */

/* The nice value of the task that draws: with this one typed text is shown soon, even if many tasks compute. */
#define DRAWER_NICE (-10)

#define ESC 0x1b

/* The terminals. Fixed after boot, except for fields with a guard in struct tty. */
static struct tty terminals[2];
/* The terminal of the serial port and of the screen: a shared one, or one each. Fixed after boot. */
static struct tty *of_serial, *of_screen;
/*
 * The task that draws what a writer has not drawn; NULL: no program runs. Guard: tasks only, which the kernel does not
 * preempt.
 */
static struct task *drawer;
/*
 * Whether the screen is the device that was used last, and not the serial line. A shared terminal has the size of that
 * device (terminals.h).
 */
static bool screen_leads;

static void write_terminal(struct tty *tty, const char *text, size_t size)
{
	if (tty->data)
		serial_line_write(tty, text, size);
	if (tty == of_screen)
		screen_feed(text, size);
}

static void answer_terminal(struct tty *tty)
{
	if (tty == of_screen)
		screen_answer();
}

static void draw_later(void)
{
	task_wake(drawer);
}

void terminals_draw_soon(void)
{
	if (drawer)
		draw_later();
}

/*
 * Return whether the task must let other tasks run. In a debug build each call also tells the stop watch, which
 * measures how long a task keeps the CPU, that the task has asked.
 */
static bool is_turn_over(void)
{
	stop_watch_step(IRQ_HERE);
	return task_return_wanted();
}

/*
 * Draw the written text on the screen: once for a whole write(2), since drawing needs the kernel's own page tables, and
 * loading those takes time. If other tasks must run before all is drawn, the task `drawer` draws the rest.
 */
static void flush_terminal(struct tty *tty)
{
	(void)tty;
	if (irq_frame())
		screen_show_few();
	else if (screen_show_until(is_turn_over))
		terminals_draw_soon();
}

static bool is_row_enough(void)
{
	return true;
}

void terminals_draw(void)
{
	/*
	 * Yield after each row, not only when the time slice ends, so that a waiting task that has had less of the CPU
	 * runs first.
	 */
	while (screen_show_until(is_row_enough))
		task_yield();
}

bool terminals_want_drawing(void)
{
	return screen_is_dirty();
}

static void make_terminal(struct tty *tty, const char *name, uint64_t number)
{
	ASSERT(tty_init(tty, name, number, write_terminal, NULL) == 0);
	tty->answer = answer_terminal;
	job_control_add(tty);
}

/* Register another device name and number for a terminal. */
static void make_alias(struct device *alias, const char *name, uint64_t number, const struct tty *tty)
{
	*alias = tty->device;
	alias->name = name;
	alias->number = number;
	ASSERT(device_register(alias) == 0);
}

static bool is_shared(void)
{
	return of_serial == of_screen;
}

static void reply_from_screen(const char *bytes, size_t size)
{
	if (!is_shared() || screen_leads)
		tty_input(of_screen, bytes, size);
}

/*
 * Set the terminals' sizes. The size of the terminal at the other end of the serial line is not known: it is set to 0,
 * and programs ask that terminal by escape sequences.
 */
static void set_sizes(void)
{
	unsigned rows, columns;

	screen_size(&rows, &columns);
	if (!is_shared() || !screen_leads)
		tty_set_size(of_serial, 0, 0);
	if (!is_shared() || screen_leads)
		tty_set_size(of_screen, rows, columns);
}

/* Which of the present consoles /dev/console uses, by the command line. */
struct choice {
	bool serial, screen;
	bool screen_leads; /* a shared terminal has the screen's size at first: the screen was named last or alone */
};

static struct choice choose(const char *cmdline)
{
	struct choice c = { false,
			    cmdline_names(cmdline, "console", "tty0") || cmdline_names(cmdline, "console", "tty1"),
			    true };
	char name[sizeof("ttyS")];
	bool last = false;

	for (const char *at = cmdline; cmdline_next(&at, "console", name, sizeof(name));) {
		/* ttyS and uart mean the port of serial_leading(), which has looked at the rest of the option. */
		last = strcmp(name, "ttyS") == 0 || strcmp(name, "uart") == 0;
		c.serial = c.serial || last;
	}
	if (c.serial && c.screen)
		c.screen_leads = !last;
	if (!c.serial && !c.screen)
		c.serial = c.screen = true;
	c.serial = c.serial && serial_leading();
	c.screen = c.screen && screen_present();
	/* If none of the named consoles is present, use one that is. */
	if (!c.serial && !c.screen) {
		c.screen = screen_present();
		c.serial = !c.screen;
	}
	c.screen_leads = c.screen && (c.screen_leads || !c.serial);
	return c;
}

static int set_key(unsigned table, unsigned key, uint16_t value)
{
	if (!rights_can(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	return keyboard_set_key(table, key, value) ? 0 : -EINVAL;
}

void terminals_init(const char *cmdline)
{
	static struct device alias, first;
	struct choice choice = choose(cmdline);
	struct serial_port *port = serial_leading();
	unsigned number = port ? serial_number(port) : 0;
	const uint64_t screen_device = DEVICE_NUMBER(DEVICE_TTY_MAJOR, 0), line = serial_line_device(number);
	const char *line_name = serial_line_name(number);

	of_serial = of_screen = &terminals[0];
	if (choice.serial && choice.screen) {
		make_terminal(of_screen, choice.screen_leads ? "tty0" : line_name,
			      choice.screen_leads ? screen_device : line);
		make_alias(&alias, choice.screen_leads ? line_name : "tty0", choice.screen_leads ? line : screen_device,
			   of_screen);
	} else {
		of_screen = &terminals[1];
		make_terminal(of_serial, line_name, line);
		make_terminal(of_screen, "tty0", screen_device);
	}
	make_alias(&first, "tty1", DEVICE_NUMBER(DEVICE_TTY_MAJOR, 1), of_screen);
	if (port)
		serial_line_join(port, of_serial);
	serial_find_rest();
	(void)serial_lines_make();
	of_screen->set_key = set_key;
	if (screen_present()) {
		of_screen->flush = flush_terminal;
		of_screen->set_graphics = screen_mode_set;
		of_screen->is_graphics = screen_mode_is_graphics;
	}
	screen_leads = choice.screen_leads;
	set_sizes();
	screen_set_reply(reply_from_screen);
	(void)hvc_line_make();
	tty_set_console(hvc_leads() && hvc_line() ? hvc_line() : choice.screen ? of_screen : of_serial);
}

/*
 * Remember on which device somebody typed last, the screen's keyboard or the serial line, and give a shared terminal
 * that device's size. Input that starts with ESC does not count: it may be an answer of the terminal at the serial
 * line's other end to a program's escape sequence.
 */
static void lead(bool screen, char typed)
{
	if (typed == ESC || screen_leads == screen)
		return;
	screen_leads = screen;
	if (is_shared())
		set_sizes();
}

/*
 * Pass all typed bytes that the device has to the terminal, up to MOST_INPUTS * INPUT of them: interrupts are off, and
 * a port whose device was removed reports a byte for ever. The device raises another interrupt for what is left. port:
 * where to read; NULL: the keyboard.
 */
static void take_input(struct tty *tty, struct serial_port *port)
{
	char typed[INPUT];
	size_t count = sizeof(typed);

	for (int inputs = 0; inputs < MOST_INPUTS && count == sizeof(typed); inputs++) {
		int byte;

		for (count = 0; count < sizeof(typed) && (byte = port ? serial_read(port) : keyboard_read()) >= 0;
		     count++)
			typed[count] = (char)byte;
		if (!count)
			break;
		if (!port || tty == of_serial)
			lead(!port, typed[0]);
		tty_input(tty, typed, count);
	}
}

static void keyboard_interrupt(void *ctx)
{
	(void)ctx;
	take_input(of_screen, NULL);
}

uint8_t terminals_take_keys(const uint8_t *codes, size_t count)
{
	keyboard_feed(codes, count);
	if (drawer)
		take_input(of_screen, NULL);
	return keyboard_leds();
}

/* Let the keyboard's interrupts come, and take what was typed before the first of them. */
static void begin_keyboard(void)
{
	uint64_t flags;

	keyboard_interrupts_on();
	flags = irq_guard_enter();
	take_input(of_screen, NULL);
	irq_guard_leave(flags);
}

static struct device_poll polled_keyboard; /* fixed after boot, but for the timer */

void terminals_connect(void)
{
	drawer = task_current();
	sched_set(drawer, &(struct task_sched){ .nice = DRAWER_NICE });
	screen_show_later(draw_later);
	serial_lines_connect(take_input);
	hvc_line_connect();
	if (is_shared() && screen_present() && serial_leading())
		serial_text_is_seen(serial_leading());
	if (!keyboard_present())
		return;
	if (device_take_isa(IRQ_KEYBOARD, keyboard_interrupt, NULL)) {
		begin_keyboard();
	} else {
		log_info("keyboard: no interrupt, so it is polled\n");
		device_poll_start(&polled_keyboard, keyboard_interrupt, NULL);
	}
}

void terminals_add_ports(void)
{
	unsigned made;

	if (!drawer)
		return;
	made = serial_lines_make();
	made += hvc_line_make();
	if (!made)
		return;
	serial_lines_connect(take_input);
	hvc_line_connect();
	if (device_make_late_nodes() != 0)
		log_err("serial ports: no memory for their nodes in /dev\n");
}

void terminals_disconnect(void)
{
	static const char reset[] = "\033[?1049l\033[!p";

	device_poll_end(&polled_keyboard);
	serial_lines_disconnect();
	hvc_line_disconnect();
	keyboard_interrupts_off();
	screen_show_later(NULL);
	sched_set(drawer, &(struct task_sched){ 0 });
	drawer = NULL;
	screen_feed(reset, sizeof(reset) - 1);
	screen_release();
	screen_show();
}
