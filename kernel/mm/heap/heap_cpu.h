/*
 * Each CPU's store of free blocks, in magazines (arrays of block pointers); the functions that return the store of the
 * running CPU; and the spin lock of the heap's slow paths. In host tests each thread counts as a CPU.
 */
#pragma once

#include "kernel/arch/percpu.h"
#include "paging/types.h"

#define HEAP_CLASSES 128 /* class 0 has no blocks; then come the classes of kmalloc's sizes, then those of caches */

/* The spare magazine, which waits beside the loaded one. */
struct heap_spare {
	uint32_t number; /* number of the magazine; 0: none */
	uint32_t count;  /* blocks in it: 0 (empty) or its capacity (full) */
};

/*
 * The loaded magazine, which blocks are taken from and put into. Both fields 0: no magazine is loaded, which looks like
 * one that is empty and full at once.
 */
struct heap_loaded {
	/* address of the magazine's last block pointer. Magazines are aligned to 512: top % 512 says how full it is */
	uintptr_t top;
	uintptr_t full; /* what `top` is when the magazine is full */
};

/*
 * A CPU's free blocks, by size class. Guard of all fields: between heap_cpu_enter and heap_cpu_leave on that CPU. Only
 * heap_trim_step() reaches other CPUs' free blocks, while no other CPU uses the heap.
 */
struct heap_cpu {
	struct heap_loaded loaded[HEAP_CLASSES];
	struct heap_spare spare[HEAP_CLASSES];
	/* The CPU's list of empty magazines: the number of the first, and how many there are. */
	uint32_t empty;
	uint32_t empty_count;
};

extern PER_CPU struct heap_cpu heap_this_cpu;

struct heap_lock {
	uint32_t held; /* atomic */
};

#ifdef HOST_TEST

/* A function of the host's C library (POSIX, sched_yield()), whose header is not for a freestanding file. */
int sched_yield(void);

typedef uint8_t heap_flags_t;

/* Return this CPU's free blocks. Until heap_cpu_leave nothing else on this CPU uses them. */
static inline struct heap_cpu *heap_cpu_enter(heap_flags_t *ret_flags)
{
	*ret_flags = 0;
	return per_cpu_pointer(heap_this_cpu);
}

static inline void heap_cpu_leave(heap_flags_t flags)
{
	(void)flags;
}

/* Let another thread run while waiting for a lock: the holder may not be running. */
static inline void heap_relax(void)
{
	sched_yield();
}

#else

#include "kernel/arch/cpu.h"
#include "kernel/sync/open_section.h"

typedef uint8_t heap_flags_t;

/*
 * Return this CPU's free blocks. Until heap_cpu_leave nothing else on this CPU uses them: the kernel is not preempted,
 * and neither interrupt handlers nor open sections call the heap.
 */
static inline struct heap_cpu *heap_cpu_enter(heap_flags_t *ret_flags)
{
	ASSERT_NO_INTERRUPT();
#if DEBUG
	ASSERT(!open_section_is_here());
#endif
	*ret_flags = 0;
	return per_cpu_pointer(heap_this_cpu);
}

static inline void heap_cpu_leave(heap_flags_t flags)
{
	(void)flags;
}

static inline void heap_relax(void)
{
	cpu_pause();
}

#endif

/* Take and release a lock. Call only between heap_cpu_enter and heap_cpu_leave. */
static inline void heap_lock(struct heap_lock *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
			heap_relax();
	}
}

static inline void heap_unlock(struct heap_lock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}
