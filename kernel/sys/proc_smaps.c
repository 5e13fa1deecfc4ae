/*
 * Makes /proc/PID/smaps, which tells what each area of a process's memory takes, and smaps_rollup, which tells the sums
 * of all areas. A large area is counted in steps, between which other tasks run and may change it: then the sums are
 * those of the moments when its pages were looked at.
 */
#include "kernel/fs/linux_file.h"
#include "kernel/lib/format.h"
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

#define LABEL     16 /* bytes of a line in front of its number, which has 8 columns or more */
#define LINE_MOST (LABEL + FORMAT_ROOM + sizeof(" kB\n"))
#define SIZES     24 /* lines that add_sums() writes at most */

/* Write a line with a number of KiB, and return where the next one begins. Most numbers are 0. */
static char *put_size(char *at, const char *label, uint64_t bytes)
{
	static const char nothing[] = "       0 kB\n";
	char digits[FORMAT_ROOM];
	const uint64_t kib = bytes >> 10;
	size_t count, blanks;

	memcpy(at, label, LABEL);
	at += LABEL;
	if (!kib) {
		memcpy(at, nothing, sizeof(nothing) - 1);
		return at + sizeof(nothing) - 1;
	}
	count = (size_t)(format_decimal(digits, kib) - digits);
	blanks = count < 8 ? 8 - count : 0;
	memset(at, ' ', blanks);
	memcpy(at + blanks, digits, count);
	memcpy(at + blanks + count, " kB\n", 4);
	return at + blanks + count + 4;
}

static char *put_share(char *at, const char *label, uint64_t share)
{
	return put_size(at, label, share >> USER_USAGE_SHIFT);
}

static void add_sums(const struct user_usage *usage, bool all, struct text *ret)
{
	char *at = text_room(ret, SIZES * LINE_MOST);

	if (!at)
		return;
	at = put_size(at, "Rss:            ", usage->resident);
	at = put_share(at, "Pss:            ", usage->share);
	at = put_share(at, "Pss_Dirty:      ", usage->share_dirty);
	if (all) {
		at = put_share(at, "Pss_Anon:       ", usage->share_anonymous);
		at = put_share(at, "Pss_File:       ", usage->share_file);
		at = put_share(at, "Pss_Shmem:      ", usage->share_memory);
	}
	at = put_size(at, "Shared_Clean:   ", usage->shared_clean);
	at = put_size(at, "Shared_Dirty:   ", usage->shared_dirty);
	at = put_size(at, "Private_Clean:  ", usage->private_clean);
	at = put_size(at, "Private_Dirty:  ", usage->private_dirty);
	at = put_size(at, "Referenced:     ", usage->referenced);
	at = put_size(at, "Anonymous:      ", usage->anonymous);
	at = put_size(at, "LazyFree:       ", 0);
	at = put_size(at, "AnonHugePages:  ", usage->huge);
	at = put_size(at, "ShmemPmdMapped: ", 0);
	at = put_size(at, "FilePmdMapped:  ", 0);
	at = put_size(at, "Shared_Hugetlb: ", 0);
	at = put_size(at, "Private_Hugetlb:", 0);
	at = put_size(at, "Swap:           ", 0);
	at = put_size(at, "SwapPss:        ", 0);
	at = put_share(at, "Locked:         ", usage->share_locked);
	text_end(ret, at);
}

/* Add the line VmFlags: two letters for each flag of the area, with Linux's letters and order (proc(5)). */
static void add_flags(const struct area *area, struct text *ret)
{
	const bool shared = area->flags & AREA_SHARED;
	const struct {
		char letters[4]; /* with the blank that follows */
		bool is;
	} flags[] = {
		{ "rd ", area->rights & USER_READ },
		{ "wr ", area->rights & USER_WRITE },
		{ "ex ", area->rights & USER_EXEC },
		{ "sh ", shared },
		{ "mr ", true },
		{ "mw ", !(area->flags & AREA_READ_ONLY) },
		{ "me ", !(area->flags & AREA_NO_EXEC) },
		{ "ms ", shared },
		{ "gd ", area->flags & AREA_GROWS_DOWN },
		{ "lo ", area->flags & AREA_LOCKED },
		{ "dc ", area->flags & AREA_LEFT_OUT },
		{ "ac ", !shared && area->rights & USER_WRITE },
		{ "wf ", area->flags & AREA_WIPED },
		{ "dd ", area->flags & AREA_NOT_DUMPED },
		{ "nh ", area->flags & AREA_SMALL && !area->object },
	};

	text_add_string(ret, "VmFlags: ");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].is)
			text_add_bytes(ret, flags[i].letters, 3);
	text_add_char(ret, '\n');
}

/* Return whether a page of 2 MiB can lie in the area. */
static bool takes_huge(const struct area *area)
{
	return !area->object && !(area->flags & AREA_SMALL) &&
	       align_up(area->start, PAGE_SIZE_2M) + PAGE_SIZE_2M <= area->end;
}

static void add_record(const struct area *area, const struct progress *progress, const char *name, struct text *ret)
{
	const vaddr_t start = area->start > progress->next ? area->start : progress->next;
	char *at;

	proc_add_area(area, start, name, ret);
	at = text_room(ret, 3 * LINE_MOST);
	if (!at)
		return;
	at = put_size(at, "Size:           ", area->end - start);
	at = put_size(at, "KernelPageSize: ", PAGE_SIZE);
	at = put_size(at, "MMUPageSize:    ", PAGE_SIZE);
	text_end(ret, at);
	add_sums(&progress->usage, false, ret);
	text_add_string(ret, takes_huge(area) ? "THPeligible:    1\n" : "THPeligible:    0\n");
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
	const struct memory_object *object = NULL;
	const char *name = NULL;
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
		/* A file's areas mostly follow one another, so its path is looked up only once for them. */
		if (!name || !area->object || area->object != object)
			name = proc_area_name(process, area, path, PATH_MAX);
		object = area->object;
		add_record(area, progress, name, ret);
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
