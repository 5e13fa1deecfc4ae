/*
 * Converts registers between the CPU's layout (Intel SDM vol. 1, "FXSAVE Area") and the layout of gdb's packets.
 */
#include "kernel/gdb/gdb_registers.h"

#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

/* Offsets in the image that FXSAVE writes. */
#define FX_FCW   0
#define FX_FSW   2
#define FX_FTW   4
#define FX_FOP   6
#define FX_FIP   8
#define FX_FDP   16
#define FX_MXCSR 24
#define FX_ST    32
#define FX_XMM   160

static const struct {
	const char *name;
	const char *type;
} described[GDB_FCTRL + 8] = {
	{ "rax", "int64" },    { "rbx", "int64" },     { "rcx", "int64" },    { "rdx", "int64" },
	{ "rsi", "int64" },    { "rdi", "int64" },     { "rbp", "data_ptr" }, { "rsp", "data_ptr" },
	{ "r8", "int64" },     { "r9", "int64" },      { "r10", "int64" },    { "r11", "int64" },
	{ "r12", "int64" },    { "r13", "int64" },     { "r14", "int64" },    { "r15", "int64" },
	{ "rip", "code_ptr" }, { "eflags", "eflags" }, { "cs", "int32" },     { "ss", "int32" },
	{ "ds", "int32" },     { "es", "int32" },      { "fs", "int32" },     { "gs", "int32" },
	{ "st0", "i387_ext" }, { "st1", "i387_ext" },  { "st2", "i387_ext" }, { "st3", "i387_ext" },
	{ "st4", "i387_ext" }, { "st5", "i387_ext" },  { "st6", "i387_ext" }, { "st7", "i387_ext" },
	{ "fctrl", "int" },    { "fstat", "int" },     { "ftag", "int" },     { "fiseg", "int" },
	{ "fioff", "int" },    { "foseg", "int" },     { "fooff", "int" },    { "fop", "int" },
};

size_t gdb_register_size(unsigned number)
{
	if (number >= GDB_REGISTERS)
		return 0;
	if (number <= GDB_RIP || number >= GDB_FS_BASE)
		return 8;
	if (number >= GDB_ST0 && number < GDB_FCTRL)
		return 10;
	return number >= GDB_XMM0 && number < GDB_MXCSR ? 16 : 4;
}

static uint16_t get16(const struct gdb_registers *r, size_t at)
{
	return (uint16_t)(r->fpu[at] | r->fpu[at + 1] << 8);
}

/* Return the tag that FSAVE gives an x87 register that is in use: 0 a valid number, 1 zero, 2 special. */
static unsigned tag_of(const uint8_t st[10])
{
	unsigned exponent = (st[8] | st[9] << 8) & 0x7fff, any = 0;

	for (int i = 0; i < 8; i++)
		any |= st[i];
	if (exponent == 0)
		return any ? 2 : 1;
	return exponent == 0x7fff || !(st[7] & 0x80) ? 2 : 0;
}

/*
 * Return the x87 tag word as FSAVE has it, with two bits for each register, computed from the one bit that FXSAVE has
 * for each (Intel SDM, "FXSAVE Area": recreating FSAVE's format).
 */
static uint32_t full_tags(const struct gdb_registers *r)
{
	unsigned top = get16(r, FX_FSW) >> 11 & 7;
	uint32_t tags = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned used = r->fpu[FX_FTW] >> i & 1;

		tags |= (used ? tag_of(r->fpu + FX_ST + 16 * ((i - top) & 7)) : 3) << 2 * i;
	}
	return tags;
}

static void set_tags(struct gdb_registers *r, uint32_t tags)
{
	r->fpu[FX_FTW] = 0;
	for (unsigned i = 0; i < 8; i++)
		if ((tags >> 2 * i & 3) != 3)
			r->fpu[FX_FTW] |= (uint8_t)(1 << i);
}

/*
 * Offset and size of the x87 control registers in the FXSAVE image, in gdb's order. Size 0: the tags, which set_tags()
 * and full_tags() convert. gdb's fiseg and foseg are the upper halves of FIP and FDP.
 */
static const struct {
	uint8_t at, size;
} controls[8] = { { FX_FCW, 2 }, { FX_FSW, 2 },     { FX_FTW, 0 }, { FX_FIP + 4, 4 },
		  { FX_FIP, 4 }, { FX_FDP + 4, 4 }, { FX_FDP, 4 }, { FX_FOP, 2 } };

