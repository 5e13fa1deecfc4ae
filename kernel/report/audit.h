/*
 * The audit compares a space (one PML4 and all tables below it) with what the memory map allows, and counts the
 * faults. It changes nothing and reads no global, so that host tests can feed it bad tables.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/report/print.h"
#include "paging/space.h"

/* The facts that the tables are compared with. */
struct audit_facts {
	const struct space *kernel;          /* the space whose slot 511 every context must share */
	const struct memmap *memmap;         /* sorted and without overlaps, as memmap_check requires */
	const struct boot_segment *segments; /* the segments of the kernel's image */
	size_t segment_count;
	unsigned physical_bits; /* how many bits a physical address of this CPU has (MAXPHYADDR) */
};

/* Which rules a space must keep; docs/architecture.md lists them, "The address space". */
enum audit_kind { AUDIT_AS_KERNEL, AUDIT_AS_USER, AUDIT_AS_FIRMWARE };

/* The faults: X(name, in words). Each counts leaves, unless its comment says something else. */
#define AUDIT_FAULTS(X)                                                                                         \
	X(WX, "W+X")                           /* writable and executable */                                    \
	X(USER, "user")                        /* user rights in the upper half or in the firmware's context */ \
	X(STRAY_GLOBAL, "stray global")        /* G outside slot 511 */                                         \
	X(OUTSIDE, "outside the map")          /* a leaf where this kind of context maps nothing */             \
	X(NOT_GLOBAL, "not global")            /* no G in slot 511 */                                           \
	X(EXECUTABLE, "executable data")       /* executable in the direct map, the MMIO window or the heap */  \
	X(RIGHTS, "wrong rights")              /* unlike the image segment's, or a wrong memory type */         \
	X(WRONG_FRAME, "at the wrong address") /* maps another physical address than belongs here */            \
	X(NOT_RAM, "not RAM")                  /* the direct map maps something that is not RAM */              \
	X(RAM, "RAM as MMIO")                  /* the MMIO window maps RAM */                                   \
	X(TEXT_ALIAS, "writable text alias")   /* kernel text can be written through the direct map */          \
	X(MISSING, "RAM pages not mapped")     /* counts pages that the direct map leaves out */                \
	X(TABLE, "table outside RAM")          /* counts tables; the first one ends the audit */                \
	X(ROOT, "bad PML4 entry")              /* counts PML4 entries with wrong bits or in a wrong slot */     \
	X(SHARED, "own slot 511")              /* PML4[511] differs from the kernel context's */

#define AUDIT_ENUMERATOR(name, words) AUDIT_##name,
enum audit_fault { AUDIT_FAULTS(AUDIT_ENUMERATOR) AUDIT_FAULT_COUNT };
#undef AUDIT_ENUMERATOR

#define AUDIT_FINDINGS 8

/* One fault, in detail. */
struct audit_finding {
	enum audit_fault fault;
	vaddr_t va;
	uint64_t entry; /* the raw entry; 0 when there is none */
	int level;      /* what kind of entry: 1 PTE, 2 PDE, 3 PDPTE, 4 PML4E */
};

struct audit {
	size_t counts[AUDIT_FAULT_COUNT];
	size_t leaves;
	size_t tables;                                 /* counts the root, too */
	struct audit_finding findings[AUDIT_FINDINGS]; /* the first AUDIT_FINDINGS faults */
	size_t finding_count;
};

/* Audit a space into *ret. Never fails: faults are the result. Call in the kernel context, which alone maps all RAM. */
void audit_space(const struct space *s, enum audit_kind kind, const struct audit_facts *facts, struct audit *ret);

/* Return the number of all faults together; it must always be 0. */
size_t audit_total(const struct audit *audit);

/* Print one line, "audit: kernel context: 0 W+X, …", and one for each finding. `name`: which context was audited. */
void audit_print(print_fn *print, const char *name, const struct audit *audit);
