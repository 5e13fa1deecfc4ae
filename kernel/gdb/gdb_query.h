/*
 * gdb's queries, the commands that start with q, and helpers that the other commands use, too.
 */
#pragma once

#include "kernel/gdb/gdb_commands.h"

/* Error numbers, as Linux's; gdb only shows them. */
#define GDB_NO_TASK  3
#define GDB_FAULT    14
#define GDB_INVALID  22
#define GDB_NO_SPACE 28

/* Make the reply an error, as "E16", whatever it holds. */
void gdb_put_error(struct gdb_session *s, unsigned error);

/* Put "OK" into the reply, or make it the error. */
void gdb_put_ok(struct gdb_session *s, bool ok, unsigned error);

/* Do a query; `t` is behind the q. */
void gdb_query(struct gdb_session *s, struct gdb_text *t);
