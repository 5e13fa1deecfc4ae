/*
 * Physical addresses, virtual addresses, status codes: the types that every part of the project shares.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A physical address in bytes. The type is a struct so that an address cannot be dereferenced or added to by mistake.
 */
typedef struct {
	uint64_t raw;
} paddr_t;

/* A canonical virtual address in bytes. It is no pointer, since the page tables that map it need not be loaded. */
typedef uint64_t vaddr_t;

#define PAGE_SHIFT   12
#define PAGE_SIZE    (1ULL << PAGE_SHIFT)
#define PAGE_SIZE_2M (1ULL << 21)
#define PAGE_SIZE_1G (1ULL << 30)

#define MUST_CHECK __attribute__((warn_unused_result))

/* Every way in which a call can fail. OK is 0. */
enum status {
	OK,
	ERR_RANGE,     /* an address or a size is unaligned, wraps, or leaves the range allowed */
	ERR_EXISTS,    /* the address, name or place asked for is taken already */
	ERR_NOT_FOUND, /* what was asked for does not exist */
	ERR_NO_MEMORY, /* no frame or address range is free, a table is full, or a limit is reached */
	ERR_RIGHTS,    /* what was asked for is not allowed, such as memory writable and executable at once */
	ERR_FORMAT,    /* data from outside does not have the form it claims */
	ERR_FAULT,     /* a user program's pointer leads to memory that the program does not have */
};

static inline paddr_t paddr(uint64_t raw)
{
	return (paddr_t){ raw };
}

static inline paddr_t paddr_add(paddr_t pa, uint64_t bytes)
{
	return (paddr_t){ pa.raw + bytes };
}

static inline uint64_t align_down(uint64_t value, uint64_t power_of_two)
{
	return value & ~(power_of_two - 1);
}

/* Round up to a multiple. Wraps to 0 when `value` is within `power_of_two` of 2^64. */
static inline uint64_t align_up(uint64_t value, uint64_t power_of_two)
{
	return (value + power_of_two - 1) & ~(power_of_two - 1);
}

static inline bool is_aligned(uint64_t value, uint64_t power_of_two)
{
	return (value & (power_of_two - 1)) == 0;
}

static inline bool is_canonical(vaddr_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}
