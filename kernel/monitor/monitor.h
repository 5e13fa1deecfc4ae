/*
 * The command monitor: a prompt on every console, and commands that other parts register.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONITOR_ARGUMENTS 16 /* most words in a line, the command among them */

/* A command that can be typed. Fixed after boot. */
struct monitor_command {
	const char *name;
	const char *arguments; /* as the help shows them: "ADDR [PAGES]", or "" */
	const char *help;      /* one line, no full stop */
	/*
	 * Do the command. argv[0] is its name, argv[argc] NULL. Prints with say() all it has to say, errors included.
	 */
	void (*run)(int argc, char **argv);
	struct monitor_command *next; /* next in the list of commands; set by monitor_add() */
};

/* A device on which commands are typed. Fixed after boot. */
struct monitor_input {
	int (*read)(void);          /* returns the next byte, or -1 when none waits */
	struct monitor_input *next; /* next in the list of inputs; set by monitor_add_input() */
};

/* Add a command, whose name must be new, or an input. The structure must stay valid for ever. */
void monitor_add(struct monitor_command *command);
void monitor_add_input(struct monitor_input *input);

/*
 * Set what monitor_run() calls when no input has a byte, in place of cpu_pause(). The function may halt the CPU if
 * interrupts wake it.
 */
void monitor_set_idle(void (*idle)(void));

/* Run a line as if it had been typed. The line is cut into words in place. */
void monitor_execute(char *line);

/* Add `help` and `log`, and show the prompt. */
void monitor_start(void);

/* Take the bytes that the inputs have, and run the lines that they complete. Returns false when there was no byte. */
bool monitor_poll(void);

/* Call monitor_start(), and then monitor_poll() for ever. */
__attribute__((noreturn)) void monitor_run(void);

/*
 * Parse an unsigned number: decimal, or with 0x, 0o or 0b before it; '_' between digits is ignored.
 * Returns false, *ret_value untouched, when the text is no number or needs more than 64 bits.
 */
bool monitor_number(const char *text, uint64_t *ret_value);

/* Print how the command `name` is used: for a run() that was given wrong arguments. */
void monitor_usage(const char *name);
