/*
 * Serves /proc/PID/mem, the memory of a process, by its addresses; and pagemap, which says of each page whether it is
 * there. An open file belongs to the memory that the process had when the file was opened: after the process's end, or
 * its execve(2), reads return 0 bytes.
 */
#include "kernel/mm/user/user_foreign.h"
#include "kernel/mm/user/user_usage.h"
#include "kernel/sys/proc_node.h"
#include "kernel/task/rights.h"

/*
 * Return a reference to the memory that the file was opened for; NULL: the process has ended, or has other memory now.
 */
static struct user_space *space_of(const struct file *file)
{
	HELD_PROCESS struct process *process = proc_find_process(file->node);
	struct user_space *space = process ? process_get_space(process) : NULL;

	if (space && space->context.id != file->space) {
		user_space_put(space);
		return NULL;
	}
	return space;
}

/*
 * Move bytes at *offset, which advances. Returns how many; or, if none, -EIO (nothing can be accessed there),
 * -ERESTART_MEMORY.
 */
static int64_t move(const struct file *file, struct user_io *io, uint64_t *offset, user_foreign_fn *move_bytes)
{
	HELD_SPACE struct user_space *space = space_of(file);
	enum status status;
	size_t moved;

	if (!space)
		return 0;
	status = move_bytes(space, *offset, io, io->left, &moved);
	*offset += moved;
	if (moved || status == OK)
		return (int64_t)moved;
	return status == ERR_NO_MEMORY ? -ERESTART_MEMORY : -EIO;
}

static int64_t mem_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	return move(file, io, offset, user_foreign_get);
}

static int64_t mem_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	return move(file, io, offset, user_foreign_force);
}

/* Do lseek(2): as on Linux any offset is allowed, and SEEK_END is refused, since the memory has no end. */
static int64_t mem_seek(struct file *file, int64_t offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	file->offset = (uint64_t)offset + (whence == SEEK_CUR ? file->offset : 0);
	return (int64_t)file->offset;
}

static const struct file_ops mem_file_ops = { .read = mem_read, .write = mem_write, .seek = mem_seek };

/* ---- pagemap ---- */

#define ENTRY_MINE    (1ULL << 56) /* no other mapping has the page */
#define ENTRY_FILE    (1ULL << 61) /* the page is a file's, or shared memory */
#define ENTRY_PRESENT (1ULL << 63)
#define ENTRIES_STEP  256 /* entries that one step of a read makes */

/*
 * Return the entry of the page at `va`. As on Linux for who may not know frames, its number is 0 in each; soft-dirty
 * bits are not there.
 */
static uint64_t entry_of(struct user_space *space, vaddr_t va)
{
	const struct area *area = area_find(&space->areas, va);
	struct user_usage usage = { 0 };
	size_t budget = 1;
	struct area page;

	if (!area)
		return 0;
	page = *area;
	page.start = va;
	page.end = va + PAGE_SIZE;
	user_usage_add(space, &page, &va, &budget, &usage);
	if (!usage.resident)
		return 0;
	return ENTRY_PRESENT | (usage.anonymous ? 0 : ENTRY_FILE) |
	       (usage.private_clean || usage.private_dirty ? ENTRY_MINE : 0);
}

/* Read entries, of 8 bytes each and in the order of the pages; only whole ones: else -EINVAL. */
static int64_t pagemap_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	HELD_SPACE struct user_space *space = space_of(file);
	int64_t total = 0;
	uint64_t entry;

	if (*offset % sizeof(entry) || io->left % sizeof(entry))
		return -EINVAL;
	for (int i = 0; i < ENTRIES_STEP && space && io->left && *offset / sizeof(entry) < USER_END / PAGE_SIZE; i++) {
		enum status status;

		entry = entry_of(space, *offset / sizeof(entry) * PAGE_SIZE);
		status = user_io_put_all(io, &entry, sizeof(entry));
		if (status != OK)
			return total ? total : copy_errno(status);
		*offset += sizeof(entry);
		total += sizeof(entry);
	}
	return total;
}

static const struct file_ops pagemap_file_ops = { .read = pagemap_read, .seek = mem_seek };

/* ---- opening ---- */

static int mem_open(struct node *node, struct file *file)
{
	HELD_PROCESS struct process *process = proc_find_process(node);

	if (!process)
		return -ESRCH;
	if (!rights_may_look(process))
		return -EACCES;
	file->space = process->space ? process->space->context.id : 0;
	file->ops = node->ops == &proc_mem_ops ? &mem_file_ops : &pagemap_file_ops;
	file->properties = FILE_SEEKS | (node->ops == &proc_mem_ops ? 0 : FILE_STEPS);
	return 0;
}

static int mem_truncate(struct node *node, uint64_t size)
{
	(void)node;
	(void)size;
	return 0;
}

const struct node_ops proc_mem_ops = {
	.open = mem_open, .truncate = mem_truncate, .place = proc_place, .fixed = proc_fixed, .free = proc_node_free
};
const struct node_ops proc_pagemap_ops = {
	.open = mem_open, .truncate = mem_truncate, .place = proc_place, .fixed = proc_fixed, .free = proc_node_free
};
