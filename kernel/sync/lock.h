/*
 * The one kind of lock. Whoever holds one has interrupts off and neither sleeps nor touches user memory; what he may take
 * beside it is the order of lock_rank.h. On one CPU a lock is the interrupt flag and costs what turning it off and on does.
 *
 * The debug build and the host's tests keep who holds what (lock.c): a lock that is taken twice or against the order is a
 * panic that names both places. On the host there are no interrupts, and a thread is a CPU.
 *
 * What belongs to one CPU and is shared with its own interrupt handlers alone needs no lock: kernel/arch/irq_guard.h.
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
	const char *name;    /* its rank's, as the source writes it; fixed after its initialisation */
#endif
};

#if LOCK_CHECKED

/* A new lock's value: static struct lock x_lock = LOCK_INITIAL(LOCK_X); or object->lock = (struct lock)LOCK_INITIAL(LOCK_X). */
#define LOCK_INITIAL(of_rank)                       \
	{                                           \
		.rank = (of_rank), .name = #of_rank \
	}

/* Write down that this CPU holds it from now on, or no longer; interrupts are off. Panics, with `place`, when it may not. */
void lock_note_taken(const struct lock *lock, const char *place);
void lock_note_released(const struct lock *lock);

/* Panic unless this CPU holds `lock`; unless it holds none, or `lock` alone, when `what` happens; unless interrupts are off. */
void lock_check_held(const struct lock *lock, const char *place);
void lock_check_none(const char *what);
void lock_check_only(const struct lock *lock, const char *what);
void lock_check_off(const char *place);

/* A panic is shown: whatever is held, and wherever it came from, must not stop that. */
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

/* Give the lock another place in the order of lock_rank.h. Nobody may hold it. */
static inline void lock_set_rank(struct lock *lock, enum lock_rank rank)
{
#if LOCK_CHECKED
	lock->rank = rank;
#else
	(void)lock;
	(void)rank;
#endif
}

#define LOCK_TEXT_OF(line) #line
#define LOCK_TEXT(line)    LOCK_TEXT_OF(line)
#define LOCK_HERE          (__FILE__ ":" LOCK_TEXT(__LINE__))

/* Panic in a checked build unless the caller holds `lock`. */
#define lock_assert_held(lock) lock_check_held((lock), LOCK_HERE)

/* Interrupts as they may be: lock_release gets what lock_take returned, and leaves them so. */
#define lock_take(lock) lock_take_at((lock), LOCK_HERE)

__attribute__((always_inline)) static inline uint64_t lock_take_at(struct lock *lock, const char *place)
{
	uint64_t flags = irq_guard_enter();

	lock_note_taken(lock, place);
	return flags;
}

static inline void lock_release(struct lock *lock, uint64_t flags)
{
	lock_note_released(lock);
	irq_guard_leave(flags);
}

/* Interrupts are on before lock_take_on, and after lock_release_on. */
#define lock_take_on(lock) lock_take_on_at((lock), LOCK_HERE)

__attribute__((always_inline)) static inline void lock_take_on_at(struct lock *lock, const char *place)
{
	irq_close();
	lock_note_taken(lock, place);
}

static inline void lock_release_on(struct lock *lock)
{
	lock_note_released(lock);
	irq_open();
}

/* Interrupts are off before lock_take_off, and after lock_release_off. */
#define lock_take_off(lock) lock_take_off_at((lock), LOCK_HERE)

__attribute__((always_inline)) static inline void lock_take_off_at(struct lock *lock, const char *place)
{
	lock_check_off(place);
	lock_note_taken(lock, place);
}

static inline void lock_release_off(struct lock *lock)
{
	lock_note_released(lock);
}
