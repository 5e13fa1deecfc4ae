/*
 * The output queue of a slow port: programs' text, and the kernel's messages, which are sent between two lines of that
 * text. Data only: the port's driver guards the queue and sends the bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the two rings, powers of two. Programs may fill only PORT_WRITES bytes of the text's ring: the rest is kept
 * for what the terminal echoes while a program's text waits.
 */
#define PORT_TEXT     8192
#define PORT_WRITES   4096
#define PORT_MESSAGES 16384

/*
 * A ring's positions only grow: a position's byte is bytes[position % size]. Guard: the driver's, see
 * struct serial_port.
 */
struct port_queue {
	uint64_t text_in, text_out;       /* positions where the next byte of text is added, and taken */
	uint64_t message_in, message_out; /* positions where the next byte of messages is added, and taken */
	/*
	 * text_in when a message was last added to an empty ring of messages: text before this position is sent first
	 */
	uint64_t message_at;
	bool inside_line; /* the last byte taken was a byte of text other than '\n' */
	bool stopped;     /* only messages are sent, text has to wait. Set and cleared by the driver */
	uint64_t lost;    /* lines that were dropped and are not reported yet, see port_queue_tell_lost() */
	char *text;       /* PORT_TEXT bytes. Fixed when the queue is made */
	char *messages;   /* PORT_MESSAGES bytes. Fixed when the queue is made */
};

/*
 * port_queue_text: return how many bytes of text are queued. port_queue_room: return how many bytes programs may add.
 */
static inline uint64_t port_queue_text(const struct port_queue *queue)
{
	return queue->text_in - queue->text_out;
}

static inline uint64_t port_queue_room(const struct port_queue *queue)
{
	uint64_t used = port_queue_text(queue);

	return used < PORT_WRITES ? PORT_WRITES - used : 0;
}

static inline bool port_queue_has_messages(const struct port_queue *queue)
{
	return queue->message_in != queue->message_out;
}

/* Return whether there is something to send: a message, or text while the queue is not stopped. */
static inline bool port_queue_sends(const struct port_queue *queue)
{
	return port_queue_has_messages(queue) || (port_queue_text(queue) && !queue->stopped);
}

/*
 * Note that text was sent, of which `last` is the last byte. The driver calls this for text that it sends without
 * queueing it, while the queue is empty.
 */
static inline void port_queue_passed(struct port_queue *queue, char last)
{
	queue->inside_line = last != '\n';
}

/* Take the next byte to send. Call when port_queue_sends() has returned true. */
char port_queue_take(struct port_queue *queue);

/* Add programs' text, or an echo. Bytes that the ring has no room for are dropped. */
void port_queue_add_text(struct port_queue *queue, const char *text, size_t size);

/*
 * Add a message, each '\n' as "\r\n". A message that does not fit is dropped as a whole. The next message that fits
 * gets a line in front of it, which says how many lines were dropped.
 */
void port_queue_add_message(struct port_queue *queue, const char *text, size_t size);

/* Drop the queued text; messages stay. */
void port_queue_drop_text(struct port_queue *queue);

/* Drop all queued text and messages, and count their lines as lost. */
void port_queue_lose(struct port_queue *queue);

/* Return how many lines a dropped text counts for: the number of its '\n', but at least 1; 0 for an empty text. */
uint64_t port_lines(const char *text, size_t size);

/*
 * Write the line that says how many lines were lost, and set `lost` to 0. Returns the line's length; 0: none was lost.
 */
#define PORT_LOST_TEXT 64
size_t port_queue_tell_lost(struct port_queue *queue, char ret_text[PORT_LOST_TEXT]);
