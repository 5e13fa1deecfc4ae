/*
 * System calls that change a process's memory: check Linux's arguments, translate its flags, and call kernel/mm/user,
 * which does the work.
 */
#include "kernel/fs/content.h"
#include "kernel/fs/linux_mount.h"
#include "kernel/fs/mount.h"
#include "kernel/mm/user/user_advice.h"
#include "kernel/mm/user/user_piece.h"
#include "kernel/sys/memory_flags.h"
#include "kernel/sys/memory_steps.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/personality.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/space_work.h"
#include "kernel/task/user_return.h"

#define PROT_GROWSDOWN 0x01000000 /* a bit of `prot` that only mprotect(2) has */

#define MREMAP_DONTUNMAP 4

#define MS_ASYNC      1
#define MS_INVALIDATE 2
#define MS_SYNC       4
#define MINCORE_PIECE 256 /* bytes of mincore(2)'s result that are copied at once, one for each page */

static struct user_space *space_here(void)
{
	return process_current()->space;
}

/* Return the error number for `status`, with ENOMEM for a range that is not mapped completely. */
static int64_t hole_is_no_memory(enum status status)
{
	return status == ERR_NOT_FOUND ? -ENOMEM : errno_of(status);
}

SYSCALL_1(brk, brk)
{
	struct user_space *space = space_here();

	/*
	 * Lower a break by steps of MEMORY_STEP, each of which unmaps memory, and let other tasks run between two
	 * steps.
	 */
	while (brk >= space->brk_start && brk && space->brk > brk && space->brk - brk > MEMORY_STEP && !task_give_way())
		if (space_wait(space) != 0 || user_brk(space, space->brk - MEMORY_STEP) != OK)
			break;
	/*
	 * brk(2) returns the break, moved or not, and no error. Programs ask for it by the argument 0.
	 */
	if (brk && space_wait(space) == 0) {
		const vaddr_t old = page_round_up(space->brk);

		if (user_brk(space, brk) == OK && space->locks_new && !space->locks_at_touch && brk > old)
			(void)memory_populate(space, old, page_round_up(brk) - old, USER_WRITE);
	}
	return (int64_t)space->brk;
}

/*
 * Return whether the seals of a content, which may be NULL, permit a shared mapping of a file that is open for writing.
 * As on Linux F_SEAL_WRITE forbids every such mapping; F_SEAL_FUTURE_WRITE forbids writable ones, and to make one
 * writable later.
 */
static bool seals_permit(const struct content *content, struct mmap_request *mapping)
{
	if (content && content->seals & F_SEAL_FUTURE_WRITE)
		mapping->flags |= USER_MAP_READ_ONLY;
	return !content || (!(content->seals & F_SEAL_WRITE) &&
			    !(content->seals & F_SEAL_FUTURE_WRITE && mapping->rights & USER_WRITE));
}

/*
 * Check the seals of a file, which is NULL for an anonymous mapping. Until the mapping is made no other task may run,
 * which could add seals. Returns 0 or -EPERM.
 */
static int heed_seals(struct file *file, struct mmap_request *mapping)
{
	if (mapping->anonymous || !(mapping->flags & USER_MAP_SHARED) || !file_writes(file))
		return 0;
	return seals_permit(node_content(file->node), mapping) ? 0 : -EPERM;
}

/* Return whether memory with these rights gets the right to execute, too (personality(2), READ_IMPLIES_EXEC). */
static bool implies_execution(unsigned rights)
{
	return rights & USER_READ && task_current()->personality & READ_IMPLIES_EXEC;
}

/*
 * Get the memory object of `file`, from which a mapping gets its pages; NULL for an anonymous mapping. The pointer is
 * valid as long as the caller has a reference to the file. Returns 0, -EPERM, -EACCES, -ENODEV.
 */
static int object_of(struct file *file, struct mmap_request *mapping, struct memory_object **ret)
{
	*ret = NULL;
	if (mapping->anonymous)
		return 0;
	if (!file_reads(file))
		return -EACCES;
	if (mapping->flags & USER_MAP_SHARED && mapping->rights & USER_WRITE && !file_writes(file))
		return -EACCES;
	if (mapping->flags & USER_MAP_SHARED && !file_writes(file))
		mapping->flags |= USER_MAP_READ_ONLY;
	if (heed_seals(file, mapping) != 0)
		return -EPERM;
	if (mount_flags(file->mount) & MS_NOEXEC) {
		if (mapping->rights & USER_EXEC)
			return -EPERM;
		mapping->flags |= USER_MAP_NO_EXEC;
	}
	/*
	 * On Linux a mapping of a file that is open for writing keeps it open. So as long as the mapping exists, the
	 * file cannot be executed, nor its file system be made read-only, even if the mapping itself cannot be written
	 * to.
	 */
	if (file->properties & FILE_WRITER)
		mapping->flags |= USER_MAP_WRITER;
	return file_object(file, ret);
}

