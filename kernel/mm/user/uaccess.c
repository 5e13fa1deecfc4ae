/*
 * Access through users' pointers: checks ranges, and calls the routines of user_copy.S that may fault.
 */
#include "kernel/mm/user/uaccess.h"

#include "kernel/arch/trap.h"
#include "kernel/arch/user_copy.h"
#include "kernel/mm/user/user_space.h"

/* Return where to resume after a fault at `rip`; 0: the instruction there does not access user memory. */
static uint64_t resume_of(uint64_t rip)
{
	for (uint64_t i = 0; i < user_fixup_count; i++)
		if (user_fixups[i].at == rip)
			return user_fixups[i].resume;
	return 0;
}

bool uaccess_is_at(uint64_t rip)
{
	return resume_of(rip) != 0;
}

bool uaccess_fixup(struct trap_frame *frame)
{
	uint64_t resume = resume_of(frame->rip);

	if (!resume)
		return false;
	frame->rip = resume;
	return true;
}

/* Return how many of the `bytes` bytes from `pointer` on lie in the range of user addresses. */
static size_t clip(const void __user *pointer, size_t bytes)
{
	uint64_t address = user_address(pointer);

	lock_check_none("user memory is touched");
	if (address >= USER_END)
		return 0;
	return bytes < USER_END - address ? bytes : USER_END - address;
}

/*
 * Return the status of a copy that left `undone` of `allowed` bytes uncopied. The caller asked for `asked`, of which
 * the first `allowed` lie in the range of user addresses.
 */
static enum status partial(size_t allowed, size_t undone, size_t asked, size_t *ret_copied)
{
	*ret_copied = allowed - undone;
	if (undone)
		return copy_failure();
	return allowed < asked ? ERR_FAULT : OK;
}

enum status copy_from_user_some(void *to, const void __user *from, size_t bytes, size_t *ret_copied)
{
	size_t allowed = clip(from, bytes);

	return partial(allowed, user_copy(to, (__force const void *)from, allowed), bytes, ret_copied);
}

enum status copy_to_user_some(void __user *to, const void *from, size_t bytes, size_t *ret_copied)
{
	size_t allowed = clip(to, bytes);

	return partial(allowed, user_copy((__force void *)to, from, allowed), bytes, ret_copied);
}

enum status clear_user(void __user *to, size_t bytes)
{
	if (!user_range_ok(to, bytes))
		return ERR_FAULT;
	return copy_status(user_clear((__force void *)to, bytes));
}

enum status strncpy_from_user(char *to, const char __user *from, size_t size, size_t *ret_length)
{
	size_t allowed = clip(from, size);
	int64_t length = user_copy_string(to, (__force const char *)from, allowed);

	if (length < 0)
		return copy_failure();
	if ((size_t)length == allowed)
		return allowed < size ? ERR_FAULT : ERR_RANGE;
	*ret_length = (size_t)length;
	return OK;
}

enum status user_cmpxchg_u32(uint32_t __user *at, uint32_t expected, uint32_t desired, uint32_t *ret_old)
{
	if (!is_aligned(user_address(at), sizeof(*at)))
		return ERR_RANGE;
	if (!user_range_ok(at, sizeof(*at)))
		return ERR_FAULT;
	if (user_cmpxchg_32((__force void *)at, &expected, desired))
		return copy_failure();
	*ret_old = expected;
	return OK;
}

static uint32_t result_of(enum user_op op, uint32_t word, uint32_t operand)
{
	switch (op) {
	case USER_OP_SET:
		return operand;
	case USER_OP_ADD:
		return word + operand;
	case USER_OP_OR:
		return word | operand;
	case USER_OP_ANDN:
		return word & ~operand;
	case USER_OP_XOR:
		return word ^ operand;
	}
	return word;
}

enum status user_op_u32(uint32_t __user *at, enum user_op op, uint32_t operand, uint32_t *ret_old)
{
	uint32_t word, seen = 0;
	enum status status;

	if (op > USER_OP_XOR || !is_aligned(user_address(at), sizeof(*at)))
		return ERR_RANGE;
	status = get_user_u32(at, &word);
	while (status == OK) {
		status = user_cmpxchg_u32(at, word, result_of(op, word, operand), &seen);
		if (status == OK && seen == word) {
			*ret_old = word;
			return OK;
		}
		word = seen;
	}
	return status;
}
