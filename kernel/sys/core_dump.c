/*
 * Writes a core file (core(5), elf(5)): an ELF file with a segment of notes, and one for each area of memory.
 */
#include "kernel/sys/core_dump.h"

#include "kernel/fs/content.h"
#include "kernel/fs/text.h"
#include "kernel/lib/elf_format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/user/user_foreign.h"
#include "kernel/sys/core_notes.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/core.h"
#include "kernel/task/give_way.h"
#include "kernel/task/space_work.h"

#define COPIES_STEP 512 /* pages that has_copies() looks at in one step */

static const uint8_t ident[16] = { 0x7f, 'E', 'L', 'F', ELF_CLASS_64, ELF_LITTLE_ENDIAN, ELF_VERSION };

_Static_assert(USER_AREAS_MAX + 1 < 0xffff, "the number of segments has 16 bits");

/* Return whether the area begins with the header of an ELF file, by which debuggers find the file. */
static bool begins_elf(const struct area *area)
{
	uint8_t start[4];

	return !area->offset && area->rights & USER_READ && args_get(start, area->start, sizeof(start)) == 0 &&
	       memcmp(start, ident, sizeof(start)) == 0;
}

/*
 * Return whether a private area of a file has pages that the process has written to, as those of a library that the
 * dynamic loader has relocated. Lets other tasks run, none of which can change the areas before space_work_end().
 */
static bool has_copies(const struct area *area)
{
	struct user_space *space = process_current()->space;
	bool found = false;
	vaddr_t va = user_skip_absent(space, area->start, area->end);

	while (va < area->end && !found) {
		const size_t left = (area->end - va) / PAGE_SIZE, pages = left < COPIES_STEP ? left : COPIES_STEP;

		found = user_has_copies(space, va, pages);
		(void)task_give_way();
		va = user_skip_absent(space, va + pages * PAGE_SIZE, area->end);
	}
	return found;
}

/*
 * Return how many bytes of an area go into the core file, as the process's filter says: with Linux's first one all of
 * anonymous memory and of private memory that is, or was, written to, and of other mapped files only the first page of
 * programs and libraries.
 */
static uint64_t bytes_of(const struct area *area)
{
	const struct node *node = content_node(area->object);
	const uint32_t filter = process_current()->rights.core_filter;
	const uint64_t all = area->end - area->start;

	if (area->rights == USER_NONE || area->flags & AREA_NOT_DUMPED)
		return 0;
	if (area->flags & AREA_SHARED)
		return filter & (node && node->links ? CORE_SHARED_FILES : CORE_SHARED) ? all : 0;
	if (filter & CORE_PRIVATE && (!node || area->rights & USER_WRITE || has_copies(area)))
		return all;
	if (filter & CORE_PRIVATE_FILES && area->object)
		return all;
	return filter & CORE_HEADERS && node && begins_elf(area) ? PAGE_SIZE : 0;
}

/* Return the next area. Lets other tasks run, none of which can change the areas before space_work_end(). */
static const struct area *next(const struct area *area)
{
	(void)task_give_way();
	return area_next(area);
}

static void put_header(struct core_file *to, size_t areas)
{
	struct elf_header header = {
		.type = ELF_TYPE_CORE,
		.machine = ELF_X86_64,
		.version = ELF_VERSION,
		.program_offset = sizeof(header),
		.size = sizeof(header),
		.program_size = sizeof(struct elf_program),
		.programs = (uint16_t)(areas + 1),
	};

	memcpy(header.ident, ident, sizeof(ident));
	core_put(to, &header, sizeof(header));
}

/* Write the segments' headers. `notes`, `at`: where in the core file the notes lie, and where the memory begins. */
static void put_segments(struct core_file *to, const struct user_space *space, uint64_t notes, uint64_t notes_size,
			 uint64_t at)
{
	struct elf_program segment = { .type = ELF_PROGRAM_NOTE, .offset = notes, .file_size = notes_size, .align = 4 };

	core_put(to, &segment, sizeof(segment));
	for (const struct area *area = area_find_from(&space->areas, 0); area; area = next(area)) {
		segment = (struct elf_program){
			.type = ELF_PROGRAM_LOAD,
			.flags = (area->rights & USER_READ ? ELF_FLAG_R : 0U) |
				 (area->rights & USER_WRITE ? ELF_FLAG_W : 0U) |
				 (area->rights & USER_EXEC ? ELF_FLAG_X : 0U),
			.offset = at,
			.vaddr = area->start,
			.file_size = bytes_of(area),
			.memory_size = area->end - area->start,
			.align = PAGE_SIZE,
		};
		at += segment.file_size;
		core_put(to, &segment, sizeof(segment));
	}
}

/* Write the whole core file. */
static void put_all(struct core_file *to, struct user_space *space, const struct core_notes *notes)
{
	const uint64_t start = sizeof(struct elf_header) + (space->areas.count + 1) * sizeof(struct elf_program);
	struct core_file measured = { .limit = UINT64_MAX };
	uint64_t memory;

	core_put_notes(&measured, notes);
	memory = align_up(start + measured.at, PAGE_SIZE);
	put_header(to, space->areas.count);
	put_segments(to, space, start, measured.at, memory);
	core_put_notes(to, notes);
	if (!to->failed)
		core_skip_to(to, memory);
	for (const struct area *area = area_find_from(&space->areas, 0); area && !to->failed; area = next(area))
		core_put_memory(to, area, bytes_of(area));
}

static bool write_core(int signal, const struct signal_info *info)
{
	struct process *process = process_current();
	struct core_file to = { .limit = process->limits[LIMIT_CORE].soft };
	struct text files = { 0 };
	const struct core_notes notes = { signal, info, &files };

	/*
	 * Wait until no task changes the memory in pieces, as one of another process that shares the memory may. If
	 * this task is killed meanwhile, no core file is written.
	 */
	if (space_work_begin(process->space) != 0)
		return false;
	if (core_open(&to, signal) != 0) {
		space_work_end(process->space);
		return false;
	}
	core_list_files(&files);
	put_all(&to, process->space, &notes);
	text_free(&files);
	file_put(to.file);
	space_work_end(process->space);
	return true;
}

void core_dump_init(void)
{
	core_set_writer(write_core);
}
