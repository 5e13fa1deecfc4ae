/*
 * Makes and removes the segments of System V's shared memory; see shm.h. The pages are those of shared anonymous memory
 * (kernel/mm/user/shared_memory.c); what processes map is a memory object of the segment's own in front of it, which
 * counts the mappings.
 */
#include "kernel/ipc/shm.h"

#include "kernel/fs/errno.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/find.h"
#include "kernel/task/give_way.h"

#define SHMMNI        4096
#define UNLIMITED     (UINT64_MAX - (1UL << 24)) /* Linux's default of SHMMAX and SHMALL */
#define SHM_NORESERVE 010000U

/* The table of segments, limits and totals; see shm.h. Guard: tasks only, which the kernel does not preempt. */
struct ipc_table shm_table = IPC_TABLE_INITIAL(SHMMNI);
uint64_t shm_max = UNLIMITED, shm_all = UNLIMITED;
uint64_t shm_pages, shm_resident;
static bool rmid_forced; /* see shm_set_rmid_forced(); guard: tasks only, which the kernel does not preempt */

static const struct memory_object_ops segment_ops;

static struct shm_segment *segment_of(struct memory_object *object)
{
	return (struct shm_segment *)object;
}

struct shm_segment *shm_of_object(struct memory_object *object)
{
	return object && object->ops == &segment_ops ? segment_of(object) : NULL;
}

static uint64_t pages_of(const struct shm_segment *segment)
{
	return (segment->size + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* ---- lifetime ---- */

void shm_hold(struct shm_segment *segment)
{
	segment->ipc.refs++;
}

void shm_drop(struct shm_segment *segment)
{
	if (--segment->ipc.refs)
		return;
	shm_resident -= segment->resident;
	segment->memory->ops->put(segment->memory);
	task_put(segment->creator);
	kfree(segment);
}

/* Take a segment out of the table. */
static void destroy(struct shm_segment *segment)
{
	shm_pages -= pages_of(segment);
	ipc_remove(&shm_table, &segment->ipc);
	shm_drop(segment);
}

void shm_remove(struct shm_segment *segment)
{
	if (!segment->attached) {
		destroy(segment);
		return;
	}
	segment->ipc.mode |= SHM_DEST;
	ipc_forget_key(&shm_table, &segment->ipc);
}

int shm_create(int key, uint64_t size, unsigned flags)
{
	const uint64_t pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
	struct shm_segment *segment;
	int id;

	if (!size || size > shm_max)
		return -EINVAL;
	if (pages > UINT64_MAX / PAGE_SIZE || shm_pages + pages < pages || shm_pages + pages > shm_all)
		return -ENOSPC;
	/* As on Linux no memory is reserved, but a segment larger than all of RAM is refused. */
	if (!(flags & SHM_NORESERVE) && pages > machine_frames.total)
		return -ENOMEM;
	segment = kzalloc(sizeof(*segment));
	if (!segment)
		return -ENOMEM;
	segment->object.ops = &segment_ops;
	segment->size = size;
	segment->creator_pid = process_current()->pid;
	if (shared_memory_create(pages, &segment->memory) != OK) {
		kfree(segment);
		return -ENOMEM;
	}
	id = ipc_add(&shm_table, &segment->ipc, key, flags);
	if (id < 0) {
		segment->memory->ops->put(segment->memory);
		kfree(segment);
		return id;
	}
	segment->creator = task_get(task_current());
	shm_pages += pages;
	return id;
}

/* ---- what areas ask for ---- */

/* Get a page's frame from the object that has the pages, and count a frame that is new. */
static enum status segment_frame(struct memory_object *object, uint64_t page, paddr_t *ret)
{
	struct shm_segment *segment = segment_of(object);
	struct memory_object *memory = segment->memory;
	const bool had = memory->ops->has(memory, page);
	enum status status;

	if (!had && shm_resident >= machine_frames.total / 2)
		return ERR_RANGE;
	status = memory->ops->frame(memory, page, ret);
	if (!had && memory->ops->has(memory, page)) {
		segment->resident++;
		shm_resident++;
	}
	return status;
}

static void note_use(struct shm_segment *segment, int64_t *time)
{
	*time = ipc_now();
	if (process_current())
		segment->last_pid = process_current()->pid;
}

static void segment_get(struct memory_object *object)
{
	struct shm_segment *segment = segment_of(object);

	shm_hold(segment);
	segment->attached++;
	note_use(segment, &segment->attach_time);
}

static void segment_put(struct memory_object *object)
{
	struct shm_segment *segment = segment_of(object);

	segment->attached--;
	note_use(segment, &segment->detach_time);
	if (!segment->attached && !segment->ipc.gone && (rmid_forced || segment->ipc.mode & SHM_DEST))
		destroy(segment);
	shm_drop(segment);
}

static void segment_take(struct memory_object *object, uint64_t *first, uint64_t end, struct object_taken *ret)
{
	struct shm_segment *segment = segment_of(object);

	segment->memory->ops->take(segment->memory, first, end, ret);
	segment->resident -= ret->count;
	shm_resident -= ret->count;
}

static bool segment_has(struct memory_object *object, uint64_t page)
{
	struct memory_object *memory = segment_of(object)->memory;

	return memory->ops->has(memory, page);
}

static bool segment_is_long(const struct memory_object *object)
{
	const struct shm_segment *segment = (const struct shm_segment *)object;

	return segment->ipc.refs <= 2 && segment->memory->ops->is_long(segment->memory);
}

static const struct memory_object_ops segment_ops = {
	.frame = segment_frame,
	.write_frame = segment_frame,
	.same_frame = true,
	.get = segment_get,
	.put = segment_put,
	.take = segment_take,
	.has = segment_has,
	.is_long = segment_is_long,
};

/* ---- segments that go by themselves ---- */

bool shm_rmid_forced(void)
{
	return rmid_forced;
}

/*
 * Remove the segments that are not mapped and were made by `creator`, or, if that is NULL, by a task that has ended.
 * Returns 0; or, only if `creator` is NULL, -EINTR: the current task must end.
 */
static int remove_orphans(const struct task *creator)
{
	struct ipc_object *object;

	for (uint32_t index = 0; (object = ipc_next(&shm_table, &index)); index++) {
		struct shm_segment *segment = shm_of(object);

		if (!segment->attached && (creator ? segment->creator == creator : !segment->creator->process))
			destroy(segment);
		if (task_give_way() && !creator)
			return -EINTR;
	}
	return 0;
}

int shm_set_rmid_forced(bool forced)
{
	rmid_forced = forced;
	return forced ? remove_orphans(NULL) : 0;
}

void shm_task_exit(struct task *task)
{
	if (rmid_forced)
		(void)remove_orphans(task);
}
