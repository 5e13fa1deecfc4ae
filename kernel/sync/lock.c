/*
 * Records which locks each CPU holds, in the order of taking, which is the order of ranks. For the debug build and the
 * host's tests only; the release build has none of this.
 */
#include "kernel/sync/lock.h"

#if LOCK_CHECKED

#include "kernel/arch/percpu.h"
#include "kernel/lib/panic.h"

struct held {
	const struct lock *lock;
	const char *place; /* file and line that took the lock */
};

/* The locks that a CPU holds: at most one of each rank. Guard: used by its own CPU only, with interrupts off. */
static PER_CPU struct held_locks {
	struct held held[LOCK_RANKS];
	unsigned count;
} held_locks;

static bool stopped; /* set once, by a panic. Atomic */

static bool is_stopped(void)
{
	return __atomic_load_n(&stopped, __ATOMIC_RELAXED);
}

void lock_stop_checks(void)
{
	__atomic_store_n(&stopped, true, __ATOMIC_RELAXED);
}

void lock_check_off(const char *place)
{
	if (irq_is_open() && !is_stopped())
		panic("%s: interrupts are on", place);
}

void lock_note_taken(const struct lock *lock, const char *place)
{
	struct held_locks *all = per_cpu_pointer(held_locks);
	const struct held *last = all->count ? &all->held[all->count - 1] : NULL;

	if (is_stopped())
		return;
	if (lock->rank == LOCK_UNRANKED)
		panic("%s takes a lock that was never initialised", place);
	if (last && last->lock->rank >= lock->rank)
		panic("%s takes %s, but %s was taken at %s", place, lock->name, last->lock->name, last->place);
	all->held[all->count++] = (struct held){ lock, place };
}

void lock_note_released(const struct lock *lock)
{
	struct held_locks *all = per_cpu_pointer(held_locks);
	unsigned at = all->count;

	if (is_stopped())
		return;
	while (at && all->held[at - 1].lock != lock)
		at--;
	if (!at)
		panic("%s is released by a CPU that does not hold it", lock->name);
	all->count--;
	for (at--; at < all->count; at++)
		all->held[at] = all->held[at + 1];
}

void lock_check_held(const struct lock *lock, const char *place)
{
	const struct held_locks *all = per_cpu_pointer(held_locks);

	for (unsigned i = 0; i < all->count; i++)
		if (all->held[i].lock == lock)
			return;
	if (!is_stopped())
		panic("%s wants %s held", place, lock->name);
}

void lock_check_none(const char *what)
{
	const struct held_locks *all = per_cpu_pointer(held_locks);

	if (all->count && !is_stopped())
		panic("%s while %s is held, taken at %s", what, all->held[all->count - 1].lock->name,
		      all->held[all->count - 1].place);
}

void lock_check_only(const struct lock *lock, const char *what)
{
	const struct held_locks *all = per_cpu_pointer(held_locks);

	if (is_stopped())
		return;
	if (!all->count)
		panic("%s without %s", what, lock->name);
	if (all->count > 1 || all->held[0].lock != lock)
		panic("%s while %s is held, taken at %s", what, all->held[0].lock->name, all->held[0].place);
}

#endif
