/*
 * Finds sockets in flight (unix_internal.h) that nobody can reach any more: a message passes a socket, and whoever
 * would receive that message needs the same socket, through any number of others. The messages in their queues are
 * dropped, which closes the sockets.
 *
 * Suspects are the sockets in flight to whose files only messages have references. Of these references those from
 * messages in the queues of suspects are subtracted; the rest, `unexplained`, are from messages that somebody can
 * receive. So a suspect with a rest can be reached, and so can all that messages in its own queue pass. The suspects
 * that are left over are garbage.
 */
#include "kernel/net/unix_internal.h"

/*
 * How many sockets in flight each call of unix_collect() pays for. A search visits all of them, and is made when the
 * calls since the last search have paid for as many: so the cost of a call is bounded on average.
 */
#define VISITS 16

/* List of the sockets in flight, by in_flying. Guard: tasks only, which the kernel does not preempt. */
static struct link flying = { &flying, &flying };
static uint64_t flying_count; /* its length. Guard: tasks only, which the kernel does not preempt */
static uint64_t credit; /* the visits paid for since a search. Guard: tasks only, which the kernel does not preempt */

void unix_fly(struct unix_socket *socket)
{
	if (!socket || socket->in_flight++)
		return;
	list_add_last(&flying, &socket->in_flying);
	flying_count++;
}

void unix_land(struct unix_socket *socket)
{
	if (!socket || --socket->in_flight)
		return;
	list_remove(&socket->in_flying);
	flying_count--;
}

/* Call `see` with each suspect that a message in `queue` passes. */
static void visit_queue(const struct unix_queue *queue, void (*see)(struct unix_socket *suspect, struct link *work),
			struct link *work)
{
	LIST_EACH(&queue->passing, struct unix_segment, in_passing, segment) {
		for (unsigned i = 0; i < segment->passed->count; i++) {
			struct unix_socket *passed = unix_of(segment->passed->files[i]);

			if (passed && passed->suspect)
				see(passed, work);
		}
	}
}

/* Call `see` with each suspect that a message passes in the socket's queue, or in the queue of one of its embryos. */
static void visit(const struct unix_socket *socket, void (*see)(struct unix_socket *suspect, struct link *work),
		  struct link *work)
{
	visit_queue(&socket->in, see, work);
	LIST_EACH(&socket->pending, struct unix_socket, in_pending, embryo)
		visit_queue(&embryo->in, see, work);
}

/* Subtract a reference to `suspect` that comes from a message in a suspect's queue. */
static void explain(struct unix_socket *suspect, struct link *work)
{
	(void)work;
	suspect->unexplained--;
}

/* Take a socket off the suspects, and add it to `work`: what its queue passes is reached, too. */
static void clear(struct unix_socket *suspect, struct link *work)
{
	suspect->suspect = false;
	list_add_last(work, &suspect->in_work);
}

static void find_suspects(void)
{
	LIST_EACH(&flying, struct unix_socket, in_flying, socket) {
		socket->unexplained = socket->in_flight;
		socket->suspect = socket->socket.file->refs == socket->in_flight;
	}
	LIST_EACH(&flying, struct unix_socket, in_flying, socket)
		if (socket->suspect)
			visit(socket, explain, NULL);
}

/* Clear all suspects that somebody can reach. */
static void clear_reached(void)
{
	struct link work;

	list_init(&work);
	LIST_EACH(&flying, struct unix_socket, in_flying, socket)
		if (socket->suspect && socket->unexplained)
			clear(socket, &work);
	while (!list_is_empty(&work)) {
		struct unix_socket *reached = list_item(work.next, struct unix_socket, in_work);

		list_remove(&reached->in_work);
		visit(reached, clear, &work);
	}
}

/* Drop all messages in the queues of a socket and of its embryos. */
static void empty(struct unix_socket *socket)
{
	unix_queue_free(&socket->in);
	LIST_EACH(&socket->pending, struct unix_socket, in_pending, embryo)
		unix_queue_free(&embryo->in);
}

void unix_collect(void)
{
	struct link garbage;

	credit += VISITS;
	if (!flying_count || credit < flying_count)
		return;
	credit = 0;
	find_suspects();
	clear_reached();
	list_init(&garbage);
	LIST_EACH(&flying, struct unix_socket, in_flying, socket)
		if (socket->suspect) {
			(void)unix_get(socket);
			list_add_last(&garbage, &socket->in_work);
		}
	while (!list_is_empty(&garbage)) {
		struct unix_socket *socket = list_item(garbage.next, struct unix_socket, in_work);

		list_remove(&socket->in_work);
		empty(socket);
		unix_put(socket);
	}
}
