/*
 * gdb's remote protocol, the lowest layer: packets out of bytes and bytes out of packets ("Debugging with GDB",
 * appendix E, "Overview"). Believes no byte; knows no command and no port.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PACKET_MOST 4096 /* bytes of a packet, what frames it aside: the PacketSize that gdb is told */

enum gdb_event {
	GDB_NOTHING,  /* the byte belongs to what comes, or to nothing */
	GDB_PACKET,   /* `text` holds one, its checksum is right */
	GDB_DAMAGED,  /* its checksum is wrong: to be asked for again */
	GDB_OVERLONG, /* the checksum is right, but it did not fit */
	GDB_ACK,
	GDB_NAK,
	GDB_BREAK, /* Ctrl-C */
};

enum gdb_packet_state { GDB_IDLE, GDB_TEXT, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW };

/* What is being received; all zero at first. */
struct gdb_packet {
	char text[GDB_PACKET_MOST + 1]; /* escapes undone; a NUL behind it. May hold NULs */
	size_t length;
	enum gdb_packet_state state;
	uint8_t sum;  /* of what came */
	uint8_t told; /* by its first digit */
	bool overlong, bad_digit;
};

enum gdb_event gdb_packet_feed(struct gdb_packet *p, uint8_t byte);

/* What is to be sent. What does not fit is left out, and `full` says so. */
struct gdb_reply {
	char text[GDB_PACKET_MOST + 1];
	size_t length;
	bool full;
};

void gdb_put_byte(struct gdb_reply *r, char byte);
void gdb_put_text(struct gdb_reply *r, const char *text);
void gdb_put_hex(struct gdb_reply *r, const void *bytes, size_t size);    /* two digits a byte */
void gdb_put_number(struct gdb_reply *r, uint64_t number);                /* hexadecimal, no zeros in front */
void gdb_put_binary(struct gdb_reply *r, const void *bytes, size_t size); /* escaped where it must be */

/* The packet on its way out: '$', the text, '#', the checksum. */
void gdb_reply_send(const struct gdb_reply *r, void (*send)(uint8_t byte));

/* ---- reading a packet's text ---- */

/* What is left of the text. */
struct gdb_text {
	const char *at, *end;
};

/* Takes `word` off the front, if it is there. */
bool gdb_take(struct gdb_text *t, const char *word);

/* Takes a hexadecimal number of 1 to 16 digits. False, nothing taken, when there is none. */
bool gdb_take_number(struct gdb_text *t, uint64_t *ret);

/* Takes `size` bytes of two digits each. False, with some taken, when they are not there. */
bool gdb_take_hex(struct gdb_text *t, void *bytes, size_t size);

/* "ADDRESS,SIZE". */
bool gdb_take_range(struct gdb_text *t, uint64_t *ret_va, uint64_t *ret_size);
