/*
 * The command monitor: the list of commands, the prompt, and the splitting of a line into words. Commands and devices
 * are registered by other files (commands.c, for one); only `help` and `log` are here.
 */
#include "kernel/monitor/monitor.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/monitor/line_editor.h"
#include "kernel/sync/kernel_lock.h"

/* How many bytes are taken from one input before the next input has its turn. */
#define BYTES_AT_ONCE 64

/* Guard: the monitor, which is run by kmain() or by the gdb stub, never by both at once. */
static struct monitor_command *commands; /* sorted by name */
static struct monitor_input *inputs;
static void (*idle_hook)(void) = cpu_pause;

/* The line that is being typed. Guard: the monitor. */
static struct line_editor editor;

void monitor_add(struct monitor_command *command)
{
	struct monitor_command **at = &commands;

	while (*at && strcmp((*at)->name, command->name) < 0)
		at = &(*at)->next;
	ASSERT(!*at || strcmp((*at)->name, command->name) != 0);
	command->next = *at;
	*at = command;
}

void monitor_add_input(struct monitor_input *input)
{
	input->next = inputs;
	inputs = input;
}

void monitor_set_idle(void (*idle)(void))
{
	idle_hook = idle;
}

static struct monitor_command *find(const char *name)
{
	for (struct monitor_command *c = commands; c; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

void monitor_usage(const char *name)
{
	const struct monitor_command *command = find(name);

	if (command)
		say("usage: %s %s\n", command->name, command->arguments);
}

/* ---- numbers ---- */

/* Return the base that the number's prefix (0x, 0o, 0b, or none for 10) names, and move *text behind the prefix. */
static unsigned int base_of(const char **text)
{
	unsigned int base = 10;

	if ((*text)[0] == '0' && ((*text)[1] == 'x' || (*text)[1] == 'X'))
		base = 16;
	else if ((*text)[0] == '0' && ((*text)[1] == 'o' || (*text)[1] == 'O'))
		base = 8;
	else if ((*text)[0] == '0' && ((*text)[1] == 'b' || (*text)[1] == 'B'))
		base = 2;
	if (base != 10)
		*text += 2;
	return base;
}

bool monitor_number(const char *text, uint64_t *ret_value)
{
	unsigned int base = base_of(&text);
	uint64_t value = 0;

	do {
		unsigned int digit = digit_value(*text);

		if (digit >= base)
			return false;
		if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
			return false;
		text++;
		if (text[0] == '_' && text[1] != '\0')
			text++;
	} while (*text != '\0');
	*ret_value = value;
	return true;
}

/* ---- the commands that belong to the monitor ---- */

static void say_command(const struct monitor_command *command, size_t width)
{
	say("  %s %-*s  %s\n", command->name, (int)(width - strlen(command->name)), command->arguments, command->help);
}

static void run_help(int argc, char **argv)
{
	size_t width = 0;

	if (argc > 1) {
		const struct monitor_command *command = find(argv[1]);

		if (command)
			say_command(command, strlen(command->name) + strlen(command->arguments));
		else
			say("%s: no such command\n", argv[1]);
		return;
	}
	for (const struct monitor_command *c = commands; c; c = c->next) {
		size_t this_width = strlen(c->name) + strlen(c->arguments);

		width = this_width > width ? this_width : width;
	}
	for (const struct monitor_command *c = commands; c; c = c->next)
		say_command(c, width);
}

static void run_log(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	log_read(say_text);
}

static struct monitor_command help_command = {
	.name = "help",
	.arguments = "[COMMAND]",
	.help = "list the commands",
	.run = run_help,
};

static struct monitor_command log_command = {
	.name = "log",
	.arguments = "",
	.help = "show the kernel's messages since boot, as far as they are kept",
	.run = run_log,
};

/* ---- lines ---- */

/* Cut the line into words, in place. Returns their number, or -1 when there are more than MONITOR_ARGUMENTS. */
static int split(char *line, char *argv[MONITOR_ARGUMENTS + 1])
{
	int argc = 0;

	for (;;) {
		while (*line == ' ')
			*line++ = '\0';
		if (*line == '\0')
			break;
		if (argc == MONITOR_ARGUMENTS)
			return -1;
		argv[argc++] = line;
		while (*line != '\0' && *line != ' ')
			line++;
	}
	argv[argc] = NULL;
	return argc;
}

/*
 * Add `help` and `log` unless they were added already: the gdb stub may call monitor_execute() before monitor_start().
 */
static void add_own_commands(void)
{
	if (find(help_command.name))
		return;
	monitor_add(&help_command);
	monitor_add(&log_command);
}

void monitor_execute(char *line)
{
	char *argv[MONITOR_ARGUMENTS + 1];
	const struct monitor_command *command;
	int argc = split(line, argv);

	add_own_commands();
	if (argc == 0)
		return;
	if (argc < 0) {
		say("more than %d words\n", MONITOR_ARGUMENTS);
		return;
	}
	command = find(argv[0]);
	if (command)
		command->run(argc, argv);
	else
		say("%s: no such command; `help` lists them\n", argv[0]);
}

static void take(uint8_t byte)
{
	enum line_event event = line_feed(&editor, byte);

	if (event == LINE_EDITING)
		return;
	if (event == LINE_READY)
		monitor_execute(editor.line);
	line_begin(&editor);
}

void monitor_start(void)
{
	add_own_commands();
	editor.prompt = "anke> ";
	editor.write = say_text;
	line_begin(&editor);
}

bool monitor_poll(void)
{
	bool any = false;

	for (struct monitor_input *input = inputs; input; input = input->next) {
		for (int i = 0; i < BYTES_AT_ONCE; i++) {
			int byte = input->read();

			if (byte < 0)
				break;
			any = true;
			take(byte);
		}
	}
	return any;
}

void monitor_run(void)
{
	monitor_start();
	for (;;)
		if (!monitor_poll()) {
			idle_hook();
			if (kernel_lock_is_wanted())
				kernel_lock_lend();
		}
}
