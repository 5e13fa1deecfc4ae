/*
 * The registers of a stopped tracee, in Linux's layouts. The caller has made sure that the task is in a
 * ptrace stop, or calls for the current task.
 */
#pragma once

#include "kernel/task/task.h"

/* Linux's struct user_regs_struct. */
struct ptrace_registers {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t call; /* orig_rax: the number of the system call that the task is in; -1: none */
	uint64_t rip, cs, rflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};

_Static_assert(sizeof(struct ptrace_registers) == 216, "Linux's struct user_regs_struct");

void ptrace_get_registers(const struct task *task, struct ptrace_registers *ret);

/*
 * Set the registers. Segments, and flags that programs do not change, stay as they are. Returns 0; or, with nothing
 * changed, -EIO: an address in RIP, or a segment's base, that is no user's.
 */
int ptrace_set_registers(struct task *task, const struct ptrace_registers *from);

/* Bytes of the FPU's state as ptrace_get_fpu() gives it: XSAVE's standard form, of which FXSAVE's is the first part. */
size_t ptrace_fpu_size(void);

/* Put the FPU's state, ptrace_fpu_size() bytes, to `ret`; what the save area has left out gets its initial value. */
void ptrace_get_fpu(const struct task *task, uint8_t *ret);

/*
 * Set the FPU's state. size: FPU_LEGACY_SIZE bytes in FXSAVE's form, or ptrace_fpu_size(). Returns 0; or, with nothing
 * changed, -EINVAL: a state that the CPU would refuse.
 */
int ptrace_set_fpu(struct task *task, const uint8_t *from, size_t size);
