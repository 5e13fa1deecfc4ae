/*
 * Computes how much memory a process has, by which out_of_memory.c chooses the process to kill. The memory of a file
 * that several descriptors or processes share is divided among them, so that a process cannot hide memory by sharing.
 */
#include "kernel/task/memory_score.h"

#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/kernel_stack.h"
#include "kernel/net/unix.h"
#include "kernel/task/find.h"

/*
 * Return how many bytes are freed with a file's last reference: those of a pipe, a socket, or a file without a name.
 */
static uint64_t content_bytes(const struct file *file)
{
	const struct node *node = file->node;

	if (node_is(node, S_IFSOCK))
		return unix_bytes(file);
	if (node->pipe)
		return pipe_bytes(node->pipe);
	return !node->links && node->ops->blocks ? node->ops->blocks(node) * 512 : 0;
}

static uint64_t files_bytes(const struct fd_table *fds)
{
	uint64_t bytes = fds->capacity * sizeof(fds->files[0]);

	for (unsigned fd = 0; fd < fds->capacity; fd++) {
		const struct file *file = fds->files[fd];

		if (file)
			bytes += (sizeof(*file) + content_bytes(file) / file->node->refs) / file->refs;
	}
	return bytes;
}

uint64_t memory_of_process(const struct process *process)
{
	uint64_t bytes = (uint64_t)process->task_count * KERNEL_STACK_SIZE, pages = 0;
	HELD_FDS struct fd_table *fds = process_get_fds(process);

	if (process->space) {
		pages = process->space->resident_pages + process->space->context.space.tables;
		bytes += process->space->areas.count * sizeof(struct area);
	}
	if (fds)
		bytes += files_bytes(fds) / (fds->refs - 1);
	return pages + bytes / PAGE_SIZE;
}

int64_t memory_score(const struct process *process)
{
	return (int64_t)memory_of_process(process) +
	       process->memory_adjust * (int64_t)machine_frames.total / MEMORY_ADJUST_MOST;
}

uint64_t memory_score_told(const struct process *process)
{
	int64_t told;

	if (process->memory_adjust == -MEMORY_ADJUST_MOST)
		return 0;
	told = (1000 + memory_score(process) * 1000 / (int64_t)machine_frames.total) * 2 / 3;
	return told > 0 ? (uint64_t)told : 0;
}