/*
 * Check the range of mmap(2). As on Linux the error is -ENOMEM for a range that is too long or too high, and -EPERM for
 * one that is too low.
 */
static int check_place(uint64_t va, uint64_t size, unsigned flags)
{
	bool fixed = flags & (USER_MAP_FIXED | USER_MAP_FIXED_NOREPLACE);

	if (!size || (fixed && va % PAGE_SIZE))
		return -EINVAL;
	if (size > USER_END || (fixed && va > USER_END - size))
		return -ENOMEM;
	return fixed && va < USER_MIN ? -EPERM : 0;
}

/*
 * Add what mlockall(MCL_FUTURE) wants of a new mapping, and check that `size` bytes more may be locked. Returns 0,
 * -EPERM (MAP_LOCKED, and the caller may lock nothing), -EAGAIN (too many).
 */
static int heed_locks(uint64_t size, struct mmap_request *mapping)
{
	const struct user_space *space = space_here();

	if (mapping->flags & USER_MAP_LOCKED && !user_limits_most_locked())
		return -EPERM;
	if (space->locks_new)
		mapping->flags |= USER_MAP_LOCKED | (space->locks_at_touch ? 0 : USER_MAP_POPULATE);
	return mapping->flags & USER_MAP_LOCKED && !user_lock_allows(space, page_round_up(size) / PAGE_SIZE) ? -EAGAIN
													     : 0;
}

SYSCALL_6(mmap, va, size, prot, flags, fd, offset)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct memory_object *object;
	struct mmap_request mapping;
	vaddr_t place;
	int error = mapping_check(prot, flags, offset, &mapping);

	/* As on Linux, a descriptor without a file is reported before a bad range. */
	if (!error && !mapping.anonymous && (!file || file->flags & O_PATH))
		error = -EBADF;
	if (!error && implies_execution(mapping.rights) &&
	    (mapping.anonymous || !(mount_flags(file->mount) & MS_NOEXEC)))
		mapping.rights |= USER_EXEC;
	if (!error)
		error = check_place(va, size, mapping.flags);
	if (!error)
		error = heed_locks(size, &mapping);
	if (!error)
		error = object_of(file, &mapping, &object);
	/* As on Linux a mapping must end at or before the largest file offset. */
	if (!error && object && offset > INT64_MAX - page_round_up(size))
		error = -EOVERFLOW;
	if (!error)
		error = space_wait(space_here());
	/* A fixed mapping replaces what is mapped there: unmap that in pieces, between which other tasks can run. */
	if (!error && mapping.flags & USER_MAP_FIXED && size > MEMORY_STEP)
		error = errno_of(memory_unmap(space_here(), va, page_round_up(size)));
	/* Check the seals again: other tasks may have run meanwhile, and have sealed the file. */
	if (!error)
		error = heed_seals(file, &mapping);
	if (error)
		return error;
	/* As on Linux an address that is only a hint is rounded down; user_map() ignores a hint that is too low. */
	if (!(mapping.flags & (USER_MAP_FIXED | USER_MAP_FIXED_NOREPLACE)))
		va &= ~(uint64_t)(PAGE_SIZE - 1);
	error = errno_of(user_map(space_here(), va, size, mapping.rights, mapping.flags & ~(unsigned)USER_MAP_POPULATE,
				  object, offset / PAGE_SIZE, &place));
	if (error)
		return error;
	/* As on Linux, a failure of MAP_POPULATE is no error of mmap(2). */
	if (mapping.flags & USER_MAP_POPULATE && mapping.rights != USER_NONE)
		(void)memory_populate(space_here(), place, size, mapping.rights & USER_WRITE ? USER_WRITE : USER_READ);
	return (int64_t)place;
}

/*
 * munmap -> flush -> invalidation, step 1 of 6. Next: user_unmap, kernel/mm/user/user_map.c. Comments that begin so
 * lead through the six functions from munmap(2) to the invalidation of TLB entries.
 */
SYSCALL_2(munmap, va, size)
{
	return errno_of(memory_unmap(space_here(), va, size));
}

