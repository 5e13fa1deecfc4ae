/*
 * gdb's queries, the commands that start with q; and what they share with the others.
 */
#pragma once

#include "kernel/gdb/gdb_commands.h"

/* Linux's numbers; gdb shows them only. */
#define GDB_NO_TASK  3
#define GDB_FAULT    14
#define GDB_INVALID  22
#define GDB_NO_SPACE 28

/* "E16", in place of what the reply holds. */
void gdb_put_error(struct gdb_session *s, unsigned error);

/* "OK", or that. */
void gdb_put_ok(struct gdb_session *s, bool ok, unsigned error);

/* What follows the q. */
void gdb_query(struct gdb_session *s, struct gdb_text *t);
