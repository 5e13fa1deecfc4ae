/*
 * The sanitised memory map: sorted, merged, without overlaps, page-aligned.
 * Built by the loader from the firmware's map, and read by the kernel.
 * Defines the types of memory and how overlaps are resolved; knows nothing of UEFI.
 */
#pragma once

#include "paging/types.h"

/*
 * What a range of physical memory is. Where two ranges passed to memmap_add() overlap, the higher number wins: the
 * firmware's types come first, from the freely usable to the untouchable, then AnkeOS's own, which are exact.
 */
enum mem_type {
	MEM_NONE,          /* memory that no entry of a map describes; never stored in a map */
	MEM_USABLE,        /* free RAM */
	MEM_BOOT_SERVICES, /* RAM of the firmware's boot services: free when nothing in use points there any more */
	MEM_LOADER,        /* RAM of the loader (boot_info, maps): free when the kernel does not need it any more */
	MEM_LOW,           /* RAM below 1 MiB, kept back: firmware writes there, and other CPUs start there */
	MEM_ACPI_RECLAIM,  /* RAM with ACPI tables: free once they have been read */
	MEM_ACPI_NVS,      /* RAM that the firmware keeps to itself */
	MEM_RUNTIME_DATA,  /* RAM with the data of UEFI runtime services */
	MEM_RUNTIME_CODE,  /* RAM with the code of UEFI runtime services */
	MEM_MMIO,          /* device memory that the firmware's map names */
	MEM_RESERVED,      /* not for the kernel's use; never in the direct map */
	MEM_FRAMEBUFFER,   /* the framebuffer, whether the firmware's map names it or not */
	MEM_INITRD,        /* RAM: the initial file system, used in place */
	MEM_TABLES,        /* RAM: page tables that the kernel takes over */
	MEM_IMAGE,         /* RAM: the kernel image */
	MEM_TYPES,
};

/* [start, end) in bytes, both page-aligned. */
struct mem_range {
	uint64_t start;
	uint64_t end;
	uint64_t type; /* enum mem_type */
};

/* A map, and the capacity of its array. Guard: its maker, who alone changes it. */
struct memmap {
	struct mem_range *ranges; /* sorted by start, no overlap, neighbours of one type merged */
	size_t count;
	size_t capacity;
};

/* The types that are RAM, as a mask: bit 1 << type. */
#define MEM_RAM_TYPES                                                                                                 \
	(1u << MEM_USABLE | 1u << MEM_BOOT_SERVICES | 1u << MEM_LOADER | 1u << MEM_LOW | 1u << MEM_ACPI_RECLAIM |     \
	 1u << MEM_ACPI_NVS | 1u << MEM_RUNTIME_DATA | 1u << MEM_RUNTIME_CODE | 1u << MEM_INITRD | 1u << MEM_TABLES | \
	 1u << MEM_IMAGE)

/* Return whether the type is RAM, so that the direct map covers it. */
static inline bool mem_type_is_ram(enum mem_type type)
{
	return (unsigned)type < MEM_TYPES && (MEM_RAM_TYPES >> type & 1);
}

/* Return the type's name: "usable", "boot services", …; "?" for a number that is no type. */
const char *mem_type_name(enum mem_type type);

/*
 * Record that [start, end) is of `type` (a claim, in memmap.c's words); where ranges overlap the higher type wins.
 * Calls in ascending order are the fastest: each of them touches the last range only. Any other call takes time linear
 * in the number of ranges after `start`.
 * Returns ERR_RANGE (start or end unaligned, start >= end, no such type), ERR_NO_MEMORY (the map that would result has
 * more than `capacity` ranges); on error the map has not changed.
 */
MUST_CHECK enum status memmap_add(struct memmap *map, uint64_t start, uint64_t end, enum mem_type type);

/* Return the range that holds `pa`, or NULL. */
const struct mem_range *memmap_find(const struct memmap *map, paddr_t pa);

/*
 * Check that the map is sorted and aligned, and has no empty range, overlap or unknown type.
 * Returns ERR_FORMAT if not; *ret_bad is then the first bad index.
 */
MUST_CHECK enum status memmap_check(const struct memmap *map, size_t *ret_bad);

/* Return how many bytes all ranges of one type have. */
uint64_t memmap_bytes(const struct memmap *map, enum mem_type type);
