/*
 * Makes /proc/PID/smaps, which tells what each area of a process's memory takes, and smaps_rollup, which tells the sums
 * of all areas. A large area is counted in steps, between which other tasks run and may change it: then the sums are
 * those of the moments when its pages were looked at.
 */
#include "kernel/fs/linux_file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_usage.h"
#include "kernel/sys/proc.h"

#define STEP 8192 /* page-table entries that are looked at before other tasks may run */

/* Where the next call goes on; kept from call to call in the text's places (text_file.h). Lives on the stack. */
struct progress {
	uint64_t next; /* areas below this address are done */
	/* address of the next page to be counted in the first area from `next` on; 0: no page is counted */
	uint64_t at;
	struct user_usage usage;
	uint64_t first; /* for smaps_rollup: the first area's start */
};

_Static_assert(sizeof(struct progress) <= TEXT_PLACES * sizeof(uint64_t), "what a text keeps between calls");

static void add_size(struct text *ret, const char *name, uint64_t bytes)
{
	text_add(ret, "%-16s%8llu kB\n", name, (unsigned long long)(bytes >> 10));
}

static void add_share(struct text *ret, const char *name, uint64_t share)
{
	add_size(ret, name, share >> USER_USAGE_SHIFT);
}

static void add_sums(const struct user_usage *usage, bool all, struct text *ret)
{
	add_size(ret, "Rss:", usage->resident);
	add_share(ret, "Pss:", usage->share);
	add_share(ret, "Pss_Dirty:", usage->share_dirty);
	if (all) {
		add_share(ret, "Pss_Anon:", usage->share_anonymous);
		add_share(ret, "Pss_File:", usage->share_file);
		add_share(ret, "Pss_Shmem:", usage->share_memory);
	}
	add_size(ret, "Shared_Clean:", usage->shared_clean);
	add_size(ret, "Shared_Dirty:", usage->shared_dirty);
	add_size(ret, "Private_Clean:", usage->private_clean);
	add_size(ret, "Private_Dirty:", usage->private_dirty);
	add_size(ret, "Referenced:", usage->referenced);
	add_size(ret, "Anonymous:", usage->anonymous);
	add_size(ret, "LazyFree:", 0);
	add_size(ret, "AnonHugePages:", usage->huge);
	add_size(ret, "ShmemPmdMapped:", 0);
	add_size(ret, "FilePmdMapped:", 0);
	add_size(ret, "Shared_Hugetlb:", 0);
	add_size(ret, "Private_Hugetlb:", 0);
	add_size(ret, "Swap:", 0);
	add_size(ret, "SwapPss:", 0);
	add_share(ret, "Locked:", usage->share_locked);
}

/* Add the line VmFlags: two letters for each flag of the area, with Linux's letters and order (proc(5)). */
static void add_flags(const struct area *area, struct text *ret)
{
	const bool shared = area->flags & AREA_SHARED;
	const struct {
		const char *letters;
		bool is;
	} flags[] = {
		{ "rd", area->rights & USER_READ },
		{ "wr", area->rights & USER_WRITE },
		{ "ex", area->rights & USER_EXEC },
		{ "sh", shared },
		{ "mr", true },
		{ "mw", !(area->flags & AREA_READ_ONLY) },
		{ "me", !(area->flags & AREA_NO_EXEC) },
		{ "ms", shared },
		{ "gd", area->flags & AREA_GROWS_DOWN },
		{ "lo", area->flags & AREA_LOCKED },
		{ "dc", area->flags & AREA_LEFT_OUT },
		{ "ac", !shared && area->rights & USER_WRITE },
		{ "wf", area->flags & AREA_WIPED },
		{ "nh", area->flags & AREA_SMALL && !area->object },
	};

	text_add_string(ret, "VmFlags: ");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].is)
			text_add(ret, "%s ", flags[i].letters);
	text_add_char(ret, '\n');
}

