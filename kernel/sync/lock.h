/*
 * Locks for data that tasks share with interrupt handlers. Whoever holds one has interrupts off, neither sleeps nor
 * touches user memory, and takes further locks only in the order of lock_rank.h. Only the CPU that has the kernel lock
 * (kernel_lock.h) takes such locks, so taking one does no more than turn interrupts off. (The heap and the frame
 * allocator work without the kernel lock, too: they have spin locks of their own.)
 *
 * The debug build and the host's tests record who holds which lock (lock.c): taking one twice or against the order
 * panics with the names of both places. On the host there are no interrupts, and each thread counts as a CPU.
 *
 * Data that one CPU shares with its own interrupt handlers alone needs no lock: see kernel/arch/irq_guard.h.
 */
#pragma once

#include "kernel/arch/irq_guard.h"
#include "kernel/sync/lock_rank.h"

#if DEBUG || defined(HOST_TEST)
#define LOCK_CHECKED 1
#else
#define LOCK_CHECKED 0
#endif

struct lock {
#if LOCK_CHECKED
	enum lock_rank rank; /* changes only while nobody holds the lock (lock_set_rank) */
	const char *name;    /* name of the rank that the lock was initialised with: "LOCK_LOG"; fixed after that */
#endif
};

#if LOCK_CHECKED

/*
 * Initialise a lock: static struct lock x_lock = LOCK_INITIAL(LOCK_X); or object->lock = (struct
 * lock)LOCK_INITIAL(LOCK_X).
 */
#define LOCK_INITIAL(of_rank)                       \
	{                                           \
		.rank = (of_rank), .name = #of_rank \
	}

/*
 * Record that this CPU holds `lock` from now on (_taken), or no longer (_released). Call with interrupts off.
 * lock_note_taken() panics when the order of ranks forbids taking the lock, lock_note_released() when this CPU does not
 * hold the lock. `place`: file and line that take the lock, for the message.
 */
void lock_note_taken(const struct lock *lock, const char *place);
void lock_note_released(const struct lock *lock);

/* Panic unless this CPU holds `lock`. `place`: file and line of the code that needs the lock. */
void lock_check_held(const struct lock *lock, const char *place);
/*
 * Panic unless this CPU holds no lock (_none), or `lock` and no other (_only). `what`: what is about to happen, for the
 * panic's message.
 */
void lock_check_none(const char *what);
void lock_check_only(const struct lock *lock, const char *what);
/* Panic unless interrupts are off. */
void lock_check_off(const char *place);

/* End all checks, for a panic: its message must be printed whatever locks are held. */
void lock_stop_checks(void);

#else

#define LOCK_INITIAL(of_rank) \
	{                     \
	}

static inline void lock_note_taken(const struct lock *lock, const char *place)
{
	(void)lock;
	(void)place;
}

static inline void lock_note_released(const struct lock *lock)
{
	(void)lock;
}

static inline void lock_check_held(const struct lock *lock, const char *place)
{
	(void)lock;
	(void)place;
}

static inline void lock_check_none(const char *what)
{
	(void)what;
}

static inline void lock_check_only(const struct lock *lock, const char *what)
{
	(void)lock;
	(void)what;
}

static inline void lock_check_off(const char *place)
{
	(void)place;
}

static inline void lock_stop_checks(void)
{
}

#endif

/* Give the lock another rank, that is another place in the order of lock_rank.h. Call while nobody holds it. */
static inline void lock_set_rank(struct lock *lock, enum lock_rank rank)
{
#if LOCK_CHECKED
	lock->rank = rank;
#else
	(void)lock;
	(void)rank;
#endif
}

/* Panic unless this CPU holds `lock`; checked in the debug build and on the host only. */
#define lock_assert_held(lock) lock_check_held((lock), IRQ_HERE)

/*
 * Take a lock whether interrupts are on or off. Returns a value for lock_release(), which turns interrupts on again if
 * they were on.
 */
#define lock_take(lock) lock_take_at((lock), IRQ_HERE)

__attribute__((always_inline)) static inline uint64_t lock_take_at(struct lock *lock, const char *place)
{
	uint64_t flags = irq_guard_enter_at(place);

	lock_note_taken(lock, place);
	return flags;
}

static inline void lock_release(struct lock *lock, uint64_t flags)
{
	lock_note_released(lock);
	irq_guard_leave(flags);
}

/* Take a lock where interrupts are known to be on. lock_release_on() turns them on again. Cheaper than lock_take(). */
#define lock_take_on(lock) lock_take_on_at((lock), IRQ_HERE)

__attribute__((always_inline)) static inline void lock_take_on_at(struct lock *lock, const char *place)
{
	irq_close_at(place);
	lock_note_taken(lock, place);
}

static inline void lock_release_on(struct lock *lock)
{
	lock_note_released(lock);
	irq_open();
}

/* Take a lock where interrupts are known to be off. lock_release_off() leaves them off. Cheaper than lock_take(). */
#define lock_take_off(lock) lock_take_off_at((lock), IRQ_HERE)

__attribute__((always_inline)) static inline void lock_take_off_at(struct lock *lock, const char *place)
{
	lock_check_off(place);
	lock_note_taken(lock, place);
}

static inline void lock_release_off(struct lock *lock)
{
	lock_note_released(lock);
}
