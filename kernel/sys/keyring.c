/*
 * Links keys to keyrings, and searches them. A search goes through keyrings breadth first, and comes to each of them
 * once, so that many links to the same keyrings cost no time. Guard of all: tasks only, which the kernel does not
 * preempt.
 */
#include "kernel/sys/keyring.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"

#define LINKS_MOST  16384
#define LINKS_FIRST 4
#define DEPTH_MOST  6
#define EXPIRED_NS  (300 * NS_PER_S) /* links to keys that expired longer ago are dropped, as on Linux */

static uint64_t searches; /* the number of the latest search */

static bool is_alike(const struct key *key, const struct key_type *type, const char *description)
{
	return key->type == type && strcmp(key->description, description) == 0;
}

struct key *keyring_find(const struct key *ring, const struct key_type *type, const char *description)
{
	for (uint32_t i = 0; i < ring->link_count; i++)
		if (ring->links[i]->state != KEY_INVALID && is_alike(ring->links[i], type, description))
			return ring->links[i];
	return NULL;
}

static void remove_at(struct key *ring, uint32_t index)
{
	struct key *key = ring->links[index];

	ring->link_count--;
	memmove(&ring->links[index], &ring->links[index + 1], (ring->link_count - index) * sizeof(ring->links[0]));
	key_put(key);
}

void keyring_tidy(struct key *ring)
{
	const uint64_t now = clock_monotonic_ns();
	uint32_t kept = 0;

	for (uint32_t i = 0; i < ring->link_count; i++) {
		struct key *key = ring->links[i];

		if (key->state == KEY_INVALID || time_add(key->expires, EXPIRED_NS) <= now)
			key_put(key);
		else
			ring->links[kept++] = key;
	}
	ring->link_count = kept;
}

/* ---- searching ---- */

/* The keyrings that a search still has to look at, linked by next_searched. */
struct queue {
	struct key *first, **end;
};

static void begin(struct queue *queue)
{
	searches++;
	queue->first = NULL;
	queue->end = &queue->first;
}

static void add(struct queue *queue, struct key *ring, unsigned depth)
{
	if (ring->search == searches || depth > DEPTH_MOST)
		return;
	ring->search = searches;
	ring->depth = depth;
	ring->next_searched = NULL;
	*queue->end = ring;
	queue->end = &ring->next_searched;
}

static struct key *take(struct queue *queue)
{
	struct key *ring = queue->first;

	if (ring && !(queue->first = ring->next_searched))
		queue->end = &queue->first;
	return ring;
}

static bool is_wanted(const struct key *key, const struct key_search *search)
{
	return search->key ? key == search->key : is_alike(key, search->type, search->description);
}

/*
 * Return whether a key that is_wanted() can be used, and found by the caller. If not, *ret_error is set to the reason.
 */
static bool is_found(struct key *key, const struct key_search *search, int *ret_error)
{
	const int error = search->key ? 0 : key_check(key);

	if (error && key->state != KEY_INVALID)
		*ret_error = error;
	if (!error && search->permits(key))
		return true;
	if (!error)
		*ret_error = -EACCES;
	return false;
}

struct key *keyring_search(struct key *ring, const struct key_search *search, int *ret_error)
{
	struct queue queue;

	*ret_error = -EAGAIN;
	if (!search->permits(ring)) {
		*ret_error = -EACCES;
		return NULL;
	}
	begin(&queue);
	if (is_wanted(ring, search) && is_found(ring, search, ret_error))
		return ring;
	add(&queue, ring, 0);
	while ((ring = take(&queue)))
		for (uint32_t i = 0; i < ring->link_count; i++) {
			struct key *key = ring->links[i];

			if (is_wanted(key, search) && is_found(key, search, ret_error))
				return key;
			/*
			 * Test first what costs least, as there may be very many links to keyrings that the search has
			 * reached already.
			 */
			if (key_is_ring(key) && key->search != searches && key_check(key) == 0 && search->permits(key))
				add(&queue, key, ring->depth + 1);
		}
	return NULL;
}

/* ---- links ---- */

/* Return whether the keyring `to` is `from`, or can be reached from there, however deep. */
static bool reaches(struct key *from, const struct key *to)
{
	struct queue queue;
	struct key *ring;

	begin(&queue);
	add(&queue, from, 0);
	while ((ring = take(&queue))) {
		if (ring == to)
			return true;
		for (uint32_t i = 0; i < ring->link_count; i++)
			if (key_is_ring(ring->links[i]))
				add(&queue, ring->links[i], 0);
	}
	return false;
}

/* Make room for one more link. Returns 0, -ENFILE, -ENOMEM. */
static int grow(struct key *ring)
{
	uint32_t room = ring->link_room ? 2 * ring->link_room : LINKS_FIRST;
	struct key **links;

	if (ring->link_count < ring->link_room)
		return 0;
	if (room > LINKS_MOST)
		return -ENFILE;
	links = krealloc(ring->links, room * sizeof(*links));
	if (!links)
		return -ENOMEM;
	ring->links = links;
	ring->link_room = room;
	return 0;
}

int keyring_link(struct key *ring, struct key *key)
{
	int error;

	if (!key_is_ring(ring))
		return -ENOTDIR;
	if (key_is_ring(key) && reaches(key, ring))
		return -EDEADLK;
	keyring_tidy(ring);
	for (uint32_t i = 0; i < ring->link_count; i++)
		if (is_alike(ring->links[i], key->type, key->description)) {
			struct key *old = ring->links[i];

			ring->links[i] = key_get(key);
			key_put(old);
			return 0;
		}
	error = grow(ring);
	if (!error)
		ring->links[ring->link_count++] = key_get(key);
	return error;
}

int keyring_unlink(struct key *ring, struct key *key)
{
	if (!key_is_ring(ring))
		return -ENOTDIR;
	for (uint32_t i = 0; i < ring->link_count; i++)
		if (ring->links[i] == key) {
			remove_at(ring, i);
			return 0;
		}
	return -ENOENT;
}
