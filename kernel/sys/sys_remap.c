/*
 * remap_file_pages(2): shows another part of a shared mapping's file, or memory, at a place of that mapping. As on
 * Linux since 4.0 the place becomes a mapping of its own.
 */
#include "kernel/fs/content.h"
#include "kernel/fs/linux_file.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/sys/memory_steps.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/space_work.h"

/* Return whether [area, end) is one mapping: of one object, with the same rights and kind. */
static bool is_one_mapping(const struct area *area, vaddr_t end)
{
	const struct area *next;

	for (; area->end < end; area = next) {
		next = area_next(area);
		if (!next || next->start != area->end || next->object != area->object || next->rights != area->rights ||
		    (next->flags ^ area->flags) & AREA_KIND)
			return false;
	}
	return true;
}

/*
 * Check a file's seals as mmap(2) does: F_SEAL_FUTURE_WRITE forbids a writable mapping, and another one to become
 * writable later. Returns 0 or -EPERM.
 */
static int heed_seals(const struct memory_object *object, unsigned rights, unsigned *how)
{
	struct node *node = content_node(object);
	const unsigned seals = node ? node_content(node)->seals : 0;

	if (seals & F_SEAL_WRITE || (seals & F_SEAL_FUTURE_WRITE && rights & USER_WRITE))
		return -EPERM;
	if (seals & F_SEAL_FUTURE_WRITE)
		*how |= USER_MAP_READ_ONLY;
	return 0;
}

/* Return enum user_map_flags that make an area of the same kind in its place. */
static unsigned flags_of(const struct area *area)
{
	return USER_MAP_FIXED | USER_MAP_SHARED | (area->flags & AREA_WRITER ? USER_MAP_WRITER : 0) |
	       (area->flags & AREA_NO_EXEC ? USER_MAP_NO_EXEC : 0) | (area->flags & AREA_LOCKED ? USER_MAP_LOCKED : 0);
}

SYSCALL_5(remap_file_pages, va, size, prot, page, flags)
{
	struct user_space *space = process_current()->space;
	struct memory_object *object;
	const struct area *area;
	unsigned rights, how;
	bool writer;
	enum status status = OK;
	vaddr_t place;
	int error;

	(void)flags; /* MAP_NONBLOCK: pages that are not in memory need not be fetched; all are */
	va = align_down(va, PAGE_SIZE);
	size = align_down(size, PAGE_SIZE);
	if (prot || va + size <= va || page > INT64_MAX / PAGE_SIZE || size / PAGE_SIZE > INT64_MAX / PAGE_SIZE - page)
		return -EINVAL;
	error = space_wait(space);
	if (error)
		return error;
	area = area_find(&space->areas, va);
	/* As on Linux the vDSO and files that were opened for reading only do not count as shared. */
	if (!area || (area->flags & (AREA_SHARED | AREA_READ_ONLY)) != AREA_SHARED || !area->object ||
	    !is_one_mapping(area, va + size))
		return -EINVAL;
	object = area->object;
	rights = area->rights;
	how = flags_of(area);
	error = heed_seals(object, rights, &how);
	if (error)
		return error;
	/*
	 * The mapping's reference goes with what is replaced. So does its count as a writer, without which another task
	 * could seal the file while this one gives way.
	 */
	writer = how & USER_MAP_WRITER;
	object->ops->get(object);
	if (writer)
		object->ops->count_writer(object, 1);
	if (size > MEMORY_STEP)
		status = memory_unmap(space, va, size);
	if (status == OK)
		error = heed_seals(object, rights, &how);
	if (status == OK && !error)
		status = user_map(space, va, size, rights, how, object, page, &place);
	if (writer)
		object->ops->count_writer(object, -1);
	object->ops->put(object);
	if (error)
		return error;
	if (status == OK && rights != USER_NONE)
		(void)memory_populate(space, va, size, rights & USER_WRITE ? USER_WRITE : USER_READ);
	return errno_of(status);
}
