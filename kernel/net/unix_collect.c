/*
 * Finds sockets in flight (unix_internal.h) that nobody can reach any more: a message passes a socket, and receiving
 * that message needs the same socket, perhaps by way of other sockets. The files in their queues are dropped, which
 * closes the sockets.
 *
 * Suspects are the sockets in flight to whose files only messages have references. Of these references those from
 * messages in the queues of suspects are subtracted; the rest, `unexplained`, are from messages that somebody can
 * receive. So a suspect with a rest can be reached, and so can all that messages in its own queue pass. The suspects
 * that are left over are garbage.
 *
 * A search is late work, in steps between which programs go on. What is garbage stays so, since nobody has it. A
 * suspect that a program reaches during the search is sent or received, or a socket is accepted in whose queue it is:
 * these calls clear the suspect (touch(), unix_accepted()). A suspect that is never cleared has had the same references
 * in the same queues all the time, so that the sums are right although they were made bit by bit.
 */
#include "kernel/net/unix_internal.h"

/*
 * How many sockets in flight each call of unix_collect() pays for. A search visits all of them, and begins when the
 * calls since the last search have paid for as many: so the cost of a call is bounded on average.
 */
#define VISITS 16

#define STEP_VISITS 1024 /* sockets and passed files that a step looks at before it ends */
#define STEP_DROPS  32   /* messages whose files a step drops */

/* What a search does, in this order. EXPLAIN, REACH and DROP visit suspects only, which RAISE has found. */
enum phase {
	SEARCH_NONE,    /* there is no search */
	SEARCH_RAISE,   /* find the suspects */
	SEARCH_EXPLAIN, /* subtract the references from suspects' queues */
	SEARCH_REACH,   /* clear all suspects that somebody can reach */
	SEARCH_DROP     /* drop the files that messages pass in the queues of the suspects that are left */
};

/* Guard of all variables: tasks only, which the kernel does not preempt. */
static struct link flying = { &flying, &flying }; /* list of the sockets in flight, by in_flying */
static uint64_t flying_count;                     /* length of the list `flying` */
static uint64_t credit;                           /* visits that calls have paid for since the last search began */
static enum phase phase;
static struct link *next_visit = &flying; /* place in `flying` of the socket that the phase visits next */
/* how many sockets the phase still visits; sockets that begin to fly later are no suspects */
static uint64_t visits_left;
static uint64_t visited;                             /* sockets and files that the step has looked at */
static struct link reached = { &reached, &reached }; /* cleared sockets whose queues are to be visited, by in_work */
static struct late_work work;

/* ---- what programs do meanwhile ---- */

static void reach(struct unix_socket *socket)
{
	if (list_is_empty(&socket->in_work))
		list_add_last(&reached, &socket->in_work);
}

/*
 * Clear a suspect that somebody can reach, and note that the sockets that messages in its queue pass are reached, too.
 */
static void touch(struct unix_socket *socket)
{
	if (!socket->suspect || phase == SEARCH_DROP)
		return;
	socket->suspect = false;
	reach(socket);
}

void unix_touch(struct unix_socket *socket)
{
	if (socket)
		touch(socket);
}

void unix_accepted(struct unix_socket *embryo)
{
	if (phase != SEARCH_NONE && phase != SEARCH_DROP)
		reach(embryo);
}

void unix_fly(struct unix_socket *socket)
{
	if (!socket)
		return;
	touch(socket);
	if (socket->in_flight++)
		return;
	list_add_last(&flying, &socket->in_flying);
	flying_count++;
}

void unix_land(struct unix_socket *socket)
{
	if (!socket)
		return;
	touch(socket);
	if (--socket->in_flight)
		return;
	socket->suspect = false;
	if (next_visit == &socket->in_flying)
		next_visit = next_visit->next;
	list_remove(&socket->in_flying);
	flying_count--;
}

/* ---- the search ---- */

