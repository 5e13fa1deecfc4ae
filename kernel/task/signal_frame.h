/*
 * Linux's struct rt_sigframe for x86-64, on which handlers and debuggers rely.
 */
#pragma once

#include "kernel/task/signal.h"

/* Linux's struct sigcontext_64. */
struct signal_context {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, trap, old_mask, cr2;
	uint64_t fpu; /* address of the FPU's state; 0: the state after a reset */
	uint64_t reserved[8];
};

/* The frame on the user's stack. */
struct signal_frame {
	uint64_t restorer; /* the handler's return address: code that calls rt_sigreturn(2) */
	/* Linux's struct ucontext begins here. */
	uint64_t flags;
	uint64_t link;
	struct signal_stack stack;
	struct signal_context context;
	uint64_t blocked;
	/* Linux's struct siginfo begins here. */
	struct signal_info info;
	uint8_t info_rest[128 - sizeof(struct signal_info)];
};

_Static_assert(offsetof(struct signal_context, rip) == 128, "gregs[REG_RIP]");
_Static_assert(offsetof(struct signal_context, cs) == 144, "gregs[REG_CSGSFS]");
_Static_assert(offsetof(struct signal_context, error) == 152, "gregs[REG_ERR]");
_Static_assert(offsetof(struct signal_context, cr2) == 176, "gregs[REG_CR2]");
_Static_assert(offsetof(struct signal_context, fpu) == 184, "fpregs");
_Static_assert(sizeof(struct signal_context) == 256, "struct sigcontext_64");
_Static_assert(sizeof(struct signal_stack) == 24, "stack_t");
_Static_assert(offsetof(struct signal_frame, flags) == 8, "uc");
_Static_assert(offsetof(struct signal_frame, context) == 8 + 40, "uc.uc_mcontext");
_Static_assert(offsetof(struct signal_frame, blocked) == 8 + 296, "uc.uc_sigmask");
_Static_assert(offsetof(struct signal_frame, info) == 312, "info");
_Static_assert(offsetof(struct signal_info, sender) == 16, "si_pid");
_Static_assert(sizeof(struct signal_frame) == 440, "struct rt_sigframe");

/* Linux's struct _fpx_sw_bytes, in a part of the FPU area that XSAVE does not write. */
struct fpu_frame_words {
	union {
		struct {
			uint32_t magic1;
			uint32_t extended_size; /* bytes of the area and magic2 */
		};
		uint64_t start; /* magic1 and extended_size at once */
	};
	uint64_t features;
	uint32_t size; /* bytes of the area */
	uint32_t padding[7];
};

#define FPU_FRAME_WORDS  464 /* offset of struct fpu_frame_words in the FPU area */
#define FPU_FRAME_MAGIC1 0x46505853U
#define FPU_FRAME_MAGIC2 0x46505845U /* follows the area */

_Static_assert(FPU_FRAME_WORDS + sizeof(struct fpu_frame_words) == 512, "they end where XSAVE's header starts");
