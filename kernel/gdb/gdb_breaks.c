/*
 * Keeps the list of breakpoints, and sets the CPU's debug registers. A breakpoint in text is an int3. Where the int3
 * cannot be written, a debug register is used instead. That happens when the machine has stopped inside the kernel, and
 * the program's page would first have to be brought into memory or copied (gdb_memory.h).
 *
 * Guard of all state in kernel/gdb: the stopped machine, in which nothing else runs.
 */
#include "kernel/gdb/gdb_breaks.h"

#include "kernel/arch/cpu_debug.h"
#include "kernel/arch/text_patch.h"
#include "kernel/lib/string.h"
#include "kernel/task/find.h"

#define INT3 0xcc
#define MOST 64

/* When a debug register stops: values of its field R/W in DR7 (Intel SDM vol. 3B, "Debug Control Register (DR7)"). */
#define DR7_EXECUTE 0
#define DR7_WRITE   1
#define DR7_ACCESS  3

struct software_break {
	vaddr_t va;
	struct user_space *user; /* the program in whose text the breakpoint is; NULL: the kernel's text */
	uint8_t old;             /* the byte that int3 replaces */
	bool used;
	bool in_place; /* int3 is in the text now */
};

struct hardware_break {
	vaddr_t va;               /* the address in the debug register */
	uint64_t size;            /* bytes that the register watches: 1, 2, 4 or 8 */
	enum gdb_break_kind kind; /* the kind that gdb asked for */
	vaddr_t asked;            /* start of the whole range that gdb asked for */
	uint64_t asked_size;
	bool used;
};

static struct software_break software[MOST];
static struct hardware_break hardware[DEBUG_REGISTERS];

/* ---- software breakpoints: int3 in text ---- */

static struct software_break *find_software(vaddr_t va, const struct user_space *user)
{
	for (size_t i = 0; i < MOST; i++)
		if (software[i].used && software[i].va == va && software[i].user == user)
			return &software[i];
	return NULL;
}

static bool insert_software(const struct gdb_place *place, vaddr_t va)
{
	static const uint8_t int3 = INT3;
	struct software_break b = { .va = va, .user = va < USER_END ? place->user : NULL, .used = true };

	if (find_software(va, b.user))
		return true;
	if (va < USER_END ? !b.user : !text_may_break(va))
		return false;
	for (size_t i = 0; i < MOST; i++) {
		if (software[i].used)
			continue;
		if (gdb_memory_read(place, va, &b.old, 1) != 1)
			return false;
		if (b.user && gdb_memory_write(place, va, &int3, 1) != 1)
			return false;
		b.in_place = b.user;
		software[i] = b;
		return true;
	}
	return false;
}

/*
 * Called by task_visit() for each task. `ctx` points to a pointer to a breakpoint: set that pointer to NULL, and end
 * the visit, if the task's process has the address space that the breakpoint is in.
 */
static bool has_space(void *ctx, struct task *task)
{
	struct software_break *b = *(struct software_break **)ctx;

	if (!task->process || task->process->space != b->user)
		return true;
	*(struct software_break **)ctx = NULL;
	return false;
}

/* Write the old byte back into the program's text, unless the process has ended, or the int3 is not there any more. */
static void take_out_of_user(struct software_break *b)
{
	struct software_break *wanted = b;
	struct gdb_place place;
	uint8_t now;

	task_visit(has_space, &wanted);
	if (wanted)
		return;
	place = (struct gdb_place){ b->user->context.space, b->user };
	if (gdb_memory_read(&place, b->va, &now, 1) == 1 && now == INT3)
		(void)gdb_memory_write(&place, b->va, &b->old, 1);
}

static void remove_one(struct software_break *b)
{
	if (b->user)
		take_out_of_user(b);
	b->used = false;
}

enum gdb_int3 gdb_breaks_int3(vaddr_t va, const struct user_space *user)
{
	if (find_software(va, user))
		return GDB_INT3_OURS;
	for (size_t i = 0; user && i < MOST; i++)
		if (software[i].used && software[i].va == va && software[i].user)
			return GDB_INT3_COPY;
	return GDB_INT3_NONE;
}

void gdb_breaks_heal(const struct gdb_place *place, vaddr_t va)
{
	for (size_t i = 0; i < MOST; i++)
		if (software[i].used && software[i].va == va && software[i].user)
			(void)gdb_memory_write(place, va, &software[i].old, 1);
}

/* ---- debug registers ---- */

static NO_BREAK void write_address(unsigned i, vaddr_t va)
{
	switch (i) {
	case 0:
		cpu_write_dr0(va);
		break;
	case 1:
		cpu_write_dr1(va);
		break;
	case 2:
		cpu_write_dr2(va);
		break;
	default:
		cpu_write_dr3(va);
		break;
	}
}

static NO_BREAK bool is_watch(const struct hardware_break *b)
{
	return b->kind == GDB_WATCH_WRITE || b->kind == GDB_WATCH_ACCESS;
}

/* Return the four bits of DR7 that say what a breakpoint stops on and how long its range is. */
static NO_BREAK uint64_t condition_of(const struct hardware_break *b)
{
	uint64_t length = b->size == 8 ? 2 : b->size - 1;

	if (!is_watch(b))
		return DR7_EXECUTE;
	return (b->kind == GDB_WATCH_WRITE ? DR7_WRITE : DR7_ACCESS) | length << 2;
}

