/*
 * User memory: the lower half of a process's address space. Areas (area.h) say what the process may touch; page tables
 * and frames are allocated at the first touch. Pages are copy-on-write after a fork and in private mappings of objects;
 * an anonymous area that is large and aligned gets 2 MiB frames.
 *
 * A call that returns an error has changed nothing, unless its comment says otherwise. Calls that need frames or tables
 * enter and leave the kernel context themselves, most of them once; those that only change areas never write CR3.
 *
 * Two departures from Linux: memory with the rights to write and to execute has one of them at a time, page by page,
 * and faults exchange them; a read of untouched anonymous memory gets a frame at once, as the write after it would.
 *
 * Guard of spaces and areas: tasks only, which the kernel does not preempt. A space's only user may also work on it in
 * open sections (user_open.h); other code that reaches the space takes a reference to it, or closes open sections, but
 * may read its counts without either.
 */
#pragma once

#include "kernel/mm/space/context.h"
#include "kernel/mm/user/area.h"
#include "kernel/mm/user/user_limits.h"
#include "kernel/sync/wait_queue.h"

#define USER_MIN       0x10000ULL            /* no area lies below: vm.mmap_min_addr */
#define USER_END       0x00007ffffffff000ULL /* the last page stays out: SYSRET to its end would fault in the kernel */
#define USER_GUARD_GAP (256 * PAGE_SIZE)     /* a stack keeps this distance from what lies below it; Linux's 1 MiB */
#define USER_AREAS_MAX 65530                 /* most areas of one space: vm.max_map_count */

/* Without ASLR, mappings without a fixed place lie below this address, and the stack above it, in the same GiB. */
#define USER_MMAP_TOP (USER_END - (128ULL << 20))

/* A user space. Guard: as said at the top of this file. */
struct user_space {
	struct context context;
	struct area_tree areas;
	vaddr_t brk_start;       /* page-aligned; exec sets it and `brk`. 0: no brk area, so user_brk() fails */
	vaddr_t brk;             /* the program break, not aligned */
	vaddr_t mmap_top;        /* mappings without a fixed place end here or below; exec may lower it (ASLR) */
	bool low_stacks;         /* a stack may lie below mmap_top; once true, it stays so */
	bool locks_new;          /* MCL_FUTURE: new areas get AREA_LOCKED */
	bool locks_at_touch;     /* with locks_new, MCL_ONFAULT: pages of new areas are not fetched */
	uint64_t mapped_pages;   /* how many pages the areas have */
	uint64_t data_pages;     /* pages of the areas that RLIMIT_DATA counts: user_counts_as_data */
	uint64_t locked_pages;   /* pages of the areas with AREA_LOCKED */
	uint64_t resident_pages; /* pages that page tables map, those of inaccessible areas included */
	uint64_t resident_most;  /* largest resident_pages so far; brought up to date when pages are dropped */
	uint64_t faults;         /* how many faults user_fault has served */
	size_t users;            /* reference count: tasks, and others that keep the space. Atomic */
	bool in_pieces; /* areas are changed or copied piece by piece (user_piece.h): other changes wait in `changes` */
	struct wait_queue changes;
	uint64_t code_pages, stack_pages; /* how many pages executable areas have, and areas that grow down (stacks) */
	vaddr_t code_start, code_end, data_start, data_end; /* the program's own bytes, as exec maps them */
};

/*
 * Create a space with PML4 slot 511 (the kernel's) and nothing else. The caller gets the only reference.
 * Returns ERR_NO_MEMORY.
 */
MUST_CHECK enum status user_space_create(struct user_space **ret);

/*
 * Take a reference to a space, or drop one. Dropping the last one frees the space: another context must be loaded then,
 * and nobody may hold a token for this one.
 */
void user_space_get(struct user_space *space);
void user_space_put(struct user_space *space);

/*
 * Copy `space` for a new process, copy-on-write on both sides; shared areas stay shared. The cost grows with the pages
 * that are mapped, not with the areas' sizes. Returns ERR_NO_MEMORY.
 */
MUST_CHECK enum status user_space_fork(struct user_space *space, struct user_space **ret);

enum user_map_flags {
	USER_MAP_FIXED = 1 << 0,           /* exactly at `va`; what is mapped there is unmapped */
	USER_MAP_FIXED_NOREPLACE = 1 << 1, /* exactly at `va`, and only if nothing is mapped there */
	/* writes go to the object, so others that map it see them; without an object: to memory that a fork shares */
	USER_MAP_SHARED = 1 << 2,
	USER_MAP_GROWS_DOWN = 1 << 3, /* a stack: a fault below the area extends it */
	USER_MAP_POPULATE = 1 << 4,   /* touch all pages now (user_populate_all), if possible */
	USER_MAP_STACK = 1 << 6,      /* a thread's stack: 4 KiB frames only, since programs touch little of it */
	USER_MAP_READ_ONLY = 1 << 7,  /* with USER_MAP_SHARED: user_protect never gives the right to write */
	USER_MAP_LOW = 1 << 8,        /* without a fixed flag: place the mapping below 2 GiB */
	USER_MAP_WRITER = 1 << 9,     /* the mapping counts as a writer of its object (count_writer) */
	USER_MAP_NO_EXEC = 1 << 10,   /* user_protect never gives the right to execute */
	USER_MAP_LOCKED = 1 << 11,    /* the area's pages count as locked */
	USER_MAP_NORESERVE = 1 << 5,  /* accepted without effect: memory is never reserved */
};

