/*
 * AF_UNIX (unix(7)): sockets between programs of one machine, with names in the tree or in a space of their own.
 */
#pragma once

#include "kernel/net/socket.h"

/* Make sockets of the family available. Call once, before the first program. */
void unix_init(void);

/* Return how many bytes of memory are freed when `file` is closed; 0 if `file` is no socket of this family. */
uint64_t unix_bytes(const struct file *file);