/* Call `see` with each suspect that a message in `queue` passes. */
static void visit_queue(const struct unix_queue *queue, void (*see)(struct unix_socket *suspect))
{
	LIST_EACH(&queue->passing, struct unix_segment, in_passing, segment) {
		for (unsigned i = 0; i < segment->passed->count; i++) {
			struct unix_socket *passed = unix_of(segment->passed->files[i]);

			visited++;
			if (passed && passed->suspect)
				see(passed);
		}
	}
}

/* Call `see` with each suspect that a message passes in the socket's queue, or in the queue of one of its embryos. */
static void visit(const struct unix_socket *socket, void (*see)(struct unix_socket *suspect))
{
	visit_queue(&socket->in, see);
	LIST_EACH(&socket->pending, struct unix_socket, in_pending, embryo) {
		visited++;
		visit_queue(&embryo->in, see);
	}
}

/* Subtract a reference to `suspect` that comes from a message in a suspect's queue. */
static void explain(struct unix_socket *suspect)
{
	suspect->unexplained--;
}

/* Drop files that messages in `queue` pass; *left: of how many messages at most. Returns whether none are left. */
static bool drop_from(struct unix_queue *queue, unsigned *left)
{
	for (; *left && !list_is_empty(&queue->passing); --*left)
		unix_queue_drop_files(list_item(queue->passing.next, struct unix_segment, in_passing));
	return list_is_empty(&queue->passing);
}

/*
 * Drop files that messages pass in the queues of a socket that is garbage, and of its embryos. Returns whether none are
 * left.
 */
static bool drop(struct unix_socket *socket)
{
	unsigned left = STEP_DROPS;
	bool done;

	(void)unix_get(socket);
	done = drop_from(&socket->in, &left);
	visited += STEP_VISITS / 4;
	LIST_EACH(&socket->pending, struct unix_socket, in_pending, embryo)
		done = done && drop_from(&embryo->in, &left);
	unix_put(socket);
	return done;
}

/* Do the phase's work on a socket in flight. Returns whether it is done; otherwise the next step visits it again. */
static bool visit_flying(struct unix_socket *socket)
{
	if (phase == SEARCH_RAISE) {
		socket->unexplained = socket->in_flight;
		socket->suspect = socket->socket.file->refs == socket->in_flight;
	} else if (!socket->suspect) {
		return true;
	} else if (phase == SEARCH_EXPLAIN) {
		visit(socket, explain);
	} else if (phase == SEARCH_REACH) {
		if (socket->unexplained)
			touch(socket);
	} else {
		return drop(socket);
	}
	return true;
}

/* Visit the queue of a socket that somebody can reach. Returns whether there was one to visit. */
static bool visit_reached(void)
{
	struct unix_socket *first;

	if (phase != SEARCH_REACH || list_is_empty(&reached))
		return false;
	first = list_item(reached.next, struct unix_socket, in_work);
	list_remove(&first->in_work);
	visit(first, touch);
	return true;
}

static void begin(enum phase next)
{
	phase = next;
	next_visit = flying.next;
	visits_left = flying_count;
}

static bool step(struct late_work *unused)
{
	(void)unused;
	for (visited = 0; visited < STEP_VISITS; visited++) {
		struct link *at = next_visit;

		if (visit_reached())
			continue;
		if (!visits_left || at == &flying) {
			begin(phase == SEARCH_DROP ? SEARCH_NONE : phase + 1);
			if (phase == SEARCH_NONE)
				return true;
			continue;
		}
		if (!visit_flying(list_item(at, struct unix_socket, in_flying)))
			continue;
		visits_left--;
		/* The visit may have taken the socket out of the list, and then has moved next_visit on. */
		if (next_visit == at)
			next_visit = at->next;
	}
	return false;
}

void unix_collect(void)
{
	credit += VISITS;
	if (phase != SEARCH_NONE || !flying_count || credit < flying_count)
		return;
	credit = 0;
	begin(SEARCH_RAISE);
	work.step = step;
	late_work_add(&work);
}
