/*
 * Shared anonymous memory: a memory object whose pages are zeros at first. Which frame a page has is recorded in page
 * tables of a space that no CPU loads: page n is "mapped" at n * 4 KiB. So the memory's size does not matter to the
 * heap, which holds only the structure below.
 */
#include "kernel/arch/cpu_user.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/mm/user/user_pages.h"
#include "kernel/sync/late_work.h"

/* Shared anonymous memory. Guard: tasks only, which the kernel does not preempt. */
struct shared_memory {
	struct memory_object object; /* must be the first member: pointers to it are cast to this structure */
	size_t references;
	uint64_t pages;
	struct space frames; /* valid once `started` */
	bool started;
	vaddr_t ended;        /* during destruction: the frames of pages below this address are freed already */
	struct late_work end; /* frees the frames step by step, on the task's way back to user mode (late_work.h) */
};

#define RUNS_OF_PIECE 4 /* page tables whose frames one step of `end` frees */

/* Give the page a new frame of zeros; the object keeps the reference to it. After ERR_NO_MEMORY nothing has changed. */
static enum status fill(struct shared_memory *memory, uint64_t page)
{
	enum status status;
	paddr_t pa;
	pte_t *at;

	status = frame_alloc_4k(frame_cache_here(), &pa);
	if (status != OK)
		return status;
	status = space_place(&memory->frames, page * PAGE_SIZE, 1, &at);
	if (status != OK) {
		frame_free_4k(frame_cache_here(), pa);
		return status;
	}
	cpu_zero_pages((void *)(memory->frames.direct + pa.raw), 1);
	pte_write(at, pte_leaf(pa, PROT_USER, 1));
	return OK;
}

static enum status shared_frame(struct memory_object *object, uint64_t page, paddr_t *ret)
{
	struct shared_memory *memory = (struct shared_memory *)object;
	enum status status;
	struct mapping leaf;

	if (page >= memory->pages)
		return ERR_RANGE;
	if (!memory->started) {
		status = kernel_space_create(&memory->frames);
		if (status != OK)
			return status;
		memory->started = true;
	}
	if (space_lookup(&memory->frames, page * PAGE_SIZE, &leaf) != OK) {
		status = fill(memory, page);
		if (status != OK)
			return status;
		status = space_lookup(&memory->frames, page * PAGE_SIZE, &leaf);
		ASSERT(status == OK);
	}
	status = user_frame_get(leaf.pa);
	if (status == OK)
		*ret = leaf.pa;
	return status;
}

static bool shared_has(struct memory_object *object, uint64_t page)
{
	struct shared_memory *memory = (struct shared_memory *)object;
	struct mapping leaf;

	return page < memory->pages && memory->started && space_lookup(&memory->frames, page * PAGE_SIZE, &leaf) == OK;
}

static void shared_take(struct memory_object *object, uint64_t *first, uint64_t end, struct object_taken *ret)
{
	struct shared_memory *memory = (struct shared_memory *)object;
	const vaddr_t last = (end < memory->pages ? end : memory->pages) * PAGE_SIZE - 1;
	struct space_run run;
	size_t i = 0;

	if (!memory->started || *first >= memory->pages ||
	    !space_run(&memory->frames, *first * PAGE_SIZE, last, &run)) {
		*first = end;
		return;
	}
	/* No CPU has ever used these tables: an entry is taken out without a flush. */
	for (; i < run.count && ret->count < OBJECT_TAKEN_MOST; i++) {
		pte_t e = pte_read(&run.at[i]);

		if (!e.raw)
			continue;
		object_taken_add(ret, run.va / PAGE_SIZE + i, pte_paddr(e, 1));
		pte_write(&run.at[i], (pte_t){ 0 });
	}
	*first = run.va / PAGE_SIZE + i;
}

static void shared_get(struct memory_object *object)
{
	((struct shared_memory *)object)->references++;
}

/* Free the frames of the next RUNS_OF_PIECE page tables, and these tables. Call in the kernel context. */
static void end_piece(struct shared_memory *memory, vaddr_t end)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;
	const vaddr_t start = memory->ended;
	struct space_run run;
	unsigned runs = 0;

	while (memory->ended < end && runs++ < RUNS_OF_PIECE &&
	       space_run(&memory->frames, memory->ended, end - 1, &run)) {
		for (size_t i = 0; i < run.count; i++)
			if (pte_read(&run.at[i]).raw)
				user_frame_put(pte_paddr(pte_read(&run.at[i]), 1));
		memory->ended = space_run_end(&run);
	}
	if (runs <= RUNS_OF_PIECE)
		memory->ended = end;
	/* No CPU has ever used these tables: nothing need be flushed. */
	space_prune(&memory->frames, start, memory->ended - 1, 0, memory->ended, &flush);
	space_release(&memory->frames, &flush);
}

static bool end_some(struct late_work *work)
{
	struct shared_memory *memory = (struct shared_memory *)((char *)work - offsetof(struct shared_memory, end));
	const vaddr_t end = memory->pages * PAGE_SIZE;
	context_token_t token = kernel_context_enter();
	bool done;

	end_piece(memory, end);
	done = memory->ended == end;
	if (done)
		space_clear(&memory->frames, 0, 512);
	kernel_context_leave(token);
	if (done)
		kfree(memory);
	return done;
}

static void shared_put(struct memory_object *object)
{
	struct shared_memory *memory = (struct shared_memory *)object;

	if (--memory->references)
		return;
	if (!memory->started) {
		kfree(memory);
		return;
	}
	memory->end.step = end_some;
	late_work_add(&memory->end);
}

static bool shared_is_long(const struct memory_object *object)
{
	const struct shared_memory *memory = (const struct shared_memory *)object;

	return memory->references == 1 && memory->started && memory->frames.tables > RUNS_OF_PIECE + 2;
}

static const struct memory_object_ops shared_ops = {
	.frame = shared_frame,
	.write_frame = shared_frame,
	.same_frame = true,
	.get = shared_get,
	.put = shared_put,
	.take = shared_take,
	.has = shared_has,
	.is_long = shared_is_long,
};

enum status shared_memory_create(uint64_t pages, struct memory_object **ret)
{
	struct shared_memory *memory;

	if (pages > USER_SIZE / PAGE_SIZE)
		return ERR_NO_MEMORY;
	memory = kzalloc(sizeof(*memory));
	if (!memory)
		return ERR_NO_MEMORY;
	memory->object.ops = &shared_ops;
	memory->references = 1;
	memory->pages = pages;
	*ret = &memory->object;
	return OK;
}
