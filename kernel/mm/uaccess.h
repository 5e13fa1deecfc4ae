/*
 * The only way by which the kernel touches user memory through a user's pointer. In the user context: the pointer is
 * the task's own, the tables that it goes through are the CPU's.
 *
 * Any pointer at all is allowed: null, unaligned, of the upper half, not canonical, a range that wraps. What is not in
 * [0, USER_END) is refused before it is touched. What is there and faults goes, like any access, to user_fault first
 * (so memory that has not been touched yet is fetched); if that fails, to uaccess_fixup, which makes the call here
 * return ERR_FAULT. SMAP stays on but for these few instructions.
 */
#pragma once

#include "paging/types.h"

struct trap_frame;

/* A pointer of a user's. Sparse sees to it that nobody uses one as it is. */
#ifdef __CHECKER__
#define __user  __attribute__((noderef, address_space(1)))
#define __force __attribute__((force))
#else
#define __user
#define __force
#endif

/* A register's value as the user's pointer that it claims to be, and back. */
static inline void __user *user_pointer(uint64_t value)
{
	return (void __user *)value;
}

static inline uint64_t user_address(const void __user *pointer)
{
	return (uint64_t)(__force const void *)pointer;
}

/* Once, at start: whether to lift SMAP around the accesses. After protection_init. */
void uaccess_init(void);

/*
 * The #PF (or #GP) handler's last resort for a trap in kernel mode: when RIP is in a routine here, go on at its fix-up:
 * then true, and the frame's RIP has changed. Nothing else is looked at.
 */
bool uaccess_fixup(struct trap_frame *frame);

/* Whether RIP is at such an access: then a fault at a user address is the user's, and user_fault comes first. */
bool uaccess_is_at(uint64_t rip);

/* Whether [pointer, pointer + bytes) lies where users' memory can be. Says nothing of what is there. */
bool user_range_ok(const void __user *pointer, uint64_t bytes);

/* Copy `bytes`. ERR_FAULT: not all of it is there; what the target holds then is unknown up to `bytes`. */
MUST_CHECK enum status copy_from_user(void *to, const void __user *from, size_t bytes);
MUST_CHECK enum status copy_to_user(void __user *to, const void *from, size_t bytes);

/* The same; returns how many bytes were copied, counted from the first, exactly. */
size_t copy_from_user_some(void *to, const void __user *from, size_t bytes);
size_t copy_to_user_some(void __user *to, const void *from, size_t bytes);

/* Zero. ERR_FAULT: not all of it is there; how much is zero is unknown. */
MUST_CHECK enum status clear_user(void __user *to, size_t bytes);

/*
 * A string with its NUL, `size` bytes at the most. *ret_length is its length without the NUL.
 * Returns ERR_FAULT, ERR_RANGE (no NUL in `size` bytes: ENAMETOOLONG or E2BIG); what `to` holds is unknown then.
 */
MUST_CHECK enum status strncpy_from_user(char *to, const char __user *from, size_t size, size_t *ret_length);

/* One word, aligned or not. ERR_FAULT leaves *ret alone. */
MUST_CHECK enum status get_user_u32(const void __user *from, uint32_t *ret);
MUST_CHECK enum status get_user_u64(const void __user *from, uint64_t *ret);
MUST_CHECK enum status put_user_u32(void __user *to, uint32_t value);
MUST_CHECK enum status put_user_u64(void __user *to, uint64_t value);

/* Two words in a row: struct timespec and its like. ERR_FAULT: the first may be there. */
MUST_CHECK enum status put_user_pair(void __user *to, uint64_t first, uint64_t second);

/*
 * Atomically: if the word is `expected` make it `desired`; *ret_old is what it was. Sequentially consistent.
 * Returns ERR_RANGE (not aligned to 4), ERR_FAULT (not there, or not writable).
 */
MUST_CHECK enum status user_cmpxchg_u32(uint32_t __user *at, uint32_t expected, uint32_t desired, uint32_t *ret_old);

/* What FUTEX_WAKE_OP does to a word: the numbers are futex(2)'s. */
enum user_op {
	USER_OP_SET = 0,
	USER_OP_ADD = 1,
	USER_OP_OR = 2,
	USER_OP_ANDN = 3,
	USER_OP_XOR = 4,
};

/* The word becomes `word op operand`, atomically; *ret_old is what it was. Errors as user_cmpxchg_u32, and ERR_RANGE: op. */
MUST_CHECK enum status user_op_u32(uint32_t __user *at, enum user_op op, uint32_t operand, uint32_t *ret_old);
