/*
 * shmget(2), shmat(2), shmdt(2), shmctl(2): check arguments and convert structures. kernel/ipc/shm.c has the segments.
 */
#include "kernel/ipc/shm.h"
#include "kernel/sys/ipc_args.h"
#include "kernel/sys/memory_steps.h"
#include "kernel/task/give_way.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/space_work.h"

#define SHM_HUGETLB 04000

#define SHM_RDONLY 010000
#define SHM_RND    020000
#define SHM_REMAP  040000
#define SHM_EXEC   0100000

#define SHM_LOCK     11
#define SHM_UNLOCK   12
#define SHM_STAT     13
#define SHM_INFO     14
#define SHM_STAT_ANY 15

/* Linux's struct shmid64_ds, shminfo64 and shm_info. */
struct linux_shmid {
	struct linux_ipc_perm perm;
	uint64_t size;
	int64_t attach_time, detach_time, change_time;
	int32_t creator_pid, last_pid;
	uint64_t attached, unused1, unused2;
};

struct linux_shm_limits {
	uint64_t max, min, mni, seg, all, unused[4];
};

struct linux_shm_info {
	int32_t count;
	uint64_t pages, resident, swapped, swap_attempts, swap_successes;
};

_Static_assert(sizeof(struct linux_shmid) == 112, "Linux's struct shmid64_ds");

/* Return the error of shmget(2) for a new segment of huge pages: as on a Linux whose pool of them is empty. */
static int no_huge_pages(uint64_t size)
{
	if (!size || size > shm_max)
		return -EINVAL;
	return refuse_feature(rights_can(CAP_IPC_LOCK) ? -ENOMEM : -EPERM, "shmget: huge pages, SHM_HUGETLB",
			      SHM_HUGETLB);
}

SYSCALL_3(shmget, key, size, flags)
{
	struct ipc_object *found;
	int error = ipc_look_up(&shm_table, (int)key, (unsigned)flags, &found);

	if (error)
		return error;
	if (!found && flags & SHM_HUGETLB)
		return no_huge_pages(size);
	if (!found)
		return shm_create((int)key, size, (unsigned)flags);
	if (shm_of(found)->size < size)
		return -EINVAL;
	error = ipc_permits(found, (unsigned)flags);
	return error ? error : ipc_id(found);
}

/* ---- shmat and shmdt ---- */

/* Check the address that shmat(2) is given, and round it down to a page. Returns 0 or -EINVAL. */
static int check_address(uint64_t *va, uint64_t flags)
{
	if (!*va)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (*va % PAGE_SIZE && !(flags & SHM_RND))
		return -EINVAL;
	*va &= ~(uint64_t)(PAGE_SIZE - 1);
	return !*va && flags & SHM_REMAP ? -EINVAL : 0;
}

/* Map a segment, which the caller holds. Returns the address or an error. */
static int64_t attach(struct shm_segment *segment, uint64_t va, bool fixed, uint64_t flags)
{
	struct user_space *space = process_current()->space;
	unsigned rights = USER_READ | (flags & SHM_RDONLY ? 0 : USER_WRITE) | (flags & SHM_EXEC ? USER_EXEC : 0);
	unsigned how = USER_MAP_SHARED | (flags & SHM_RDONLY ? USER_MAP_READ_ONLY : 0) | (fixed ? USER_MAP_FIXED : 0);
	const uint64_t size = page_round_up(segment->size);
	const struct area *area;
	vaddr_t place;
	int error;

	error = space_wait(space);
	if (error)
		return error;
	if (fixed && !(flags & SHM_REMAP)) {
		area = area_find_from(&space->areas, va);
		if (va + segment->size < va || (area && area->start < va + segment->size))
			return -EINVAL;
	}
	if (fixed && (size > USER_END || va > USER_END - size))
		return -ENOMEM;
	if (fixed && va < USER_MIN)
		return -EPERM;
	/* Unmap what is mapped at `va` in pieces, between which other tasks can run, since it may be much. */
	if (fixed && size > MEMORY_STEP)
		error = errno_of(memory_unmap(space, va, size));
	if (!error)
		error = errno_of(user_map(space, va, size, rights, how, &segment->object, 0, &place));
	return error ? error : (int64_t)place;
}

SYSCALL_3(shmat, id, at, flags)
{
	const unsigned wanted = 0444 | (flags & SHM_RDONLY ? 0 : 0222) | (flags & SHM_EXEC ? 0111 : 0);
	struct shm_segment *segment;
	const bool fixed = at;
	int64_t result;

	result = (int)id < 0 ? -EINVAL : check_address(&at, flags);
	if (result)
		return result;
	segment = shm_of(ipc_find(&shm_table, (int)id));
	if (!segment)
		return -EINVAL;
	result = ipc_permits(&segment->ipc, wanted);
	if (result)
		return result;
	shm_hold(segment);
	result = attach(segment, at, fixed, flags);
	shm_drop(segment);
	return result;
}

/*
 * Return the first area from *at on, below `end`, that is a part of a mapping that begins at `va`: it maps a segment,
 * and has the same page of it at each address as a mapping of the segment from `va` on. `segment`: look for this one
 * only; NULL: for any. Advances *at behind the areas that were looked at, 1,024 at most: if it returns NULL with *at
 * below `end`, call it again.
 */
