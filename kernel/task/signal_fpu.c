/*
 * Areas of FPU state on the way to and from users' memory. Layout: Intel SDM vol. 1, "XSAVE Area".
 */
#include "kernel/task/signal_fpu.h"

#include "kernel/arch/fpu.h"
#include "kernel/lib/string.h"

#define X87 1ULL
#define SSE 2ULL

#define X87_REGISTERS 32  /* after MXCSR and its mask */
#define XMM_REGISTERS 160 /* to 416 */
#define XMM_END       416
#define CONTROL_WORD  0x37f

static uint64_t get_u64(const void *area, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)area + offset, sizeof(value));
	return value;
}

static void put_u64(void *area, size_t offset, uint64_t value)
{
	memcpy((uint8_t *)area + offset, &value, sizeof(value));
}

static void reset_x87(uint8_t *area)
{
	const uint16_t control = CONTROL_WORD;

	memset(area, 0, FPU_MXCSR);
	memcpy(area, &control, sizeof(control));
	memset(area + X87_REGISTERS, 0, XMM_REGISTERS - X87_REGISTERS);
}

void fpu_frame_prepare(void *area, size_t size, uint64_t components)
{
	struct fpu_frame_words words = { 0 };
	uint64_t present;

	if (size > FPU_LEGACY_SIZE) {
		present = get_u64(area, FPU_XSTATE_BV);
		if (!(present & X87))
			reset_x87(area);
		if (!(present & SSE))
			memset((uint8_t *)area + XMM_REGISTERS, 0, XMM_END - XMM_REGISTERS);
		/* A handler may write to XMM registers there and expects that it counts. */
		put_u64(area, FPU_XSTATE_BV, present | X87 | SSE);
		words.magic1 = FPU_FRAME_MAGIC1;
		words.extended_size = (uint32_t)(size + sizeof(uint32_t));
		words.features = components;
		words.size = (uint32_t)size;
	}
	memcpy((uint8_t *)area + FPU_FRAME_WORDS, &words, sizeof(words));
}

bool fpu_frame_is_extended(const void *area, size_t size)
{
	struct fpu_frame_words words;

	memcpy(&words, (const uint8_t *)area + FPU_FRAME_WORDS, sizeof(words));
	return size > FPU_LEGACY_SIZE && words.magic1 == FPU_FRAME_MAGIC1 && words.size == size &&
	       words.extended_size >= size + sizeof(uint32_t);
}

void fpu_frame_set_legacy(void *area, size_t size)
{
	if (size <= FPU_LEGACY_SIZE)
		return;
	memset((uint8_t *)area + FPU_LEGACY_SIZE, 0, size - FPU_LEGACY_SIZE);
	put_u64(area, FPU_XSTATE_BV, X87 | SSE);
}

bool fpu_frame_check(void *area, bool has_header, uint64_t components, uint32_t mxcsr_mask)
{
	uint32_t mxcsr;

	/* Everything behind XSTATE_BV is reserved, or would make it an area of the compact form. */
	if (has_header) {
		if (get_u64(area, FPU_XSTATE_BV) & ~components)
			return false;
		for (size_t at = FPU_XCOMP_BV; at < FPU_HEADER_END; at += sizeof(uint64_t))
			if (get_u64(area, at))
				return false;
	}
	memcpy(&mxcsr, (uint8_t *)area + FPU_MXCSR, sizeof(mxcsr));
	mxcsr &= mxcsr_mask;
	memcpy((uint8_t *)area + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
	return true;
}
