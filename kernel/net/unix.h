/*
 * AF_UNIX (unix(7)): sockets between programs of one machine, with names in the tree or in a space of their own.
 */
#pragma once

#include "kernel/net/socket.h"

/* Make sockets of the family available. Call once, before the first program. */
void unix_init(void);

/*
 * Add lines of /proc/net/unix until `ret` has `enough` bytes or no socket is left. *place is 0 at first, and says where
 * to go on.
 */
void unix_list_some(uint64_t *place, size_t enough, struct text *ret);

/* Return how many bytes of memory are freed when `file` is closed; 0 if `file` is no socket of this family. */
uint64_t unix_bytes(const struct file *file);
