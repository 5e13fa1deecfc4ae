/*
 * Files of /proc/PID that come from the process's memory: maps, cmdline, environ; sums of its memory for stat and
 * status; and mounts.
 */
#include "kernel/fs/content.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/sys/proc.h"

#define MAPS_NAME_COLUMN 72 /* the column in which an area's name begins */

static bool is_heap(const struct user_space *space, const struct area *area)
{
	return !area->object && space->brk_start && area->start < space->brk && area->end > space->brk_start;
}

/* Return whether an area is the stack of the first thread: the one that has the program's arguments. */
static bool is_stack(const struct process *process, const struct area *area)
{
	return !area->object && area->start <= process->args_start && process->args_start < area->end;
}

static void measure_area(const struct process *process, const struct area *area, struct proc_memory *ret)
{
	uint64_t pages = (area->end - area->start) / PAGE_SIZE;
	const struct node *node = area->object ? content_node(area->object) : NULL;
	bool own = node && node == process->program;

	if (is_stack(process, area)) {
		ret->stack += pages;
	} else if (area->rights & USER_EXEC) {
		*(own ? &ret->code : &ret->library) += pages;
		if (own && !ret->code_start)
			ret->code_start = area->start;
		if (own)
			ret->code_end = area->end;
	} else if (area->rights & USER_WRITE && !(area->flags & AREA_SHARED)) {
		ret->data += pages;
		if (own && !ret->data_start)
			ret->data_start = area->start;
		if (own)
			ret->data_end = area->end;
	}
}

struct proc_memory proc_measure(const struct process *process)
{
	HELD_SPACE struct user_space *space = process_get_space(process);
	struct proc_memory memory = { 0 };

	if (!space)
		return memory;
	memory.pages = space->mapped_pages;
	memory.resident = space->resident_pages;
	for (const struct area *area = area_find_from(&space->areas, 0); area; area = area_next(area))
		measure_area(process, area, &memory);
	return memory;
}

const char *proc_area_name(const struct process *process, const struct area *area, char *path, size_t path_size)
{
	struct node *node = area->object ? content_node(area->object) : NULL;
	size_t size;

	/* As on Linux, shared anonymous memory is shown as a deleted file. */
	if (area->object && !node)
		return "/dev/zero (deleted)";
	if (node)
		return path_of_node(process_current()->paths.root, node, path, path_size, &size) == 0 ? path : "?";
	if (is_heap(process->space, area))
		return "[heap]";
	return is_stack(process, area) ? "[stack]" : "";
}

static void add_area(const struct process *process, const struct area *area, char *path, struct text *ret)
{
	const struct node *node = area->object ? content_node(area->object) : NULL;
	uint64_t device = node ? node->fs->device : 0;
	size_t start = ret->size;
	const char *name = proc_area_name(process, area, path, PATH_MAX);

	text_add(ret, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long long)area->start,
		 (unsigned long long)area->end, area->rights & USER_READ ? 'r' : '-',
		 area->rights & USER_WRITE ? 'w' : '-', area->rights & USER_EXEC ? 'x' : '-',
		 area->flags & AREA_SHARED ? 's' : 'p',
		 (unsigned long long)(area->object ? area->offset * PAGE_SIZE : 0), DEVICE_MAJOR(device),
		 DEVICE_MINOR(device), (unsigned long long)(node ? node->number : 0));
	if (*name)
		text_pad(ret, start, MAPS_NAME_COLUMN);
	for (; *name; name++) {
		if (*name == '\n')
			text_add(ret, "\\012");
		else
			text_add_bytes(ret, name, 1);
	}
	text_add(ret, "\n");
}

int proc_make_maps(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	HELD_SPACE struct user_space *space = NULL;
	int error = proc_find_subject(node, &subject);
	char *path;

	if (error)
		return error;
	space = process_get_space(subject.process);
	if (!space)
		return 0;
	path = kmalloc(PATH_MAX);
	if (!path)
		return -ENOMEM;
	for (const struct area *area = area_find_from(&space->areas, 0); area && !ret->lost; area = area_next(area))
		add_area(subject.process, area, path, ret);
	kfree(path);
	return 0;
}

/*
 * Add the bytes [start, end) of the process's memory, which are strings with their NULs; fewer when the process has
 * unmapped some. Returns 0 or -ENOMEM.
 */
static int add_memory(const struct process *process, vaddr_t start, vaddr_t end, struct text *ret)
{
	HELD_SPACE struct user_space *space = process_get_space(process);
	context_token_t token;
	struct user_io io;
	char piece[256];

	if (!space || end <= start)
		return 0;
	user_io_init(&io, space, start, end - start);
	while (io.left && !ret->lost) {
		size_t moved = 0;
		enum status status;

		token = kernel_context_enter();
		status = user_io_get_bulk(&io, piece, io.left < sizeof(piece) ? io.left : sizeof(piece), &moved);
		kernel_context_leave(token);
		text_add_bytes(ret, piece, moved);
		/* If memory ran out, fail: a part of the strings must not be taken for all. */
		if (status == ERR_NO_MEMORY)
			return -ENOMEM;
		if (status != OK)
			break;
	}
	return 0;
}

int proc_make_cmdline(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	return error ? error : add_memory(subject.process, subject.process->args_start, subject.process->args_end, ret);
}

int proc_make_environ(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	return error ? error : add_memory(subject.process, subject.process->env_start, subject.process->env_end, ret);
}

int proc_make_mounts(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (error)
		return error;
	if (!subject.process->paths.root)
		return -EINVAL;
	mount_list(subject.process->paths.root, ret);
	return 0;
}