static const struct area *find_part(const struct user_space *space, uint64_t va, const struct shm_segment *segment,
				    uint64_t *at, uint64_t end)
{
	const struct area *area = area_find_from(&space->areas, *at);

	for (int steps = 0; area && area->start < end; area = area_next(area), steps++) {
		const struct shm_segment *here = shm_of_object(area->object);

		if (steps == 1024)
			return NULL;
		*at = area->end;
		if (here && (!segment || here == segment) && area->start >= va &&
		    (area->start - va) / PAGE_SIZE == area->offset)
			return area;
	}
	*at = end;
	return NULL;
}

/* Unmap a segment that is mapped at `va`, all parts that are left of it. As on Linux, the first part may be missing. */
static int detach(struct user_space *space, uint64_t va)
{
	struct shm_segment *segment = NULL;
	const struct area *area;
	uint64_t at = va, end = USER_END;
	int error = space_wait(space);

	while (at < end && !error) {
		area = find_part(space, va, segment, &at, end);
		if (area && !segment) {
			segment = shm_of_object(area->object);
			shm_hold(segment);
			end = va + page_round_up(segment->size);
		}
		if (area)
			error = errno_of(memory_unmap(space, area->start, area->end - area->start));
		if (!error && at < end && task_give_way())
			error = -EINTR;
		if (!error)
			error = space_wait(space);
	}
	if (!segment)
		return error ? error : -EINVAL;
	shm_drop(segment);
	return error;
}

SYSCALL_1(shmdt, at)
{
	return at % PAGE_SIZE ? -EINVAL : detach(process_current()->space, at);
}

/* ---- shmctl ---- */

static int64_t put_limits(uint64_t to)
{
	const struct linux_shm_limits limits = { .max = shm_max,
						 .min = 1,
						 .mni = (uint64_t)shm_table.most,
						 .seg = (uint64_t)shm_table.most,
						 .all = shm_all };
	int error = args_put(to, &limits, sizeof(limits));

	return error ? error : ipc_top(&shm_table);
}

static int64_t put_info(uint64_t to)
{
	const struct linux_shm_info info = { .count = (int32_t)shm_table.count,
					     .pages = shm_pages,
					     .resident = shm_resident };
	int error = args_put(to, &info, sizeof(info));

	return error ? error : ipc_top(&shm_table);
}

/* Do IPC_STAT, SHM_STAT or SHM_STAT_ANY. `by` says whether `number` is an id or an index. */
static int64_t put_state(int number, enum ipc_stat_by by, uint64_t to)
{
	struct ipc_object *object;
	const struct shm_segment *segment;
	struct linux_shmid state;
	int error = ipc_find_to_stat(&shm_table, number, by, &object);

	if (error)
		return error;
	segment = shm_of(object);
	state = (struct linux_shmid){ .perm = linux_ipc_perm(object),
				      .size = segment->size,
				      .attach_time = segment->attach_time,
				      .detach_time = segment->detach_time,
				      .change_time = object->change_time,
				      .creator_pid = segment->creator_pid,
				      .last_pid = segment->last_pid,
				      .attached = segment->attached };
	error = args_put(to, &state, sizeof(state));
	return error ? error : by == IPC_BY_ID ? 0 : ipc_id(object);
}

static int64_t set_owner(int id, uint64_t from)
{
	struct linux_shmid wanted;
	struct ipc_object *object;
	int error = args_get(&wanted, from, sizeof(wanted));

	if (!error)
		error = ipc_find_owned(&shm_table, id, &object);
	return error ? error : ipc_set(object, wanted.perm.uid, wanted.perm.gid, wanted.perm.mode);
}

static int64_t remove_segment(int id)
{
	struct ipc_object *object;
	int error = ipc_find_owned(&shm_table, id, &object);

	if (!error)
		shm_remove(shm_of(object));
	return error;
}

/* Mark a segment as locked or unlocked. All memory stays in RAM anyway: the mark is only shown by IPC_STAT. */
static int64_t lock_or_unlock(int id, bool lock)
{
	struct shm_segment *segment = shm_of(ipc_find(&shm_table, id));
	const uint64_t limit = process_current()->limits[LIMIT_MEMLOCK].soft;
	const uint32_t user = rights_current()->uid.effective;

	if (!segment)
		return -EINVAL;
	if (!rights_can(CAP_IPC_LOCK)) {
		if (user != segment->ipc.uid && user != segment->ipc.creator_uid)
			return -EPERM;
		if (lock && !limit)
			return -EPERM;
		if (lock && !(segment->ipc.mode & SHM_LOCKED) && segment->size > limit)
			return -ENOMEM;
	}
	segment->ipc.mode = lock ? segment->ipc.mode | SHM_LOCKED : segment->ipc.mode & ~SHM_LOCKED;
	return 0;
}

SYSCALL_3(shmctl, id, command, buffer)
{
	if ((int)id < 0 || (int)command < 0)
		return -EINVAL;
	switch ((uint32_t)command) {
	case IPC_INFO:
		return put_limits(buffer);
	case SHM_INFO:
		return put_info(buffer);
	case IPC_STAT:
		return put_state((int)id, IPC_BY_ID, buffer);
	case SHM_STAT:
		return put_state((int)id, IPC_BY_INDEX, buffer);
	case SHM_STAT_ANY:
		return put_state((int)id, IPC_BY_INDEX_ANY, buffer);
	case IPC_SET:
		return set_owner((int)id, buffer);
	case IPC_RMID:
		return remove_segment((int)id);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return lock_or_unlock((int)id, command == SHM_LOCK);
	}
	return -EINVAL;
}
