/*
 * Causes real faults on purpose, so that the panic page can be seen and tested.
 */
#pragma once

#include <stdbool.h>

/* The words that provoke() knows, as a help line shows them; "panic" is left out, since it is the default. */
#define PROVOKE_HOW \
	"[null|jump|ud|div|stack|text|twice|free|small|over|again|pte|context|order|slow|loop|deaf|other|mute]"

/*
 * Do what the word `how` says. "null": a write through a null pointer; "jump": a call through a null pointer; "ud": an
 * invalid opcode; "div": a division by zero; "stack": endless recursion into the guard page; "text": a write to the
 * kernel's own code; "panic": panic(); "twice": a panic whose own page faults; "free": a use after kfree; "small": a
 * use of a small block after kfree, "over": a write behind the end of a small block, "again": a second kfree of it, all
 * of which only a build with DEBUG=1 notices; "pte": an access through a page-table entry with a reserved bit;
 * "context": a read of the direct map while a user context is loaded; "order": two locks in the wrong order, which only
 * DEBUG=1 notices; "slow": 3 ms with interrupts off and 3 ms with them on, both of which DEBUG=1 logs; "loop", "deaf":
 * no fault at all, but an endless wait with interrupts on or off, which only the watchdog ends; "other", "mute": the
 * last CPU waits so with interrupts off, with the kernel lock or without; the latter ends ten seconds later, when this
 * CPU needs it for a shootdown. Returns false for an unknown word, and true after "slow", and after "other" and "mute"
 * with one CPU; does not return for the others.
 */
bool provoke(const char *how);
