/*
 * Sockets in flight that nobody can reach any more: a message passes a socket, and the queue with that message can
 * only be reached by way of the same socket, through any number of others. Such queues are emptied, which closes the
 * sockets.
 *
 * Suspects are sockets in flight whose files have no other references. Take away those references that come from
 * queues of suspects: a suspect that keeps one is passed by somebody who can be reached. So it can be reached, too, and
 * all that its own queue passes. The suspects that are left are garbage.
 */
#include "kernel/net/unix_internal.h"

#define VISITS 16 /* sockets in flight that may be visited for each call of unix_collect(), on average */

/* List of the sockets in flight, by in_flying. Guard: tasks only, which the kernel does not preempt. */
static struct link flying = { &flying, &flying };
static uint64_t flying_count; /* its length. Guard: tasks only, which the kernel does not preempt */
static uint64_t credit;       /* how many visits are paid for. Guard: tasks only, which the kernel does not preempt */

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

/* Call `see` with each suspect that can be reached through the socket: by its own queue, and those of its embryos. */
static void visit(const struct unix_socket *socket, void (*see)(struct unix_socket *suspect, struct link *work),
		  struct link *work)
{
	visit_queue(&socket->in, see, work);
	LIST_EACH(&socket->pending, struct unix_socket, in_pending, embryo)
		visit_queue(&embryo->in, see, work);
}

static void explain(struct unix_socket *suspect, struct link *work)
{
	(void)work;
	suspect->unexplained--;
}

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

/* Take off suspicion from all suspects that somebody can reach. */
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
