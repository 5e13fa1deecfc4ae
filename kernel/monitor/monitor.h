/*
 * The command monitor: a prompt on every console, and the commands that others register.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONITOR_ARGUMENTS 16 /* words of a line, the command among them */

struct monitor_command {
	const char *name;
	const char *arguments; /* as the help shows them, "ADDR [PAGES]", or "" */
	const char *help;      /* one line, no full stop */
	/* argv[0] is the name, argv[argc] NULL. Speaks with say(), and says itself what is wrong with an argument. */
	void (*run)(int argc, char **argv);
	struct monitor_command *next; /* owned by the monitor */
};

/* Where bytes are typed. */
struct monitor_input {
	int (*read)(void);          /* the next byte, or -1 when none waits */
	struct monitor_input *next; /* owned by the monitor */
};

/* Make a command known. Both structures stay the monitor's for good; a name must be new. */
void monitor_add(struct monitor_command *command);
void monitor_add_input(struct monitor_input *input);

/* What to do when no input has a byte: `hlt`, once interrupts wake the CPU. cpu_pause() until set. */
void monitor_set_idle(void (*idle)(void));

/* Run a line, which is cut into words in place, as if it had been typed. */
void monitor_execute(char *line);

/* Make `help` and `log` known and show the prompt. */
void monitor_start(void);

/* Take the bytes that wait and run the lines they complete. Returns false when there was none. */
bool monitor_poll(void);

/* monitor_start(), and then poll for ever. */
__attribute__((noreturn)) void monitor_run(void);

/*
 * An unsigned number: decimal, or with 0x, 0o or 0b before it; '_' between digits is passed over.
 * Returns false, *ret_value untouched, when it is none or needs more than 64 bits.
 */
bool monitor_number(const char *text, uint64_t *ret_value);

/* Say how the command `name` is used: for a run() that was given wrong arguments. */
void monitor_usage(const char *name);
