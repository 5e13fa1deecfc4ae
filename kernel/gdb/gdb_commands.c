/*
 * The commands of gdb's remote protocol: a function for each letter with which a packet may begin. An unknown command
 * gets the empty reply, as the protocol says; one with wrong arguments gets an error.
 */
#include "kernel/gdb/gdb_commands.h"

#include "kernel/gdb/gdb_query.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

#define PIECE 256 /* bytes of memory that are copied at once */

void gdb_put_error(struct gdb_session *s, unsigned error)
{
	char text[8];

	s->reply.length = 0;
	s->reply.full = false;
	format_s(text, sizeof(text), "E%02x", error & 0xff);
	gdb_put_text(&s->reply, text);
}

void gdb_put_ok(struct gdb_session *s, bool ok, unsigned error)
{
	if (ok)
		gdb_put_text(&s->reply, "OK");
	else
		gdb_put_error(s, error);
}

void gdb_session_stop(struct gdb_session *s, const struct gdb_stop *stop)
{
	s->stop = *stop;
	s->thread = s->machine->current();
}

void gdb_session_tell(struct gdb_session *s)
{
	const struct gdb_stop *stop = &s->stop;
	uint8_t signal = (uint8_t)stop->signal;

	gdb_put_byte(&s->reply, 'T');
	gdb_put_hex(&s->reply, &signal, 1);
	/*
	 * A watchpoint's reason has an address; the other reasons may be sent only if gdb has said that it knows them.
	 */
	if (stop->reason && (stop->address || s->reasons_known)) {
		gdb_put_text(&s->reply, stop->reason);
		gdb_put_byte(&s->reply, ':');
		if (stop->address)
			gdb_put_number(&s->reply, stop->address);
		gdb_put_byte(&s->reply, ';');
	}
	gdb_put_text(&s->reply, "thread:");
	gdb_put_number(&s->reply, (uint64_t)s->machine->current());
	gdb_put_byte(&s->reply, ';');
}

/* ---- threads ---- */

/* Read a thread's number, "-1", "0" or another one, from the packet into *ret_id. Returns false when there is none. */
static bool take_thread(struct gdb_text *t, int64_t *ret_id)
{
	uint64_t id;

	if (gdb_take(t, "-1")) {
		*ret_id = GDB_ALL_THREADS;
		return true;
	}
	if (!gdb_take_number(t, &id) || id > INT32_MAX)
		return false;
	*ret_id = (int64_t)id;
	return true;
}

static void select_thread(struct gdb_session *s, struct gdb_text *t)
{
	bool general = gdb_take(t, "g");
	int64_t id;

	if ((!general && !gdb_take(t, "c")) || !take_thread(t, &id)) {
		gdb_put_error(s, GDB_INVALID);
		return;
	}
	if (id > 0 && !s->machine->alive(id)) {
		gdb_put_error(s, GDB_NO_TASK);
		return;
	}
	if (general)
		s->thread = id > 0 ? id : s->machine->current();
	gdb_put_ok(s, true, 0);
}

static void ask_alive(struct gdb_session *s, struct gdb_text *t)
{
	int64_t id;

	gdb_put_ok(s, take_thread(t, &id) && id > 0 && s->machine->alive(id), GDB_NO_TASK);
}

/* ---- registers ---- */

/* A buffer for the functions below, static since kernel stacks are small. Guard: the stopped machine. */
static struct gdb_registers registers;

static void get_all(struct gdb_session *s)
{
	uint8_t value[GDB_REGISTER_MOST];

	s->machine->get_registers(s->thread, &registers);
	for (unsigned i = 0; i < GDB_REGISTERS; i++) {
		gdb_register_get(&registers, i, value);
		gdb_put_hex(&s->reply, value, gdb_register_size(i));
	}
}

static void set_all(struct gdb_session *s, struct gdb_text *t)
{
	uint8_t value[GDB_REGISTER_MOST];

	s->machine->get_registers(s->thread, &registers);
	for (unsigned i = 0; i < GDB_REGISTERS; i++) {
		if (!gdb_take_hex(t, value, gdb_register_size(i))) {
			gdb_put_error(s, GDB_INVALID);
			return;
		}
		gdb_register_set(&registers, i, value);
	}
	gdb_put_ok(s, t->at == t->end && s->machine->set_registers(s->thread, &registers), GDB_INVALID);
}

