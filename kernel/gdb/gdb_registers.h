/*
 * A thread's registers as gdb numbers them, and the target description by which gdb knows the numbers: the features
 * org.gnu.gdb.i386.core, .sse and .segments ("Debugging with GDB", appendix G, "i386 Features").
 */
#pragma once

#include "kernel/gdb/gdb_packet.h"

#define GDB_FPU_SIZE 512 /* bytes of the image that FXSAVE writes */

/* A thread's registers. Guard: the stopped machine. */
struct gdb_registers {
	uint64_t general[16]; /* order: RAX RBX RCX RDX RSI RDI RBP RSP R8 to R15 */
	uint64_t rip;
	uint32_t eflags;
	uint32_t segments[6]; /* order: CS SS DS ES FS GS */
	uint64_t fs_base, gs_base;
	uint8_t fpu[GDB_FPU_SIZE]; /* x87 and SSE registers, as FXSAVE writes them */
};

enum gdb_register {
	GDB_RAX,
	GDB_RBX,
	GDB_RCX,
	GDB_RDX,
	GDB_RSI,
	GDB_RDI,
	GDB_RBP,
	GDB_RSP,
	GDB_R8,
	GDB_RIP = 16,
	GDB_EFLAGS,
	GDB_CS,
	GDB_ST0 = 24,
	GDB_FCTRL = 32,
	GDB_XMM0 = 40,
	GDB_MXCSR = 56,
	GDB_FS_BASE,
	GDB_GS_BASE,
	GDB_REGISTERS,
};

#define GDB_REGISTER_MOST 16 /* bytes of the largest register */

/* Return the bytes of a register; 0 when no register has that number. */
size_t gdb_register_size(unsigned number);

/* Get or set a register's value, least significant byte first. `number` must be below GDB_REGISTERS. */
void gdb_register_get(const struct gdb_registers *r, unsigned number, uint8_t value[GDB_REGISTER_MOST]);
void gdb_register_set(struct gdb_registers *r, unsigned number, const uint8_t value[GDB_REGISTER_MOST]);

/*
 * A piece of a long text, which gdb asks for piece by piece. For each piece the whole text is generated again, and only
 * the bytes of the piece are put into the reply.
 */
struct gdb_window {
	struct gdb_reply *reply;
	uint64_t skip; /* bytes of the text that are still to be left out */
	uint64_t room; /* bytes that may still be put into the reply */
	bool more;     /* the text has more bytes after the piece */
};

/* Take the next part of the whole text, and put those of its bytes that are in the piece into the reply. */
void gdb_window_text(struct gdb_window *w, const char *text);

/* Generate the target description, an XML text. */
void gdb_registers_describe(struct gdb_window *w);