static bool is_like(const struct hardware_break *b, enum gdb_break_kind kind, vaddr_t va, uint64_t size)
{
	return b->used && b->kind == kind && b->asked == va && b->asked_size == size;
}

/* Return how many bytes one debug register can watch, starting at `va`: 1, 2, 4 or 8, aligned, at most `left`. */
static uint64_t watch_piece(vaddr_t va, uint64_t left)
{
	uint64_t piece = 8;

	while (va % piece || piece > left)
		piece /= 2;
	return piece;
}

static bool remove_hardware(enum gdb_break_kind kind, vaddr_t va, uint64_t size)
{
	bool any = false;

	for (unsigned i = 0; i < DEBUG_REGISTERS; i++) {
		if (!is_like(&hardware[i], kind, va, size))
			continue;
		hardware[i].used = false;
		any = true;
	}
	return any;
}

static bool insert_hardware(enum gdb_break_kind kind, vaddr_t va, uint64_t size)
{
	bool watch = kind == GDB_WATCH_WRITE || kind == GDB_WATCH_ACCESS;
	uint64_t left = watch ? size : 1;
	vaddr_t at = va;

	/*
	 * Refuse a range that is empty, wraps, or is longer than all debug registers together can watch; and an address
	 * that is not canonical, since some CPUs fault when it is written to a debug register.
	 */
	if (left == 0 || left > 8 * DEBUG_REGISTERS || va > UINT64_MAX - left || !is_canonical(va))
		return false;
	(void)remove_hardware(kind, va, size);
	for (unsigned i = 0; left && i < DEBUG_REGISTERS; i++) {
		uint64_t piece = watch ? watch_piece(at, left) : 1;

		if (hardware[i].used)
			continue;
		hardware[i] = (struct hardware_break){ at, piece, kind, va, size, true };
		at += piece;
		left -= piece;
	}
	if (left)
		(void)remove_hardware(kind, va, size);
	return left == 0;
}

bool gdb_breaks_watch_hit(uint64_t dr6, struct gdb_stop *ret)
{
	for (unsigned i = 0; i < DEBUG_REGISTERS; i++) {
		const struct hardware_break *b = &hardware[i];

		if (!b->used || !(dr6 >> i & 1))
			continue;
		*ret = (struct gdb_stop){ .signal = GDB_SIGNAL_TRAP };
		if (is_watch(b)) {
			ret->reason = b->kind == GDB_WATCH_WRITE ? "watch" : "awatch";
			ret->address = b->va;
		} else if (b->kind == GDB_BREAK_HARDWARE) {
			ret->reason = "hwbreak";
		}
		return true;
	}
	return false;
}

bool gdb_breaks_stops_at(vaddr_t va)
{
	for (unsigned i = 0; i < DEBUG_REGISTERS; i++)
		if (hardware[i].used && !is_watch(&hardware[i]) && hardware[i].va == va)
			return true;
	return false;
}

/* ---- breakpoints of all kinds ---- */

bool gdb_breaks_insert(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size)
{
	if (kind == GDB_BREAK_SOFTWARE && insert_software(place, va))
		return true;
	if (va >= USER_END && kind <= GDB_BREAK_HARDWARE && !text_may_break(va))
		return false;
	return insert_hardware(kind, va, size);
}

bool gdb_breaks_remove(const struct gdb_place *place, enum gdb_break_kind kind, vaddr_t va, uint64_t size)
{
	struct software_break *b = find_software(va, va < USER_END ? place->user : NULL);

	if (kind != GDB_BREAK_SOFTWARE)
		return remove_hardware(kind, va, size);
	/* If the current process has no breakpoint at `va`, remove one of another process. */
	for (size_t i = 0; !b && i < MOST; i++)
		if (software[i].used && software[i].va == va)
			b = &software[i];
	if (!b)
		return remove_hardware(kind, va, size);
	remove_one(b);
	return true;
}

void gdb_breaks_clear(void)
{
	for (size_t i = 0; i < MOST; i++)
		if (software[i].used)
			remove_one(&software[i]);
	for (unsigned i = 0; i < DEBUG_REGISTERS; i++)
		hardware[i].used = false;
}

NO_BREAK void gdb_breaks_lift(void)
{
	for (size_t i = 0; i < MOST; i++) {
		struct software_break *b = &software[i];

		if (b->used && !b->user && b->in_place && text_patch(b->va, &b->old, 1) == OK)
			b->in_place = false;
	}
}

NO_BREAK void gdb_breaks_arm(void)
{
	uint64_t dr7 = DR7_CLEAR;

	for (unsigned i = 0; i < DEBUG_REGISTERS; i++) {
		if (!hardware[i].used)
			continue;
		write_address(i, hardware[i].va);
		dr7 |= 2ULL << 2 * i | condition_of(&hardware[i]) << (16 + 4 * i) | DR7_GE;
	}
	cpu_write_dr7(dr7);
}

void gdb_breaks_set(void)
{
	static const uint8_t int3 = INT3;

	for (size_t i = 0; i < MOST; i++) {
		struct software_break *b = &software[i];

		if (b->used && !b->user && !b->in_place && text_patch(b->va, &int3, 1) == OK)
			b->in_place = true;
	}
	gdb_breaks_arm();
}