static void get_one(struct gdb_session *s, struct gdb_text *t)
{
	uint8_t value[GDB_REGISTER_MOST];
	uint64_t number;

	if (!gdb_take_number(t, &number) || number >= GDB_REGISTERS) {
		gdb_put_error(s, GDB_INVALID);
		return;
	}
	s->machine->get_registers(s->thread, &registers);
	gdb_register_get(&registers, (unsigned)number, value);
	gdb_put_hex(&s->reply, value, gdb_register_size((unsigned)number));
}

static void set_one(struct gdb_session *s, struct gdb_text *t)
{
	uint8_t value[GDB_REGISTER_MOST];
	uint64_t number;

	if (!gdb_take_number(t, &number) || number >= GDB_REGISTERS || !gdb_take(t, "=") ||
	    !gdb_take_hex(t, value, gdb_register_size((unsigned)number)) || t->at != t->end) {
		gdb_put_error(s, GDB_INVALID);
		return;
	}
	s->machine->get_registers(s->thread, &registers);
	gdb_register_set(&registers, (unsigned)number, value);
	gdb_put_ok(s, s->machine->set_registers(s->thread, &registers), GDB_INVALID);
}

/* ---- memory ---- */

static void read_memory(struct gdb_session *s, struct gdb_text *t)
{
	uint8_t bytes[PIECE];
	uint64_t va, size, done = 0;

	if (!gdb_take_range(t, &va, &size)) {
		gdb_put_error(s, GDB_INVALID);
		return;
	}
	if (size > GDB_PACKET_MOST / 2)
		size = GDB_PACKET_MOST / 2;
	while (done < size) {
		size_t piece = size - done < PIECE ? size - done : PIECE;
		size_t moved = s->machine->read(s->thread, va + done, bytes, piece);

		gdb_put_hex(&s->reply, bytes, moved);
		done += moved;
		if (moved < piece)
			break;
	}
	/* Fewer bytes than asked for are a good answer, no bytes are an error. */
	if (size && !done)
		gdb_put_error(s, GDB_FAULT);
}

/* Write memory; the packet has the bytes as hexadecimal digits (command M) or as they are (X). */
static void write_memory(struct gdb_session *s, struct gdb_text *t, bool digits)
{
	uint8_t bytes[PIECE];
	uint64_t va, size;

	if (!gdb_take_range(t, &va, &size) || !gdb_take(t, ":") ||
	    (uint64_t)(t->end - t->at) != (digits ? 2 * size : size) || size > GDB_PACKET_MOST) {
		gdb_put_error(s, GDB_INVALID);
		return;
	}
	for (uint64_t done = 0; done < size;) {
		size_t piece = size - done < PIECE ? size - done : PIECE;

		if (!digits) {
			memcpy(bytes, t->at, piece);
			t->at += piece;
		} else if (!gdb_take_hex(t, bytes, piece)) {
			gdb_put_error(s, GDB_INVALID);
			return;
		}
		if (s->machine->write(s->thread, va + done, bytes, piece) < piece) {
			gdb_put_error(s, GDB_FAULT);
			return;
		}
		done += piece;
	}
	gdb_put_ok(s, true, 0);
}

/* ---- breakpoints ---- */

static void change_break(struct gdb_session *s, struct gdb_text *t, bool insert)
{
	uint64_t kind, va, size;

	if (!gdb_take_number(t, &kind) || !gdb_take(t, ",") || !gdb_take_range(t, &va, &size)) {
		gdb_put_error(s, GDB_INVALID);
		return;
	}
	/* x86 has no watchpoint for reads alone: the empty reply says that the stub does not know the command. */
	if (kind > GDB_WATCH_ACCESS || kind == GDB_WATCH_READ)
		return;
	gdb_put_ok(s,
		   (insert ? s->machine->insert : s->machine->remove)(s->thread, (enum gdb_break_kind)kind, va, size),
		   GDB_NO_SPACE);
}

