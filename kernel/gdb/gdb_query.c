/*
 * Answers gdb's queries: what the stub can do, the target description, the list of threads, monitor commands.
 */
#include "kernel/gdb/gdb_query.h"

#include "kernel/lib/format.h"

#define THREAD_DIGITS 17 /* the most characters of a thread's number, and a comma */

#define LINE 256 /* the most bytes of a monitor command, and of its output in one packet */

static void window_escaped(struct gdb_window *w, const char *text)
{
	for (; *text; text++) {
		char plain[2] = { *text < ' ' || *text > '~' ? '?' : *text, '\0' };

		gdb_window_text(w, *text == '<' ? "&lt;" : *text == '&' ? "&amp;" : *text == '"' ? "&quot;" : plain);
	}
}

static void list_thread(void *ctx, int64_t id, const char *name, const char *detail)
{
	struct gdb_window *w = ctx;
	char start[40];

	format_s(start, sizeof(start), "<thread id=\"%llx\" name=\"", (unsigned long long)id);
	gdb_window_text(w, start);
	window_escaped(w, name);
	gdb_window_text(w, "\">");
	window_escaped(w, detail);
	gdb_window_text(w, "</thread>\n");
}

/* The part of the list of threads that one reply has room for. */
struct thread_part {
	struct gdb_reply *reply;
	uint64_t skip; /* threads that earlier replies have named, and are passed over */
	uint64_t named;
};

static void name_thread(void *ctx, int64_t id, const char *name, const char *detail)
{
	struct thread_part *part = ctx;

	(void)name;
	(void)detail;
	if (part->skip) {
		part->skip--;
		return;
	}
	if (part->reply->length > GDB_PACKET_MOST - THREAD_DIGITS)
		return;
	gdb_put_byte(part->reply, part->named++ ? ',' : 'm');
	gdb_put_number(part->reply, (uint64_t)id);
}

/*
 * Name the threads from number s->threads_named of the list on, as many as the reply holds; "l" when none is left. A
 * debugger that does not know qXfer:threads, such as lldb, asks until it gets that.
 */
static void name_threads(struct gdb_session *s)
{
	struct thread_part part = { .reply = &s->reply, .skip = s->threads_named };

	s->machine->threads(name_thread, &part);
	s->threads_named += part.named;
	if (!part.named)
		gdb_put_byte(&s->reply, 'l');
}

static struct gdb_session *printing; /* the session whose command prints. Guard: the stopped machine */

static void print(const char *text, size_t size)
{
	struct gdb_session *s = printing;

	while (size) {
		size_t piece = size < LINE ? size : LINE;

		s->reply.length = 0;
		gdb_put_byte(&s->reply, 'O');
		gdb_put_hex(&s->reply, text, piece);
		s->machine->send(&s->reply);
		text += piece;
		size -= piece;
	}
	s->reply.length = 0;
}

static void run_monitor(struct gdb_session *s, struct gdb_text *t)
{
	char line[LINE];
	size_t length = (size_t)(t->end - t->at) / 2;

	if (length >= sizeof(line) || !gdb_take_hex(t, line, length) || t->at != t->end) {
		gdb_put_error(s, GDB_INVALID);
		return;
	}
	line[length] = '\0';
	printing = s;
	s->machine->monitor(line, print);
	gdb_put_ok(s, true, 0);
}

/*
 * gdb asks for a long text in parts: read "OFFSET,LENGTH" of the wanted part from the packet. Begin the reply with 'l',
 * for the last part; transfer() makes it 'm' when more follows. On failure the reply is an error.
 */
static bool take_window(struct gdb_session *s, struct gdb_text *t, struct gdb_window *ret)
{
	*ret = (struct gdb_window){ .reply = &s->reply };
	if (!gdb_take_range(t, &ret->skip, &ret->room)) {
		gdb_put_error(s, GDB_INVALID);
		return false;
	}
	/* Leave room in the packet for escaping, which may double the bytes. */
	if (ret->room > GDB_PACKET_MOST / 2 - 1)
		ret->room = GDB_PACKET_MOST / 2 - 1;
	gdb_put_byte(&s->reply, 'l');
	return true;
}

static void transfer(struct gdb_session *s, struct gdb_text *t)
{
	struct gdb_window w;

	if (gdb_take(t, "features:read:target.xml:")) {
		if (!take_window(s, t, &w))
			return;
		gdb_registers_describe(&w);
	} else if (gdb_take(t, "threads:read::")) {
		if (!take_window(s, t, &w))
			return;
		gdb_window_text(&w, "<?xml version=\"1.0\"?>\n<threads>\n");
		s->machine->threads(list_thread, &w);
		gdb_window_text(&w, "</threads>\n");
	} else {
		return;
	}
	if (w.more)
		s->reply.text[0] = 'm';
}

static bool contains(const struct gdb_text *t, const char *word)
{
	struct gdb_text rest = *t;

	for (; rest.at < rest.end; rest.at++)
		if (gdb_take(&rest, word))
			return true;
	return false;
}

void gdb_query(struct gdb_session *s, struct gdb_text *t)
{
	char text[160];

	if (gdb_take(t, "Supported")) {
		s->reasons_known = contains(t, "swbreak+") && contains(t, "hwbreak+");
		format_s(text, sizeof(text),
			 "PacketSize=%x;swbreak+;hwbreak+;vContSupported+;qXfer:features:read+;qXfer:threads:read+",
			 GDB_PACKET_MOST);
		gdb_put_text(&s->reply, text);
	} else if (gdb_take(t, "Xfer:")) {
		transfer(s, t);
	} else if (gdb_take(t, "Rcmd,")) {
		run_monitor(s, t);
	} else if (gdb_take(t, "fThreadInfo")) {
		s->threads_named = 0;
		name_threads(s);
	} else if (gdb_take(t, "sThreadInfo")) {
		name_threads(s);
	} else if (gdb_take(t, "Attached")) {
		gdb_put_byte(&s->reply, '1');
	} else if (gdb_take(t, "C") && t->at == t->end) {
		gdb_put_text(&s->reply, "QC");
		gdb_put_number(&s->reply, (uint64_t)s->machine->current());
	}
}
