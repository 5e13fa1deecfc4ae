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

/* Turn the state's components on. Once, on each CPU; after protection_init. */
void fpu_init(void);

/* Bytes of an area. */
size_t fpu_size(void);

/* XCR0: the components that are on; 3 (x87 and SSE) where there is no XSAVE. */
uint64_t fpu_components(void);

/* Bits that MXCSR may have: loading another faults. */
uint32_t fpu_mxcsr_mask(void);

/* Whether areas have the XSAVE header behind their first 512 bytes. */
bool fpu_has_header(void);

/* An area as a new program finds it. */
void fpu_start(void *area);

/* The CPU's state to an area and back. An area from outside must have been checked: a bad one faults. */
void fpu_save(void *area);
void fpu_restore(const void *area);