/* ---- continuing and stepping ---- */

static enum gdb_next run(struct gdb_session *s, bool step, int64_t id)
{
	if (step && !s->machine->step(id > 0 ? id : s->machine->current())) {
		gdb_put_error(s, GDB_INVALID);
		return GDB_ANSWER;
	}
	return GDB_RUN;
}

/* Execute "c" (continue) or "s" (step), perhaps with an address at which to continue. */
static enum gdb_next run_from(struct gdb_session *s, struct gdb_text *t, bool step)
{
	uint64_t va;

	if (gdb_take_number(t, &va)) {
		s->machine->get_registers(s->machine->current(), &registers);
		registers.rip = va;
		if (!s->machine->set_registers(s->machine->current(), &registers)) {
			gdb_put_error(s, GDB_INVALID);
			return GDB_ANSWER;
		}
	}
	s->alone = false;
	return run(s, step, 0);
}

/*
 * Execute vCont, such as "vCont;s:4;c" (step thread 4, continue the others). Only the first step named is done, and all
 * other threads always continue, whether the packet names them or not; session->alone says which.
 */
static enum gdb_next run_threads(struct gdb_session *s, struct gdb_text *t)
{
	int64_t step_id = 0;
	bool step = false;
	unsigned actions = 0;

	while (gdb_take(t, ";")) {
		bool this_step = gdb_take(t, "s") || gdb_take(t, "S");
		uint64_t signal;
		int64_t id = 0;

		if (!this_step && !gdb_take(t, "c") && !gdb_take(t, "C"))
			break;
		(void)gdb_take_number(t, &signal);
		if (gdb_take(t, ":") && (!take_thread(t, &id) || (id > 0 && !s->machine->alive(id))))
			break;
		actions++;
		if (this_step && !step) {
			step = true;
			step_id = id;
		}
	}
	if (!actions || t->at != t->end) {
		gdb_put_error(s, GDB_INVALID);
		return GDB_ANSWER;
	}
	s->alone = step && actions == 1;
	return run(s, step, step_id);
}

static enum gdb_next long_name(struct gdb_session *s, struct gdb_text *t)
{
	if (gdb_take(t, "Cont?"))
		gdb_put_text(&s->reply, "vCont;c;C;s;S");
	else if (gdb_take(t, "Cont"))
		return run_threads(s, t);
	return GDB_ANSWER;
}

enum gdb_next gdb_command(struct gdb_session *s, const char *packet, size_t length)
{
	struct gdb_text t = { packet, packet + length };
	char letter = length ? packet[0] : '\0';

	s->reply.length = 0;
	s->reply.full = false;
	if (!s->machine->alive(s->thread))
		s->thread = s->machine->current();
	t.at += length ? 1 : 0;
	switch (letter) {
	case '?':
		gdb_session_tell(s);
		break;
	case 'g':
		get_all(s);
		break;
	case 'G':
		set_all(s, &t);
		break;
	case 'p':
		get_one(s, &t);
		break;
	case 'P':
		set_one(s, &t);
		break;
	case 'm':
		read_memory(s, &t);
		break;
	case 'M':
	case 'X':
		write_memory(s, &t, letter == 'M');
		break;
	case 'H':
		select_thread(s, &t);
		break;
	case 'T':
		ask_alive(s, &t);
		break;
	case 'z':
	case 'Z':
		change_break(s, &t, letter == 'Z');
		break;
	case 'c':
	case 's':
		return run_from(s, &t, letter == 's');
	case 'q':
		gdb_query(s, &t);
		break;
	case 'v':
		return long_name(s, &t);
	case 'D':
		gdb_put_ok(s, true, 0);
		return GDB_DETACH;
	case 'k':
		/*
		 * `k` means to kill the program. Here it only detaches, because closing a debugger should not stop the
		 * machine.
		 */
		return GDB_LEAVE;
	default:
		break;
	}
	return GDB_ANSWER;
}
