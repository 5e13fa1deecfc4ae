/*
 * gdb's queries, the commands that start with q; and the error replies, which the other commands use, too.
 */
#pragma once

#include "kernel/gdb/gdb_commands.h"

/* Error numbers, as Linux's; gdb only shows them. */
#define GDB_NO_TASK  3
#define GDB_FAULT    14
#define GDB_INVALID  22
#define GDB_NO_SPACE 28

/* Replace the reply by an error, such as "E16". */
void gdb_put_error(struct gdb_session *s, unsigned error);

/* Append "OK" to the reply if `ok`; otherwise replace the reply by the error. */
void gdb_put_ok(struct gdb_session *s, bool ok, unsigned error);

/* Answer a query. `t`: the packet after its q. */
void gdb_query(struct gdb_session *s, struct gdb_text *t);