/* Make a range of a stack begin where the whole stack begins: PROT_GROWSDOWN. Returns 0, or -EINVAL: it is no stack. */
static int extend_to_stack(uint64_t *va, uint64_t *size)
{
	const struct area *area = area_find(&space_here()->areas, *va);

	if (!area || !(area->flags & AREA_GROWS_DOWN))
		return -EINVAL;
	*size += *va - area->start;
	*va = area->start;
	return 0;
}

/*
 * Do memory_protect() with the right to execute added, except in areas that never have this right, as on Linux
 * (AREA_NO_EXEC). size: whole pages.
 */
static enum status protect_and_execute(vaddr_t va, uint64_t size, unsigned rights)
{
	const vaddr_t end = va + size;
	enum status status;
	vaddr_t next;

	do {
		const struct area *area = area_find(&space_here()->areas, va);
		const bool never = area && area->flags & AREA_NO_EXEC;

		next = area && area->end < end ? area->end : end;
		status = memory_protect(space_here(), va, next - va, rights | (never ? 0 : USER_EXEC));
		va = next;
	} while (status == OK && va < end);
	return status;
}

SYSCALL_3(mprotect, va, size, prot)
{
	unsigned rights;
	int error = rights_check(prot & ~(uint64_t)PROT_GROWSDOWN, &rights);

	if (!error && prot & PROT_GROWSDOWN && va % PAGE_SIZE == 0)
		error = extend_to_stack(&va, &size);
	if (error)
		return error;
	/* Nothing is mapped beyond USER_END, so such a range is not mapped completely. */
	if (va % PAGE_SIZE == 0 && size && (va >= USER_END || size > USER_END - va))
		return -ENOMEM;
	return hole_is_no_memory(implies_execution(rights) ? protect_and_execute(va, page_round_up(size), rights)
							   : memory_protect(space_here(), va, size, rights));
}

SYSCALL_5(mremap, va, size, new_size, flags, to)
{
	const struct area *area;
	bool locked;
	vaddr_t place;
	int error;

	if (flags & MREMAP_DONTUNMAP)
		return refuse_feature(-EINVAL, "mremap: to keep the old place, MREMAP_DONTUNMAP", MREMAP_DONTUNMAP);
	if (flags & ~(uint64_t)(USER_REMAP_MAYMOVE | USER_REMAP_FIXED))
		return -EINVAL;
	area = area_find(&space_here()->areas, va);
	locked = area && area->flags & AREA_LOCKED;
	if (locked && page_round_up(new_size) > page_round_up(size) &&
	    !user_lock_allows(space_here(), (page_round_up(new_size) - page_round_up(size)) / PAGE_SIZE))
		return -EAGAIN;
	error = errno_of(memory_remap(space_here(), va, size, new_size, (unsigned)flags, to, &place));
	if (error)
		return error;
	/*
	 * As on Linux, the pages that a locked mapping gains are brought in; if that fails, mremap(2) returns no error.
	 */
	if (locked && new_size > size)
		(void)memory_populate(space_here(), place, page_round_up(new_size), USER_READ);
	return (int64_t)place;
}

enum madvise_advice {
	MADV_NORMAL,
	MADV_RANDOM,
	MADV_SEQUENTIAL,
	MADV_WILLNEED,
	MADV_DONTNEED,
	MADV_FREE = 8,
	MADV_REMOVE,
	MADV_DONTFORK = 10,
	MADV_DOFORK,
	MADV_MERGEABLE,
	MADV_UNMERGEABLE,
	MADV_HUGEPAGE,
	MADV_NOHUGEPAGE,
	MADV_DONTDUMP,
	MADV_DODUMP,
	MADV_WIPEONFORK,
	MADV_KEEPONFORK,
	MADV_COLD,
	MADV_PAGEOUT,
	MADV_POPULATE_READ,
	MADV_POPULATE_WRITE,
	MADV_DONTNEED_LOCKED,
};

/* Return whether any page of a range is locked; `size` is whole pages. */
static bool is_locked(uint64_t va, uint64_t size)
{
	return user_locked_between(space_here(), va, size);
}

static int64_t advise(uint64_t va, uint64_t size, enum user_advice advice)
{
	enum status status = memory_advise(space_here(), va, size, advice);

	return status == ERR_RIGHTS ? -EINVAL : hole_is_no_memory(status);
}

