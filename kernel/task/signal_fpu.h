/*
 * The FPU's state as it lies in a signal frame: an XSAVE area with words of Linux's in a part that the CPU leaves alone
 * (<asm/sigcontext.h>, struct _fpx_sw_bytes). Pure data: the CPU is not touched.
 */
#pragma once

#include "paging/types.h"

#define FPU_FRAME_MAGIC1 0x46505853U
#define FPU_FRAME_MAGIC2 0x46505845U /* behind the area */

struct fpu_frame_words {
	uint32_t magic1;
	uint32_t extended_size; /* of the area and magic2 */
	uint64_t features;
	uint32_t size; /* of the area */
	uint32_t padding[7];
};

#define FPU_FRAME_WORDS 464 /* their offset in the area */

_Static_assert(sizeof(struct fpu_frame_words) == 512 - FPU_FRAME_WORDS, "they end where the XSAVE header starts");

/*
 * Make an area that XSAVE or XSAVEOPT has written fit for a program to read and change: what the CPU left out because it
 * is as after a reset is filled in, and Linux's words are set. The state that the area stands for stays the same.
 */
void fpu_frame_prepare(void *area, size_t size, uint64_t components);

/* Whether the words promise an area of `size` bytes with a header. The magic2 behind it is the caller's to check. */
bool fpu_frame_is_extended(const void *area, size_t size);

/* Give an area of which only the first 512 bytes came a header that says so; the rest is as after a reset. */
void fpu_frame_set_legacy(void *area, size_t size);

/*
 * Make an area from outside harmless: after that XRSTOR with `components` cannot fault. MXCSR loses bits that the CPU
 * has not got. False: the header is none that XSAVE could have written; the area must not be loaded.
 */
MUST_CHECK bool fpu_frame_check(void *area, bool has_header, uint64_t components, uint32_t mxcsr_mask);
