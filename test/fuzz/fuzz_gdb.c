/*
 * What comes in at gdb's serial port, any bytes: packets are found in them, run on a machine whose memory is the heap's,
 * so that the sanitizer sees an access too far, and each reply is one that the protocol knows.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/gdb/gdb_commands.h"
#include "test/fuzz/fuzz.h"

#define MEMORY_SIZE 3000
#define MEMORY_BASE 0x10000

static uint8_t *memory;
static struct gdb_registers now;
static uint8_t sent[2 * GDB_PACKET_MOST];
static size_t sent_size;

static int64_t current(void)
{
	return 3;
}

static bool alive(int64_t id)
{
	return id > 0 && id < 6;
}

static void threads(gdb_see_thread *see, void *ctx)
{
	for (int64_t id = 1; id < 6; id++)
		see(ctx, id, "a<b>&\"\x01\xff", "running");
}

static void get_registers(int64_t id, struct gdb_registers *ret)
{
	FUZZ_EXPECT(alive(id));
	*ret = now;
}

static bool set_registers(int64_t id, const struct gdb_registers *r)
{
	FUZZ_EXPECT(alive(id));
	now = *r;
	return r->rip % 2 == 0;
}

static size_t clip(uint64_t va, size_t size)
{
	if (va < MEMORY_BASE || va - MEMORY_BASE >= MEMORY_SIZE)
		return 0;
	return size < MEMORY_SIZE - (va - MEMORY_BASE) ? size : MEMORY_SIZE - (va - MEMORY_BASE);
}

static size_t read_memory(int64_t id, uint64_t va, void *to, size_t size)
{
	FUZZ_EXPECT(alive(id));
	size = clip(va, size);
	if (size)
		memcpy(to, memory + (va - MEMORY_BASE), size);
	return size;
}

static size_t write_memory(int64_t id, uint64_t va, const void *from, size_t size)
{
	FUZZ_EXPECT(alive(id));
	size = clip(va, size);
	if (size)
		memcpy(memory + (va - MEMORY_BASE), from, size);
	return size;
}

static bool change(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size)
{
	FUZZ_EXPECT(alive(id) && kind <= GDB_WATCH_ACCESS && kind != GDB_WATCH_READ);
	return (va ^ size) & 1;
}

static bool step(int64_t id)
{
	FUZZ_EXPECT(alive(id));
	return id != 5;
}

static void monitor(char *line, void (*say)(const char *text, size_t size))
{
	say(line, strlen(line));
}

static void send_byte(uint8_t byte)
{
	FUZZ_EXPECT(sent_size < sizeof(sent));
	sent[sent_size++] = byte;
}

/* What is sent is a packet that comes back as it was. */
static void check(const struct gdb_reply *reply)
{
	static struct gdb_packet back;

	FUZZ_EXPECT(reply->length <= GDB_PACKET_MOST && !reply->full);
	sent_size = 0;
	gdb_reply_send(reply, send_byte);
	for (size_t i = 0; i < sent_size; i++)
		FUZZ_EXPECT(gdb_packet_feed(&back, sent[i]) == (i + 1 == sent_size ? GDB_PACKET : GDB_NOTHING));
}

static const struct gdb_machine machine = {
	.current = current,
	.alive = alive,
	.threads = threads,
	.get_registers = get_registers,
	.set_registers = set_registers,
	.read = read_memory,
	.write = write_memory,
	.insert = change,
	.remove = change,
	.step = step,
	.monitor = monitor,
	.send = check,
};

static void run(struct gdb_session *session, const char *text, size_t length)
{
	char *copy = fuzz_copy(text, length);
	enum gdb_next next = gdb_command(session, copy, length);

	if (next == GDB_ANSWER || next == GDB_DETACH)
		check(&session->reply);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct gdb_stop stop = { .signal = GDB_SIGNAL_TRAP, .reason = "swbreak" };
	static struct gdb_packet packet;
	static struct gdb_session session;
	size_t line = 0;

	memory = fuzz_copy(data, size < MEMORY_SIZE ? size : MEMORY_SIZE);
	memory = realloc(memory, MEMORY_SIZE);
	FUZZ_EXPECT(memory);
	memset(&packet, 0, sizeof(packet));
	memset(&session, 0, sizeof(session));
	memset(&now, 0, sizeof(now));
	session.machine = &machine;
	gdb_session_stop(&session, &stop);
	for (size_t i = 0; i < size; i++) {
		enum gdb_event event = gdb_packet_feed(&packet, data[i]);

		FUZZ_EXPECT(packet.length <= GDB_PACKET_MOST);
		if (event == GDB_PACKET)
			run(&session, packet.text, packet.length);
		/* Few damaged copies have a right checksum: each line is a packet's text as well. */
		if (data[i] == '\n' || i + 1 == size) {
			run(&session, (const char *)data + line,
			    i - line < GDB_PACKET_MOST ? i - line : GDB_PACKET_MOST);
			line = i + 1;
		}
	}
	free(memory);
	return 0;
}