/*
 * Bring all pages of a range into memory. Returns 0; as on Linux -EFAULT (beyond the end of a file), -EINVAL (the area
 * forbids the access), -ENOMEM.
 */
static int64_t populate(uint64_t va, uint64_t size, enum user_rights access)
{
	switch (memory_populate(space_here(), va, size, access)) {
	case OK:
		return 0;
	case ERR_RANGE:
		return -EFAULT;
	case ERR_RIGHTS:
		return -EINVAL;
	default:
		return -ENOMEM;
	}
}

/*
 * Do madvise(2). Advice on how memory will be used is ignored after a check of its range. Unknown advice is -EINVAL,
 * and so is MADV_MERGEABLE, as on a Linux that does not merge equal pages.
 */
SYSCALL_3(madvise, va, size, advice)
{
	if (va % PAGE_SIZE || (size && (!page_round_up(size) || va + page_round_up(size) < va)))
		return -EINVAL;
	size = page_round_up(size);
	switch (advice) {
	case MADV_DONTNEED:
		if (is_locked(va, size))
			return -EINVAL;
		return hole_is_no_memory(memory_drop(space_here(), va, size));
	case MADV_DONTNEED_LOCKED:
		return hole_is_no_memory(memory_drop(space_here(), va, size));
	case MADV_REMOVE:
		if (is_locked(va, size))
			return -EINVAL;
		return memory_remove(space_here(), va, size);
	case MADV_WIPEONFORK:
		return advise(va, size, USER_WIPED);
	case MADV_KEEPONFORK:
		return advise(va, size, USER_KEPT);
	case MADV_DONTFORK:
		return advise(va, size, USER_LEFT_OUT);
	case MADV_DOFORK:
		return advise(va, size, USER_COPIED);
	case MADV_DONTDUMP:
		return advise(va, size, USER_NOT_DUMPED);
	case MADV_DODUMP:
		return advise(va, size, USER_DUMPED);
	case MADV_NOHUGEPAGE:
		return advise(va, size, USER_SMALL_PAGES);
	case MADV_HUGEPAGE:
		return advise(va, size, USER_ANY_PAGES);
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		if (!memory_is_mapped(space_here(), va, size))
			return -ENOMEM;
		return size ? populate(va, size, advice == MADV_POPULATE_READ ? USER_READ : USER_WRITE) : 0;
	case MADV_FREE:
		/* The pages may be dropped, but need not be: only check the range. */
		if (!user_is_private(space_here(), va, size) || is_locked(va, size))
			return -EINVAL;
		return memory_is_mapped(space_here(), va, size) ? 0 : -ENOMEM;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
		return memory_is_mapped(space_here(), va, size) ? 0 : -ENOMEM;
	case MADV_COLD:
	case MADV_PAGEOUT:
		if (is_locked(va, size))
			return -EINVAL;
		return memory_is_mapped(space_here(), va, size) ? 0 : -ENOMEM;
	default:
		return -EINVAL;
	}
}

/* Do mincore(2). There is no swap: a page is in memory if it is mapped, or if its file or shared memory has it. */
SYSCALL_3(mincore, va, size, to)
{
	uint8_t answers[MINCORE_PIECE];
	int error = 0;
	uint64_t pages = page_round_up(size) / PAGE_SIZE;

	if (va % PAGE_SIZE)
		return -EINVAL;
	if (size && (!pages || !memory_is_mapped(space_here(), va, pages * PAGE_SIZE)))
		return -ENOMEM;
	for (uint64_t done = 0, piece; done < pages && !error; done += piece) {
		piece = pages - done < MINCORE_PIECE ? pages - done : MINCORE_PIECE;
		user_resident(space_here(), va + done * PAGE_SIZE, piece, answers);
		error = copy_errno(copy_to_user(user_pointer(to + done), answers, piece));
		/* After -ERESTART_MEMORY the call must return before another task runs (see args_get()). */
		if (!error && task_give_way())
			return -EINTR;
	}
	return error;
}

/* Only check msync(2)'s arguments: files are in memory, and shared mappings are the files' own pages. */
SYSCALL_3(msync, va, size, flags)
{
	if (va % PAGE_SIZE || flags & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    (flags & MS_ASYNC && flags & MS_SYNC))
		return -EINVAL;
	if (!size)
		return 0;
	if (flags & MS_INVALIDATE && is_locked(va, page_round_up(size)))
		return -EBUSY;
	return page_round_up(size) && memory_is_mapped(space_here(), va, page_round_up(size)) ? 0 : -ENOMEM;
}
