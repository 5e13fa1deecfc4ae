/*
 * What waits to go out on a port that takes text more slowly than it comes: programs' text, and the kernel's messages,
 * which go in between two lines of it. Data only; the port's driver guards a queue, moves it, and says what was lost.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Powers of two. Programs may fill a part of their ring only: the rest is for what the terminal echoes meanwhile. */
#define PORT_TEXT     8192
#define PORT_WRITES   4096
#define PORT_MESSAGES 16384

/* The positions of a ring only grow: the byte at one is bytes[position % size]. Guard: who has the queue. */
struct port_queue {
	uint64_t text_in, text_out;       /* positions where programs' next byte goes to, and comes from */
	uint64_t message_in, message_out; /* the same of the kernel's messages */
	/* position in the text behind which the first message that waits was said */
	uint64_t message_at;
	bool inside_line; /* the last byte of text that went out was no '\n' */
	bool stopped;     /* the text waits, until somebody lets it go on; messages do not */
	uint64_t lost;    /* lines that have been dropped and not told yet */
	char *text;       /* PORT_TEXT bytes. Fixed when the queue is made */
	char *messages;   /* PORT_MESSAGES bytes. Fixed when the queue is made */
};

/* Return how many bytes of programs' text wait, and how many more programs may add. */
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

/* Return whether there is something to send: anything but text that is stopped. */
static inline bool port_queue_sends(const struct port_queue *queue)
{
	return port_queue_has_messages(queue) || (port_queue_text(queue) && !queue->stopped);
}

/* Note that text has gone out without having waited. The queue is empty. */
static inline void port_queue_passed(struct port_queue *queue, char last)
{
	queue->inside_line = last != '\n';
}

/* Take the next byte to send, where port_queue_sends() says that there is one. */
char port_queue_take(struct port_queue *queue);

/* Add programs' text, or an echo. What the ring has no room for is dropped. */
void port_queue_add_text(struct port_queue *queue, const char *text, size_t size);

/*
 * Add a message, each '\n' as "\r\n". One that does not fit is dropped as a whole; the next that fits is led by a line
 * that says how many lines were.
 */
void port_queue_add_message(struct port_queue *queue, const char *text, size_t size);

/* Forget the text that waits; a message stays. */
void port_queue_drop_text(struct port_queue *queue);

/* Forget all that waits, and count its lines as lost. */
void port_queue_lose(struct port_queue *queue);

/* Return how many '\n' there are, or 1 for less than a line: what counts as lost with this text. */
uint64_t port_lines(const char *text, size_t size);

/* Write the line that says so, and forget that they were lost. Returns its length, 0 when none were. */
#define PORT_LOST_TEXT 64
size_t port_queue_tell_lost(struct port_queue *queue, char ret_text[PORT_LOST_TEXT]);
