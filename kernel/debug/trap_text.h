/*
 * What an exception's error code says, in words.
 */
#pragma once

#include <stdint.h>

/* Room for trap_text's text. */
#define TRAP_TEXT 80

/* "write to a page that is not present, by the kernel", …; empty for an exception whose code says nothing. */
char *trap_text(uint64_t vector, uint64_t error, char buffer[TRAP_TEXT]);
