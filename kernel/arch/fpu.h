/*
 * The state of x87, SSE and AVX that a program has: saved and restored whole at each switch (eagerly: what one program
 * left is never there for another to guess at). The kernel itself uses none of it.
 * Intel SDM vol. 1, "Managing State Using the XSAVE Feature Set".
 */
#pragma once

#include "paging/types.h"

#define FPU_ALIGN 64

/* Offsets in an area, in XSAVE's standard form; FXSAVE's is its first 512 bytes. */
#define FPU_MXCSR       24
#define FPU_MXCSR_MASK  28
#define FPU_LEGACY_SIZE 512
#define FPU_XSTATE_BV   512
#define FPU_XCOMP_BV    520
#define FPU_HEADER_END  576

#define FPU_LEGACY_COMPONENTS 3ULL /* x87 and SSE: all that FXSAVE knows */

/* Turn the state's components on. Once, on each CPU; after protection_init. */
void fpu_init(void);

/* What fpu_init has found; others only read it. */
extern struct fpu_facts {
	size_t size;         /* of an area, in bytes */
	uint64_t components; /* XCR0: those that are on */
	uint32_t mxcsr_mask;
	bool has_header;
} fpu_facts;

/* Bytes of an area. */
static inline size_t fpu_size(void)
{
	return fpu_facts.size;
}

/* XCR0: the components that are on; 3 (x87 and SSE) where there is no XSAVE. */
static inline uint64_t fpu_components(void)
{
	return fpu_facts.components;
}

/* Bits that MXCSR may have: loading another faults. */
static inline uint32_t fpu_mxcsr_mask(void)
{
	return fpu_facts.mxcsr_mask;
}

/* Whether areas have the XSAVE header behind their first 512 bytes. */
static inline bool fpu_has_header(void)
{
	return fpu_facts.has_header;
}

/* An area as a new program finds it. */
void fpu_start(void *area);

/* The CPU's state to an area and back. An area from outside must have been checked: a bad one faults. */
void fpu_save(void *area);
void fpu_restore(const void *area);
