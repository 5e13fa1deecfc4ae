/*
 * Parses gdb's packets, a byte at a time, with a state machine in which any byte may come in any state; and builds
 * replies.
 */
#include "kernel/gdb/gdb_packet.h"

#include "kernel/lib/digit.h"
#include "kernel/lib/string.h"

#define BREAK       0x03
#define ESCAPE      '}'
#define ESCAPE_FLIP 0x20

static enum gdb_event feed_idle(struct gdb_packet *p, uint8_t byte)
{
	switch (byte) {
	case '$':
		p->state = GDB_TEXT;
		p->length = 0;
		p->sum = 0;
		p->overlong = p->bad_digit = false;
		return GDB_NOTHING;
	case '+':
		return GDB_ACK;
	case '-':
		return GDB_NAK;
	case BREAK:
		return GDB_BREAK;
	default:
		return GDB_NOTHING;
	}
}

static void append(struct gdb_packet *p, uint8_t byte)
{
	if (p->length == GDB_PACKET_MOST)
		p->overlong = true;
	else
		p->text[p->length++] = (char)byte;
}

static enum gdb_event feed_text(struct gdb_packet *p, uint8_t byte)
{
	/* '$' is never inside a packet: the packet before it has lost its end, and a new one starts. */
	if (byte == '$') {
		p->state = GDB_IDLE;
		return feed_idle(p, byte);
	}
	if (byte == '#') {
		p->state = GDB_SUM_HIGH;
		return GDB_NOTHING;
	}
	p->sum += byte;
	if (p->state == GDB_ESCAPED) {
		append(p, byte ^ ESCAPE_FLIP);
		p->state = GDB_TEXT;
	} else if (byte == ESCAPE) {
		p->state = GDB_ESCAPED;
	} else {
		append(p, byte);
	}
	return GDB_NOTHING;
}

static enum gdb_event feed_sum(struct gdb_packet *p, uint8_t byte)
{
	unsigned int digit = digit_value((char)byte);

	if (digit >= 16)
		p->bad_digit = true;
	if (p->state == GDB_SUM_HIGH) {
		p->told = (uint8_t)(digit << 4);
		p->state = GDB_SUM_LOW;
		return GDB_NOTHING;
	}
	p->state = GDB_IDLE;
	p->text[p->length] = '\0';
	if (p->bad_digit || (p->told | digit) != p->sum)
		return GDB_DAMAGED;
	return p->overlong ? GDB_OVERLONG : GDB_PACKET;
}

enum gdb_event gdb_packet_feed(struct gdb_packet *p, uint8_t byte)
{
	if (p->state == GDB_IDLE)
		return feed_idle(p, byte);
	if (p->state == GDB_TEXT || p->state == GDB_ESCAPED)
		return feed_text(p, byte);
	return feed_sum(p, byte);
}

/* ---- out ---- */

void gdb_put_byte(struct gdb_reply *r, char byte)
{
	if (r->length == GDB_PACKET_MOST)
		r->full = true;
	else
		r->text[r->length++] = byte;
}

void gdb_put_text(struct gdb_reply *r, const char *text)
{
	while (*text)
		gdb_put_byte(r, *text++);
}

static char hex_digit(unsigned int value)
{
	return "0123456789abcdef"[value & 15];
}

void gdb_put_hex(struct gdb_reply *r, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = ((const uint8_t *)bytes)[i];

		gdb_put_byte(r, hex_digit(byte >> 4));
		gdb_put_byte(r, hex_digit(byte));
	}
}

void gdb_put_number(struct gdb_reply *r, uint64_t number)
{
	int shift = 60;

	while (shift > 0 && !(number >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		gdb_put_byte(r, hex_digit((unsigned int)(number >> shift)));
}

void gdb_put_binary(struct gdb_reply *r, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char byte = ((const char *)bytes)[i];

		if (byte == '$' || byte == '#' || byte == '*' || byte == ESCAPE) {
			gdb_put_byte(r, ESCAPE);
			byte ^= ESCAPE_FLIP;
		}
		gdb_put_byte(r, byte);
	}
}

void gdb_reply_send(const struct gdb_reply *r, void (*send)(uint8_t byte))
{
	uint8_t sum = 0;

	send('$');
	for (size_t i = 0; i < r->length; i++) {
		sum += (uint8_t)r->text[i];
		send((uint8_t)r->text[i]);
	}
	send('#');
	send((uint8_t)hex_digit(sum >> 4));
	send((uint8_t)hex_digit(sum));
}

/* ---- a packet's text ---- */

bool gdb_take(struct gdb_text *t, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length) != 0)
		return false;
	t->at += length;
	return true;
}

bool gdb_take_number(struct gdb_text *t, uint64_t *ret)
{
	const char *at = t->at;
	uint64_t value = 0;

	while (at < t->end && digit_value(*at) < 16) {
		if (at - t->at == 16)
			return false;
		value = value << 4 | digit_value(*at++);
	}
	if (at == t->at)
		return false;
	t->at = at;
	*ret = value;
	return true;
}

bool gdb_take_hex(struct gdb_text *t, void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++, t->at += 2) {
		if (t->end - t->at < 2 || digit_value(t->at[0]) >= 16 || digit_value(t->at[1]) >= 16)
			return false;
		((uint8_t *)bytes)[i] = (uint8_t)(digit_value(t->at[0]) << 4 | digit_value(t->at[1]));
	}
	return true;
}

bool gdb_take_range(struct gdb_text *t, uint64_t *ret_va, uint64_t *ret_size)
{
	return gdb_take_number(t, ret_va) && gdb_take(t, ",") && gdb_take_number(t, ret_size);
}