/* Return whether a page of 2 MiB can lie in the area. */
static bool takes_huge(const struct area *area)
{
	return !area->object && !(area->flags & AREA_SMALL) &&
	       align_up(area->start, PAGE_SIZE_2M) + PAGE_SIZE_2M <= area->end;
}

static void add_record(const struct process *process, const struct area *area, const struct progress *progress,
		       char *path, struct text *ret)
{
	const vaddr_t start = area->start > progress->next ? area->start : progress->next;

	proc_add_area(area, start, proc_area_name(process, area, path, PATH_MAX), ret);
	add_size(ret, "Size:", area->end - start);
	add_size(ret, "KernelPageSize:", PAGE_SIZE);
	add_size(ret, "MMUPageSize:", PAGE_SIZE);
	add_sums(&progress->usage, false, ret);
	text_add(ret, "THPeligible:    %d\n", takes_huge(area));
	add_flags(area, ret);
}

/* Count the area's pages from where the last call has stopped. Returns whether all are counted now. */
static bool count(struct user_space *space, const struct area *area, struct progress *progress, size_t *budget)
{
	const vaddr_t start = area->start > progress->next ? area->start : progress->next;

	/* The area in which the last call stopped may have gone, and this be a later one: begin at its start. */
	if (progress->at < start)
		progress->at = start;
	user_usage_add(space, area, &progress->at, budget, &progress->usage);
	return progress->at >= area->end;
}

static int more_records(const struct process *process, struct user_space *space, struct progress *progress,
			size_t enough, struct text *ret)
{
	char *path = kmalloc(PATH_MAX);
	size_t budget = STEP;
	bool stopped = false;

	if (!path)
		return -ENOMEM;
	for (const struct area *area = area_find_from(&space->areas, progress->next);
	     area && ret->size < enough && !ret->lost && !stopped; area = area_next(area)) {
		if (progress->at < area->start)
			progress->usage = (struct user_usage){ 0 };
		stopped = !count(space, area, progress, &budget);
		if (stopped)
			break;
		add_record(process, area, progress, path, ret);
		*progress = (struct progress){ .next = area->end };
	}
	kfree(path);
	return stopped && !ret->size ? -EAGAIN : 0;
}

/*
 * Add the only record of smaps_rollup when all areas are counted; add nothing when that was done before. Returns 0, or
 * -EAGAIN: not all are counted yet.
 */
static int more_sums(struct user_space *space, struct progress *progress, struct text *ret)
{
	const struct area *area = area_find_from(&space->areas, progress->next);
	size_t budget = STEP;

	if (progress->next == UINT64_MAX)
		return 0;
	for (; area; area = area_next(area)) {
		if (!progress->next)
			progress->first = area->start;
		if (!count(space, area, progress, &budget))
			return -EAGAIN;
		progress->next = area->end;
		progress->at = 0;
	}
	text_add(ret, "%08llx-%08llx ---p 00000000 00:00 0                              [rollup]\n",
		 (unsigned long long)progress->first, (unsigned long long)progress->next);
	add_sums(&progress->usage, true, ret);
	progress->next = UINT64_MAX;
	return 0;
}

/* Do proc_more_smaps(), or, with `all`, proc_more_smaps_rollup(). */
static int more(struct node *node, uint64_t *places, size_t enough, bool all, struct text *ret)
{
	HELD_PROCESS struct process *process = NULL;
	HELD_SPACE struct user_space *space = NULL;
	struct progress progress;
	int error = proc_find_space(node, &process, &space);

	if (error || !space)
		return error;
	memcpy(&progress, places, sizeof(progress));
	error = all ? more_sums(space, &progress, ret) : more_records(process, space, &progress, enough, ret);
	memcpy(places, &progress, sizeof(progress));
	return error;
}

int proc_more_smaps(struct node *node, uint64_t *places, size_t enough, struct text *ret)
{
	return more(node, places, enough, false, ret);
}

int proc_more_smaps_rollup(struct node *node, uint64_t *places, size_t enough, struct text *ret)
{
	return more(node, places, enough, true, ret);
}