/*
 * Map [va, va + size) with `rights` (enum user_rights): `object` from its page `offset` on, or zeros when that is NULL.
 * Takes a reference to the object. With a fixed flag the place is `va`; else `va` is a hint (0: none), and the place is
 * the highest gap below mmap_top if the hint cannot be used. size: bytes, rounded up to pages. *ret_va gets the place.
 * Returns ERR_RANGE (size 0 or too large; fixed va unaligned, below USER_MIN, or past USER_END; offset wraps),
 * ERR_EXISTS (FIXED_NOREPLACE, something is there), ERR_RIGHTS (shared and writable with an object that does
 * not allow it), ERR_NO_MEMORY (RLIMIT_AS or RLIMIT_DATA, no gap, too many areas, no memory).
 */
MUST_CHECK enum status user_map(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights, unsigned flags,
				struct memory_object *object, uint64_t offset, vaddr_t *ret_va);

/*
 * Unmap [va, va + size); holes are allowed. Returns ERR_RANGE (va unaligned, size 0, not user addresses), ERR_NO_MEMORY
 * (an area or a 2 MiB leaf cannot be split: no memory, or too many areas).
 */
MUST_CHECK enum status user_unmap(struct user_space *space, vaddr_t va, uint64_t size);

/*
 * Give [va, va + size) the rights. Returns ERR_RANGE as user_unmap (but size 0 is OK), ERR_NOT_FOUND (there is a hole:
 * ENOMEM in mprotect(2)), ERR_RIGHTS as user_map; after these two, as on Linux, the range has the rights up to the hole
 * or the area that may not have them. ERR_NO_MEMORY (RLIMIT_DATA, no memory): nothing has changed.
 */
MUST_CHECK enum status user_protect(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights);

enum user_remap_flags {
	USER_REMAP_MAYMOVE = 1 << 0,
	USER_REMAP_FIXED = 1 << 1, /* with MAYMOVE: move to `to`; what is mapped there is unmapped */
};

/*
 * Give the mapping [va, va + size) the size `new_size`, moving it if that is necessary and allowed: mremap(2).
 * Page-table entries are moved, no page is copied; with size 0 the pages of a shared mapping are mapped a second time.
 * *ret_va gets the place. Returns ERR_RANGE (unaligned va or `to`, new size 0, FIXED without MAYMOVE, ranges overlap,
 * size 0 and private), ERR_FAULT (not all of the old range is one area), ERR_NO_MEMORY (no room in place and not
 * MAYMOVE; RLIMIT_AS or RLIMIT_DATA; no gap; no memory: then, as on Linux, FIXED may have unmapped what was at `to`).
 */
MUST_CHECK enum status user_remap(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size,
				  unsigned flags, vaddr_t to, vaddr_t *ret_va);

/*
 * Drop the pages of [va, va + size): madvise(MADV_DONTNEED). The next touch finds zeros or the object's page.
 * Returns ERR_RANGE as user_unmap (but size 0 is OK), ERR_NOT_FOUND (the range has a hole: ENOMEM; the rest is dropped,
 * as on Linux), ERR_NO_MEMORY.
 */
MUST_CHECK enum status user_dontneed(struct user_space *space, vaddr_t va, uint64_t size);

/* Return whether areas cover all of [va, va + size), touched or not: for mincore, msync, madvise. */
bool user_is_mapped(const struct user_space *space, vaddr_t va, uint64_t size);

/* Set ret[i] to whether page va + i * PAGE_SIZE is in memory, mapped or held by its object; `count` pages. */
void user_resident(struct user_space *space, vaddr_t va, size_t count, uint8_t *ret);

/*
 * Move the program break to `brk`, any byte from brk_start on: brk(2). Pages beyond a lower break are unmapped, new
 * ones are zero. Returns ERR_NO_MEMORY (below brk_start, something in the way, RLIMIT_AS or RLIMIT_DATA, no memory).
 * Afterwards space->brk is the break, moved or not, which brk(2) returns.
 */
MUST_CHECK enum status user_brk(struct user_space *space, vaddr_t brk);

/*
 * Serve an access to `va` that the CPU has refused: after OK the access can be tried again. `access` is a single right.
 * Returns ERR_NOT_FOUND (no area there, and no stack that may grow there: SIGSEGV, SEGV_MAPERR), ERR_RIGHTS (the area
 * forbids it: SIGSEGV, SEGV_ACCERR), ERR_RANGE (past the end of the object: SIGBUS), ERR_NO_MEMORY.
 */
MUST_CHECK enum status user_fault(struct user_space *space, vaddr_t va, enum user_rights access);

/*
 * Make each page of [va, va + size) ready for `access`, as user_fault does. *ret_bytes is how many bytes from va on are
 * ready; on error the rest is not. Enters the kernel context once.
 */
enum status user_populate(struct user_space *space, vaddr_t va, uint64_t size, enum user_rights access,
			  uint64_t *ret_bytes);

/*
 * Touch all pages of [va, va + size). Returns what user_fault returns for the first page that fails. After
 * ERR_NO_MEMORY the pages that this call has mapped in private areas are unmapped again (unless they lie in more than
 * 32 runs); pages of shared areas stay, and count as resident. After any other error the pages before the failing
 * one stay.
 */
MUST_CHECK enum status user_populate_all(struct user_space *space, vaddr_t va, uint64_t size, enum user_rights access);
