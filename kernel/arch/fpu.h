/*
 * The x87, SSE and AVX state of a program. All of it is saved and restored at each switch of tasks, not at first use,
 * so that one program's values are never in a register where another could guess them by speculation. The kernel itself
 * uses none of these registers. Intel SDM vol. 1, "Managing State Using the XSAVE Feature Set".
 */
#pragma once

#include "paging/types.h"

#define FPU_ALIGN 64

/* Offsets in a save area in XSAVE's standard form; FXSAVE's form is the first 512 bytes. */
#define FPU_MXCSR       24
#define FPU_MXCSR_MASK  28
#define FPU_LEGACY_SIZE 512
#define FPU_XSTATE_BV   512
#define FPU_XCOMP_BV    520
#define FPU_HEADER_END  576

#define FPU_LEGACY_COMPONENTS 3ULL /* x87 and SSE: the only components that FXSAVE knows */

/*
 * fpu_init: find and turn on the state components that the CPU has. fpu_start_cpu: turn the same components on, on a
 * CPU that starts later. Call either after protection_init(), which turns XSAVE on.
 */
void fpu_init(void);
void fpu_start_cpu(void);

/* What fpu_init has found. Fixed after boot. */
extern struct fpu_facts {
	size_t size;         /* bytes of a save area */
	uint64_t components; /* XCR0: the components that are on */
	uint32_t mxcsr_mask;
	bool has_header;
} fpu_facts;

/* Return how many bytes a save area has. */
static inline size_t fpu_size(void)
{
	return fpu_facts.size;
}

/* Return XCR0, the components that are on; 3 (x87 and SSE) where the CPU has no XSAVE. */
static inline uint64_t fpu_components(void)
{
	return fpu_facts.components;
}

/* Return the bits that MXCSR may have: loading any other faults. */
static inline uint32_t fpu_mxcsr_mask(void)
{
	return fpu_facts.mxcsr_mask;
}

/* Return whether the first 512 bytes of a save area are followed by the XSAVE header. */
static inline bool fpu_has_header(void)
{
	return fpu_facts.has_header;
}

/* Fill a save area with the state in which a program starts. */
void fpu_start(void *area);

/* Give the CPU the state in which a program starts. */
void fpu_reset(void);

/*
 * fpu_save: copy the CPU's state to a save area. fpu_restore: load it from there; check an area that a program wrote
 * before that, since the CPU faults on bad content.
 */
void fpu_save(void *area);
void fpu_restore(const void *area);