void gdb_register_get(const struct gdb_registers *r, unsigned number, uint8_t value[GDB_REGISTER_MOST])
{
	uint32_t tags = full_tags(r);
	unsigned control = number - GDB_FCTRL;

	memset(value, 0, GDB_REGISTER_MOST);
	if (number < GDB_RIP)
		memcpy(value, &r->general[number], 8);
	else if (number == GDB_RIP)
		memcpy(value, &r->rip, 8);
	else if (number == GDB_EFLAGS)
		memcpy(value, &r->eflags, 4);
	else if (number < GDB_ST0)
		memcpy(value, &r->segments[number - GDB_CS], 4);
	else if (number < GDB_FCTRL)
		memcpy(value, r->fpu + FX_ST + 16 * (number - GDB_ST0), 10);
	else if (number < GDB_XMM0 && controls[control].size)
		memcpy(value, r->fpu + controls[control].at, controls[control].size);
	else if (number < GDB_XMM0)
		memcpy(value, &tags, 4);
	else if (number < GDB_MXCSR)
		memcpy(value, r->fpu + FX_XMM + 16 * (number - GDB_XMM0), 16);
	else if (number == GDB_MXCSR)
		memcpy(value, r->fpu + FX_MXCSR, 4);
	else
		memcpy(value, number == GDB_FS_BASE ? &r->fs_base : &r->gs_base, 8);
}

void gdb_register_set(struct gdb_registers *r, unsigned number, const uint8_t value[GDB_REGISTER_MOST])
{
	unsigned control = number - GDB_FCTRL;

	if (number < GDB_RIP)
		memcpy(&r->general[number], value, 8);
	else if (number == GDB_RIP)
		memcpy(&r->rip, value, 8);
	else if (number == GDB_EFLAGS)
		memcpy(&r->eflags, value, 4);
	else if (number < GDB_ST0)
		memcpy(&r->segments[number - GDB_CS], value, 4);
	else if (number < GDB_FCTRL)
		memcpy(r->fpu + FX_ST + 16 * (number - GDB_ST0), value, 10);
	else if (number < GDB_XMM0 && controls[control].size)
		memcpy(r->fpu + controls[control].at, value, controls[control].size);
	else if (number < GDB_XMM0)
		set_tags(r, value[0] | (uint32_t)value[1] << 8);
	else if (number < GDB_MXCSR)
		memcpy(r->fpu + FX_XMM + 16 * (number - GDB_XMM0), value, 16);
	else if (number == GDB_MXCSR)
		memcpy(r->fpu + FX_MXCSR, value, 4);
	else
		memcpy(number == GDB_FS_BASE ? &r->fs_base : &r->gs_base, value, 8);
}

/* ---- the description ---- */

void gdb_window_text(struct gdb_window *w, const char *text)
{
	for (; *text; text++) {
		if (w->skip) {
			w->skip--;
		} else if (w->room) {
			w->room--;
			gdb_put_binary(w->reply, text, 1);
		} else {
			w->more = true;
			return;
		}
	}
}

static void describe(struct gdb_window *w, const char *name, size_t size, const char *type)
{
	char line[96];

	format_s(line, sizeof(line), "<reg name=\"%s\" bitsize=\"%zu\" type=\"%s\"/>\n", name, 8 * size, type);
	gdb_window_text(w, line);
}

void gdb_registers_describe(struct gdb_window *w)
{
	char name[8];

	gdb_window_text(
		w, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
		   "<architecture>i386:x86-64</architecture>\n<feature name=\"org.gnu.gdb.i386.core\">\n"
		   "<flags id=\"eflags\" size=\"4\"><field name=\"CF\" start=\"0\" end=\"0\"/>"
		   "<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
		   "<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
		   "<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
		   "<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" end=\"11\"/>"
		   "<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"RF\" start=\"16\" end=\"16\"/>"
		   "<field name=\"AC\" start=\"18\" end=\"18\"/></flags>\n");
	for (unsigned i = 0; i < GDB_XMM0; i++)
		describe(w, described[i].name, gdb_register_size(i), described[i].type);
	gdb_window_text(
		w,
		"</feature>\n<feature name=\"org.gnu.gdb.i386.sse\">\n"
		"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
		"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
		"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
		"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
		"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
		"<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
		"<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
		"<field name=\"uint128\" type=\"uint128\"/></union>\n");
	for (unsigned i = GDB_XMM0; i < GDB_MXCSR; i++) {
		format_s(name, sizeof(name), "xmm%u", i - GDB_XMM0);
		describe(w, name, 16, "vec128");
	}
	describe(w, "mxcsr", 4, "int");
	gdb_window_text(w, "</feature>\n<feature name=\"org.gnu.gdb.i386.segments\">\n");
	describe(w, "fs_base", 8, "int64");
	describe(w, "gs_base", 8, "int64");
	gdb_window_text(w, "</feature>\n</target>\n");
}
