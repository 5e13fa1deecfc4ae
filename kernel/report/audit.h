/*
 * Do the live tables say what the memory map allows? Walks a whole space and counts what must never be.
 * Changes nothing, knows no global state: host tests feed it bad tables.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/report/print.h"
#include "paging/space.h"

/* What the tables are held against. */
struct audit_facts {
	const struct space *kernel;          /* its slot 511 is the one for every context */
	const struct memmap *memmap;         /* as memmap_check wants it */
	const struct boot_segment *segments; /* of the kernel image */
	size_t segment_count;
	unsigned physical_bits; /* MAXPHYADDR */
};

/* Whose rules a space must keep: docs/architecture.md, "The address space". */
enum audit_kind { AUDIT_AS_KERNEL, AUDIT_AS_USER, AUDIT_AS_FIRMWARE };

/* What can be wrong: X(name, in words). Leaves are counted, unless it says otherwise. */
#define AUDIT_FAULTS(X)                                                                                  \
	X(WX, "W+X")                           /* writable and executable */                             \
	X(USER, "user")                        /* users may reach it, in the upper half or firmware's */ \
	X(STRAY_GLOBAL, "stray global")        /* G outside slot 511 */                                  \
	X(OUTSIDE, "outside the map")          /* where this kind of context maps nothing */             \
	X(NOT_GLOBAL, "not global")            /* no G in slot 511 */                                    \
	X(EXECUTABLE, "executable data")       /* X in direct map, MMIO window or heap */                \
	X(RIGHTS, "wrong rights")              /* image unlike its segments; wrong memory type */        \
	X(WRONG_FRAME, "at the wrong address") /* direct map, firmware's identity map */                 \
	X(NOT_RAM, "not RAM")                  /* device or nothing, in the direct map */                \
	X(RAM, "RAM as MMIO")                  /* RAM in the MMIO window */                              \
	X(TEXT_ALIAS, "writable text alias")   /* kernel text can be written through the direct map */   \
	X(MISSING, "RAM pages not mapped")     /* pages that the direct map leaves out */                \
	X(TABLE, "table outside RAM")          /* tables; ends the audit */                              \
	X(ROOT, "bad PML4 entry")              /* PML4 entries: reserved bits, a forbidden slot */       \
	X(SHARED, "own slot 511")              /* PML4[511] is not the kernel's */

#define AUDIT_ENUMERATOR(name, words) AUDIT_##name,
enum audit_fault { AUDIT_FAULTS(AUDIT_ENUMERATOR) AUDIT_FAULT_COUNT };
#undef AUDIT_ENUMERATOR

#define AUDIT_FINDINGS 8

/* One fault, to be named. */
struct audit_finding {
	enum audit_fault fault;
	vaddr_t va;
	uint64_t entry; /* raw; 0 when there is none */
	int level;
};

struct audit {
	size_t counts[AUDIT_FAULT_COUNT];
	size_t leaves;
	size_t tables;                                 /* the root among them */
	struct audit_finding findings[AUDIT_FINDINGS]; /* the first ones */
	size_t finding_count;
};

/* Fills *ret. Never fails: what is wrong is the result. Only in the kernel context. */
void audit_space(const struct space *s, enum audit_kind kind, const struct audit_facts *facts, struct audit *ret);

/* All faults together; 0 is what must always hold. */
size_t audit_total(const struct audit *audit);

/* "audit: kernel context: 0 W+X, …" in one line, and one for each finding. `name` says which context it was. */
void audit_print(print_fn *print, const char *name, const struct audit *audit);
