/*
 * gdb's remote protocol, the lowest layer: makes packets from bytes and bytes from packets ("Debugging with GDB",
 * appendix E, "Overview"). gdb_commands.c gives packets their meaning, gdb_port.c moves the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PACKET_MOST 4096 /* bytes of a packet without '$', '#' and checksum: the PacketSize that gdb is told */

enum gdb_event {
	GDB_NOTHING,  /* the packet is not complete yet, or the byte is outside a packet and means nothing */
	GDB_PACKET,   /* `text` holds a packet whose checksum is right */
	GDB_DAMAGED,  /* a packet's checksum is wrong: gdb must send it again */
	GDB_OVERLONG, /* a packet's checksum is right, but it did not fit */
	GDB_ACK,      /* '+': gdb has the last reply */
	GDB_NAK,      /* '-': gdb wants the last reply again */
	GDB_BREAK,    /* Ctrl-C */
};

enum gdb_packet_state { GDB_IDLE, GDB_TEXT, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW };

/* The packet that is being received; all zero at first. Guard: the stopped machine. */
struct gdb_packet {
	char text[GDB_PACKET_MOST + 1]; /* unescaped, followed by a NUL; may contain NULs */
	size_t length;
	enum gdb_packet_state state;
	uint8_t sum;    /* checksum of the bytes received */
	uint8_t told;   /* the first digit of the checksum that gdb sent, times 16 */
	bool overlong;  /* the packet did not fit */
	bool bad_digit; /* the checksum that gdb sent is no hexadecimal number */
};

/* Take the next byte from gdb. Returns what it completes; `text` is valid until the next call. */
enum gdb_event gdb_packet_feed(struct gdb_packet *p, uint8_t byte);

/* A reply to be sent. Text that does not fit is left out, and `full` says so. Guard: the stopped machine. */
struct gdb_reply {
	char text[GDB_PACKET_MOST + 1];
	size_t length;
	bool full;
};

void gdb_put_byte(struct gdb_reply *r, char byte);
void gdb_put_text(struct gdb_reply *r, const char *text);
void gdb_put_hex(struct gdb_reply *r, const void *bytes, size_t size);    /* two digits for each byte */
void gdb_put_number(struct gdb_reply *r, uint64_t number);                /* hexadecimal, without leading zeros */
void gdb_put_binary(struct gdb_reply *r, const void *bytes, size_t size); /* escaped where necessary */

/* Send a reply as a packet: '$', the text, '#', the checksum. */
void gdb_reply_send(const struct gdb_reply *r, void (*send)(uint8_t byte));

/* ---- reading a packet's text ---- */

/* The part of a packet's text that is not read yet. */
struct gdb_text {
	const char *at, *end;
};

/* Skip `word` at the front. Returns false, with nothing skipped, when the text does not start with it. */
bool gdb_take(struct gdb_text *t, const char *word);

/* Read and skip a hexadecimal number of 1 to 16 digits. Returns false, with nothing skipped, when there is none. */
bool gdb_take_number(struct gdb_text *t, uint64_t *ret);

/* Read and skip `size` bytes of two digits each. Returns false, perhaps with some skipped, when the text has fewer. */
bool gdb_take_hex(struct gdb_text *t, void *bytes, size_t size);

/* Read and skip "ADDRESS,SIZE". Returns false, perhaps with some skipped, when the text does not start with that. */
bool gdb_take_range(struct gdb_text *t, uint64_t *ret_va, uint64_t *ret_size);
