/*
 * Decides whether the next byte is taken from the ring of text or from the ring of messages. A message is sent after
 * the text that was written before it, and then at the next end of a line, so that it does not split a line. If the
 * text ends without '\n', as a prompt does, the message is sent at once.
 */
#include "kernel/dev/port_queue.h"

#include "kernel/lib/format.h"

/*
 * Return whether the next byte is taken from the messages: either the text before them is sent, or no text can be sent.
 */
static bool is_messages_turn(const struct port_queue *queue)
{
	if (!port_queue_has_messages(queue))
		return false;
	if (!port_queue_text(queue) || queue->stopped)
		return true;
	return queue->text_out >= queue->message_at && !queue->inside_line;
}

/*
 * Take the text's next byte, and overwrite it in the ring, so that no copy of a program's text stays in kernel memory.
 */
static char take_text(struct port_queue *queue)
{
	char *place = &queue->text[queue->text_out++ % PORT_TEXT], byte = *place;

	*place = 0;
	return byte;
}

char port_queue_take(struct port_queue *queue)
{
	char byte;

	if (is_messages_turn(queue)) {
		/*
		 * The message has begun: clear inside_line, so that is_messages_turn() chooses the message's other
		 * bytes next, even if text is added before they are taken.
		 */
		queue->inside_line = false;
		return queue->messages[queue->message_out++ % PORT_MESSAGES];
	}
	byte = take_text(queue);
	port_queue_passed(queue, byte);
	return byte;
}

uint64_t port_lines(const char *text, size_t size)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines ? lines : size > 0;
}

void port_queue_add_text(struct port_queue *queue, const char *text, size_t size)
{
	for (size_t i = 0; i < size && port_queue_text(queue) < PORT_TEXT; i++)
		queue->text[queue->text_in++ % PORT_TEXT] = text[i];
}

/* Add a message, with "\r\n" for '\n'. The caller has checked that it fits. */
static void put_message(struct port_queue *queue, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			queue->messages[queue->message_in++ % PORT_MESSAGES] = '\r';
		queue->messages[queue->message_in++ % PORT_MESSAGES] = text[i];
	}
}

void port_queue_add_message(struct port_queue *queue, const char *text, size_t size)
{
	uint64_t used = queue->message_in - queue->message_out;
	size_t needed = size + port_lines(text, size) + (queue->lost ? PORT_LOST_TEXT : 0);
	char lost[PORT_LOST_TEXT];

	if (needed > PORT_MESSAGES - used) {
		queue->lost += port_lines(text, size);
		return;
	}
	if (!used)
		queue->message_at = queue->text_in;
	put_message(queue, lost, port_queue_tell_lost(queue, lost));
	put_message(queue, text, size);
}

void port_queue_drop_text(struct port_queue *queue)
{
	while (port_queue_text(queue))
		(void)take_text(queue);
}

void port_queue_lose(struct port_queue *queue)
{
	while (port_queue_text(queue))
		queue->lost += take_text(queue) == '\n';
	while (port_queue_has_messages(queue))
		queue->lost += queue->messages[queue->message_out++ % PORT_MESSAGES] == '\n';
	queue->lost += queue->inside_line;
	queue->inside_line = false;
}

size_t port_queue_tell_lost(struct port_queue *queue, char ret_text[PORT_LOST_TEXT])
{
	size_t size;

	if (!queue->lost)
		return 0;
	size = format_s(ret_text, PORT_LOST_TEXT, "(%llu lines left out: the port took nothing)\n",
			(unsigned long long)queue->lost);
	queue->lost = 0;
	return size;
}
