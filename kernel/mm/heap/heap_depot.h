/*
 * Lock-free stacks of full magazines, private to heap_magazine.c: the depots of the classes. The word of a stack has
 * the number of the top magazine, and above bit 32 a count of the changes, which makes an exchange fail when the same
 * magazine has been popped and pushed meanwhile (ABA).
 */
#pragma once

#include "kernel/mm/heap/heap_data.h"

static inline void stack_push(uint64_t *stack, uint32_t number)
{
	struct magazine_link *link = &heap.links[number];
	uint64_t old = __atomic_load_n(stack, __ATOMIC_ACQUIRE);
	uint64_t new;

	do {
		uint32_t below = (uint32_t)old;
		uint32_t depth = below ? __atomic_load_n(&heap.links[below].depth, __ATOMIC_RELAXED) : 0;

		__atomic_store_n(&link->next, below, __ATOMIC_RELAXED);
		__atomic_store_n(&link->depth, depth + 1, __ATOMIC_RELAXED);
		new = ((old >> 32) + 1) << 32 | number;
	} while (!__atomic_compare_exchange_n(stack, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

/* Take the top magazine off a stack; returns its number, or 0 when the stack is empty. */
static inline uint32_t stack_pop(uint64_t *stack)
{
	uint64_t old = __atomic_load_n(stack, __ATOMIC_ACQUIRE);
	uint64_t new;

	do {
		if ((uint32_t)old == 0)
			return 0;
		new = ((old >> 32) + 1) << 32 | __atomic_load_n(&heap.links[(uint32_t)old].next, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(stack, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return (uint32_t)old;
}

static inline uint32_t stack_depth(uint64_t *stack)
{
	uint32_t top = (uint32_t)__atomic_load_n(stack, __ATOMIC_ACQUIRE);

	return top ? __atomic_load_n(&heap.links[top].depth, __ATOMIC_RELAXED) : 0;
}
