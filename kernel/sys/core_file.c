/*
 * Writes bytes and user memory to a core file, and leaves holes in it. core_dump.c and core_notes.c decide what is
 * written.
 */
#include "kernel/sys/core_file.h"

#include "kernel/mm/user/user_foreign.h"
#include "kernel/task/give_way.h"
#include "kernel/task/process.h"

#define RUN 8 /* most pages that are written in one step */

/* Write the bytes of `io` at to->at and advance to->at. If to->file is NULL, only advance to->at. */
static void put(struct core_file *to, struct user_io *io)
{
	if (to->failed)
		return;
	if (io->left > to->limit || to->at > to->limit - io->left) {
		to->failed = true;
		return;
	}
	if (!to->file) {
		to->at += io->left;
		return;
	}
	while (io->left) {
		const int64_t moved = file_move(to->file, FILE_PWRITE, io, to->at);

		if (moved <= 0) {
			to->failed = true;
			return;
		}
		to->at += (uint64_t)moved;
	}
}

void core_put(struct core_file *to, const void *bytes, size_t size)
{
	struct user_io io;

	/* The cast is harmless, as the bytes are only read. */
	user_io_init_kernel(&io, (void *)(uintptr_t)bytes, size);
	put(to, &io);
}

void core_skip_to(struct core_file *to, uint64_t at)
{
	static const uint8_t zero;

	/* Write the hole's last byte, since a hole at the file's end would otherwise not count in the file's size. */
	if (at > to->at && to->file) {
		to->at = at - 1;
		core_put(to, &zero, 1);
	}
	to->at = at;
}

/*
 * Return the first address from `va` on that may have a page; `end` or more if none below `end` does. Anonymous private
 * memory has only the pages that are mapped, and may be huge and almost empty, so what is not mapped is skipped at
 * once.
 */
static vaddr_t skip(struct user_space *space, const struct area *area, vaddr_t va, vaddr_t end)
{
	return area->object ? va : user_skip_absent(space, va, end);
}

void core_put_memory(struct core_file *to, const struct area *area, uint64_t size)
{
	struct user_space *space = process_current()->space;
	const uint64_t end = to->at + size;
	const vaddr_t va = area->start;
	uint64_t done = skip(space, area, va, va + size) - va;
	uint8_t there[RUN];

	while (done < size && !to->failed) {
		const size_t left = (size - done) / PAGE_SIZE, pages = left < RUN ? left : RUN;
		size_t run = 0;
		struct user_io io;

		user_resident(space, va + done, pages, there);
		while (run < pages && there[run] == there[0])
			run++;
		user_io_init(&io, space, va + done, run * PAGE_SIZE);
		to->at = end - size + done;
		if (there[0])
			put(to, &io);
		done += run * PAGE_SIZE;
		/*
		 * task_give_way() tells whether the task must end. The process ends in any case; only `killed` stops
		 * the core file.
		 */
		(void)task_give_way();
		to->failed |= process_current()->killed;
		done = skip(space, area, va + done, va + size) - va;
	}
	if (!to->failed)
		core_skip_to(to, end);
}
