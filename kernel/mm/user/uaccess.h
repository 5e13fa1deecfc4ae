/*
 * Access to user memory through a user's pointer. Call these functions while the context of the current task is loaded:
 * the accesses go through the page tables in CR3. (For the data of read(2), write(2) and the like see user_io.h.)
 *
 * Any pointer at all is allowed: null, unaligned, of the upper half, not canonical, a range that wraps. What is not in
 * [0, USER_END) is refused before it is touched. When an access faults, the fault handler calls copy_fault() first,
 * which maps pages that have not been touched yet; if that fails, it calls uaccess_fixup(), and the function of this
 * file returns copy_failure(): ERR_FAULT, or ERR_NO_MEMORY when there was no frame. Where a comment below says
 * ERR_FAULT, both are meant. SMAP is lifted for the instructions of the access only.
 */
#pragma once

#include "kernel/arch/fpu.h"
#include "kernel/arch/user_copy.h"
#include "kernel/mm/user/copy_fault.h"
#include "kernel/sync/lock.h"

struct trap_frame;

/* Marks a user's pointer. The checker sparse refuses a dereference of it, and its use as a kernel pointer. */
#ifdef __CHECKER__
#define __user  __attribute__((noderef, address_space(1)))
#define __force __attribute__((force))
#else
#define __user
#define __force
#endif

/* Turn a register's value into the user's pointer that it claims to be, or back. */
static inline void __user *user_pointer(uint64_t value)
{
	return (void __user *)value;
}

static inline uint64_t user_address(const void __user *pointer)
{
	return (uint64_t)(__force const void *)pointer;
}

/*
 * Resume after a trap in kernel mode that cannot be served: if RIP is at an access to user memory, set RIP to where
 * that access's routine reports the failure, and return true. Called by the handler of #PF and #GP.
 */
bool uaccess_fixup(struct trap_frame *frame);

/* Return whether `rip` is at an access to user memory: a fault there is the user's and goes to copy_fault() first. */
bool uaccess_is_at(uint64_t rip);

/*
 * Return whether [pointer, pointer + bytes) lies in the range of user addresses, mapped or not. Call right before
 * touching the memory. The caller must hold no lock, since a page may have to be mapped; the debug build checks that.
 */
static inline bool user_range_ok(const void __user *pointer, uint64_t bytes)
{
	lock_check_none("user memory is touched");
	return bytes <= USER_END && user_address(pointer) <= USER_END - bytes;
}

/* Return the status of a copy; `stopped` says whether the copy stopped at a fault. */
static inline enum status copy_status(bool stopped)
{
	return unlikely(stopped) ? copy_failure() : OK;
}

/* Copy `bytes` bytes. ERR_FAULT: not all can be reached; what the target holds then is unknown. */
MUST_CHECK static inline enum status copy_from_user(void *to, const void __user *from, size_t bytes)
{
	if (!user_range_ok(from, bytes))
		return ERR_FAULT;
	return copy_status(user_copy(to, (__force const void *)from, bytes));
}

MUST_CHECK static inline enum status copy_to_user(void __user *to, const void *from, size_t bytes)
{
	if (!user_range_ok(to, bytes))
		return ERR_FAULT;
	return copy_status(user_copy((__force void *)to, from, bytes));
}

/* Copy as many of `bytes` as can be reached: *ret_copied is how many, from the first on. ERR_FAULT: not all were. */
MUST_CHECK enum status copy_from_user_some(void *to, const void __user *from, size_t bytes, size_t *ret_copied);
MUST_CHECK enum status copy_to_user_some(void __user *to, const void *from, size_t bytes, size_t *ret_copied);

/* Set `bytes` to 0. ERR_FAULT: not all can be reached; how many are 0 then is unknown. */
MUST_CHECK enum status clear_user(void __user *to, size_t bytes);

/*
 * Copy a string with its NUL, `size` bytes at the most. *ret_length is its length without the NUL.
 * Returns ERR_FAULT, ERR_RANGE (no NUL in `size` bytes: ENAMETOOLONG or E2BIG); what `to` holds is unknown then.
 */
MUST_CHECK enum status strncpy_from_user(char *to, const char __user *from, size_t size, size_t *ret_length);

/* Read or write one word, aligned or not. After ERR_FAULT *ret is untouched. */
MUST_CHECK static inline enum status get_user_u32(const void __user *from, uint32_t *ret)
{
	if (!user_range_ok(from, sizeof(*ret)))
		return ERR_FAULT;
	return copy_status(user_load_32((__force const void *)from, ret));
}

MUST_CHECK static inline enum status get_user_u64(const void __user *from, uint64_t *ret)
{
	if (!user_range_ok(from, sizeof(*ret)))
		return ERR_FAULT;
	return copy_status(user_load_64((__force const void *)from, ret));
}

MUST_CHECK static inline enum status put_user_u32(void __user *to, uint32_t value)
{
	if (!user_range_ok(to, sizeof(value)))
		return ERR_FAULT;
	return copy_status(user_store_32((__force void *)to, value));
}

MUST_CHECK static inline enum status put_user_u64(void __user *to, uint64_t value)
{
	if (!user_range_ok(to, sizeof(value)))
		return ERR_FAULT;
	return copy_status(user_store_64((__force void *)to, value));
}

/* Write two words in a row, as struct timespec has them. After ERR_FAULT the first may have been written. */
MUST_CHECK static inline enum status put_user_pair(void __user *to, uint64_t first, uint64_t second)
{
	if (!user_range_ok(to, 2 * sizeof(first)))
		return ERR_FAULT;
	return copy_status(user_store_pair((__force void *)to, first, second));
}

/*
 * Save the CPU's FPU state to a user's area of fpu_size() bytes, or load it. An area with a header (64 bytes behind the
 * first 512) has XSAVE's form; without one only 512 bytes count. Saving leaves bytes 464 to 511, and the header but for
 * XSTATE_BV, as they are: the header must be zero before. x87 and SSE are always saved. The CPU checks what it loads.
 * ERR_FAULT: not reachable, not aligned, or no state that can be loaded; after a failed load the state is unknown.
 */
MUST_CHECK static inline enum status save_fpu_to_user(void __user *area)
{
	void *to = (__force void *)area;

	if (!user_range_ok(area, fpu_size()))
		return ERR_FAULT;
	return copy_status(fpu_has_header() ? user_xsave(to, fpu_components()) : user_fxsave(to));
}

MUST_CHECK static inline enum status load_fpu_from_user(const void __user *area, bool has_header)
{
	const void *from = (__force const void *)area;

	if (!user_range_ok(area, fpu_size()))
		return ERR_FAULT;
	return copy_status(has_header ? user_xrstor(from, fpu_components()) : user_fxrstor(from));
}

/*
 * Set the word to `desired` if it is `expected`, atomically; *ret_old is what it was. Sequentially consistent.
 * Returns ERR_RANGE (not aligned to 4), ERR_FAULT (not reachable, or not writable).
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

/* Make the word `word op operand` atomically; *ret_old: what it was. Returns as user_cmpxchg_u32; ERR_RANGE: bad op. */
MUST_CHECK enum status user_op_u32(uint32_t __user *at, enum user_op op, uint32_t operand, uint32_t *ret_old);
