/*
 * The open calls (docs/locking.md) that change a process's memory: mmap, munmap, mprotect, brk and madvise without the
 * kernel lock, in their common cases. The process must have one task, which has its memory for itself; what is too
 * long, or leads to files or other processes, or is an error, is left to the calls in sys_memory.c.
 */
#include "kernel/mm/user/user_open.h"
#include "kernel/sys/calls.h"
#include "kernel/sys/memory_flags.h"
#include "kernel/sys/memory_steps.h"
#include "kernel/task/personality.h"
#include "kernel/task/process.h"

#define MADV_DONTNEED 4

/*
 * Return the space of the current process; NULL if the process has another task, or if its readable memory shall be
 * executable (READ_IMPLIES_EXEC), which only sys_memory.c heeds. The process keeps its one task meanwhile, as only that
 * task could make another.
 */
static struct user_space *space_alone(void)
{
	const struct process *process = process_current();

	if (__atomic_load_n(&process->task_count, __ATOMIC_ACQUIRE) != 1 ||
	    task_current()->personality & READ_IMPLIES_EXEC)
		return NULL;
	return process->space;
}

int64_t open_mmap(uint64_t va, uint64_t size, uint64_t prot, uint64_t flags, uint64_t fd, uint64_t offset)
{
	struct user_space *space = space_alone();
	unsigned how, rights;
	vaddr_t place;

	(void)fd;
	if (!space || offset || !mapping_is_plain(flags, &how) || rights_check(prot, &rights) != 0 ||
	    !user_map_open(space, va, size, rights, how, &place))
		return SYSCALL_NEEDS_LOCK;
	return (int64_t)place;
}

int64_t open_munmap(uint64_t va, uint64_t size, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct user_space *space = space_alone();

	(void)c, (void)d, (void)e, (void)f;
	return space && user_unmap_open(space, va, size) ? 0 : SYSCALL_NEEDS_LOCK;
}

int64_t open_mprotect(uint64_t va, uint64_t size, uint64_t prot, uint64_t d, uint64_t e, uint64_t f)
{
	struct user_space *space = space_alone();
	unsigned rights;

	(void)d, (void)e, (void)f;
	return space && rights_check(prot, &rights) == 0 && user_protect_open(space, va, size, rights)
		       ? 0
		       : SYSCALL_NEEDS_LOCK;
}

int64_t open_brk(uint64_t brk, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct user_space *space = space_alone();

	(void)b, (void)c, (void)d, (void)e, (void)f;
	/* brk(2) returns the break, and the argument 0 asks for it. */
	return space && (!brk || user_brk_open(space, brk)) ? (int64_t)space->brk : SYSCALL_NEEDS_LOCK;
}

int64_t open_madvise(uint64_t va, uint64_t size, uint64_t advice, uint64_t d, uint64_t e, uint64_t f)
{
	struct user_space *space = space_alone();

	(void)d, (void)e, (void)f;
	return space && advice == MADV_DONTNEED && user_dontneed_open(space, va, size) ? 0 : SYSCALL_NEEDS_LOCK;
}
