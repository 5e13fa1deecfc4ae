/*
 * Makes /proc/PID/maps: a line for each area of a process's memory.
 *
 * A program may read the file in several calls. The next call goes on at the end address of the last area that was
 * shown, whatever has been mapped or unmapped there meanwhile: the addresses never go backwards, and no byte of memory
 * is shown twice.
 */
#include "kernel/fs/content.h"
#include "kernel/fs/path.h"
#include "kernel/ipc/shm.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/proc.h"
#include "kernel/task/vdso.h"

#define NAME_COLUMN 73  /* the column in which an area's name begins, from 0 */
#define FIELDS_MOST 144 /* most bytes of a line without its name: addresses, rights, offset, device, inode, blanks */

static bool is_heap(const struct user_space *space, const struct area *area)
{
	return !area->object && space->brk_start && area->start < space->brk && area->end > space->brk_start;
}

/* Return whether an area is the first thread's stack, in which the program's arguments lie. */
static bool is_stack(const struct process *process, const struct area *area)
{
	return !area->object && area->start <= process->args_start && process->args_start < area->end;
}

const char *proc_area_name(const struct process *process, const struct area *area, char *path, size_t path_size)
{
	struct node *node = content_node(area->object);
	const char *name = vdso_area_name(area);
	size_t size;

	if (name)
		return name;
	if (shm_of_object(area->object)) {
		format_s(path, path_size, "/SYSV%08x (deleted)", (unsigned)shm_of_object(area->object)->ipc.key);
		return path;
	}
	/* As on Linux, shared anonymous memory is shown as a deleted file. */
	if (area->object && !node)
		return "/dev/zero (deleted)";
	if (node)
		return path_of_node(&process_current()->paths.root, node, path, path_size, &size) == 0 ? path : "?";
	if (is_heap(process->space, area))
		return "[heap]";
	return is_stack(process, area) ? "[stack]" : "";
}

/* Write at `at` the fields of a line that come before the name. Returns the address behind them. */
static char *put_fields(char *at, const struct area *area, vaddr_t start)
{
	static const char no_file[] = "00000000 00:00 0 ";
	const struct node *node = content_node(area->object);
	const struct shm_segment *segment = shm_of_object(area->object);

	at = format_hex(at, start, 8);
	*at++ = '-';
	at = format_hex(at, area->end, 8);
	*at++ = ' ';
	*at++ = area->rights & USER_READ ? 'r' : '-';
	*at++ = area->rights & USER_WRITE ? 'w' : '-';
	*at++ = area->rights & USER_EXEC ? 'x' : '-';
	/* The vDSO is shown as private, as on Linux, though its area here is shared. */
	*at++ = area->flags & AREA_SHARED && !vdso_area_name(area) ? 's' : 'p';
	*at++ = ' ';
	if (!area->object) {
		memcpy(at, no_file, sizeof(no_file) - 1);
		return at + sizeof(no_file) - 1;
	}
	at = format_hex(at, area->offset * PAGE_SIZE + start - area->start, 8);
	*at++ = ' ';
	if (segment) {
		/* As on Linux the id of System V's shared memory is an inode's number, on a device of its own. */
		memcpy(at, "00:01 ", 6);
		at = format_decimal(at + 6, (uint64_t)ipc_id(&segment->ipc));
		*at++ = ' ';
		return at;
	}
	at = format_hex(at, node ? DEVICE_MAJOR(node->fs->device) : 0, 2);
	*at++ = ':';
	at = format_hex(at, node ? DEVICE_MINOR(node->fs->device) : 0, 2);
	*at++ = ' ';
	at = format_decimal(at, node ? node->number : 0);
	*at++ = ' ';
	return at;
}

/* Add a name; a line end in it is shown as "\\012", as on Linux. */
static void add_name(struct text *text, const char *name)
{
	for (;;) {
		size_t size = strcspn(name, "\n");

		text_add_bytes(text, name, size);
		name += size;
		if (!*name++)
			return;
		text_add_string(text, "\\012");
	}
}

void proc_add_area(const struct area *area, vaddr_t start, const char *name, struct text *ret)
{
	char *first = text_room(ret, FIELDS_MOST), *at;

	if (!first)
		return;
	at = put_fields(first, area, start);
	if (*name && at < first + NAME_COLUMN) {
		memset(at, ' ', (size_t)(first + NAME_COLUMN - at));
		at = first + NAME_COLUMN;
	}
	text_end(ret, at);
	if (*name)
		add_name(ret, name);
	text_add_char(ret, '\n');
}

int proc_more_maps(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	HELD_PROCESS struct process *process = NULL;
	HELD_SPACE struct user_space *space = NULL;
	const struct memory_object *object = NULL;
	const char *name = NULL;
	char *path;
	int error = proc_find_space(node, &process, &space);

	if (error || !space)
		return error;
	path = kmalloc(PATH_MAX);
	if (!path)
		return -ENOMEM;
	for (const struct area *area = area_find_from(&space->areas, *place); area && ret->size < enough && !ret->lost;
	     area = area_next(area)) {
		/* A file's areas mostly follow one another, so its path is looked up once for all of them. */
		if (!name || !area->object || area->object != object)
			name = proc_area_name(process, area, path, PATH_MAX);
		object = area->object;
		proc_add_area(area, area->start > *place ? area->start : *place, name, ret);
		*place = area->end;
	}
	kfree(path);
	return 0;
}
