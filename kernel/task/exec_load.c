/*
 * Makes a user space from a program's file: maps its segments, those of its loader, and its first stack. exec.c then
 * gives the space to a process.
 */
#include "kernel/fs/errno.h"
#include "kernel/lib/random.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/task/exec_internal.h"
#include "kernel/task/personality.h"
#include "kernel/task/vdso.h"

/*
 * Address space randomization, as on Linux: each address is moved by a random number of pages, below 2 to the
 * power of the constant here.
 */
#define RANDOM_BITS_PIE   28
#define RANDOM_BITS_STACK 22
#define RANDOM_BITS_MMAP  28
#define RANDOM_BITS_BRK   13

/* The lowest address of position-independent programs: at two thirds of the user's addresses, as on Linux. */
#define PIE_BASE 0x555555554000ULL

/* Bounds of the room below the stack that mmap(2) leaves free for the stack to grow into. */
#define STACK_ROOM_MIN (128ULL << 20)
#define STACK_ROOM_MAX (1ULL << 40)

/* bytes below the stack's content that are mapped at first; from there the stack grows by page faults */
#define STACK_START (128ULL << 10)

/* bytes of the first stack that are copied at a time */
#define STACK_PIECE (256ULL << 10)

/*
 * Random numbers that decide where each part of a program lies. They are got by one call of random_bytes(), since each
 * call costs the generator a new key.
 */
struct chance {
	uint64_t program, brk, stack, mmap;
};

static uint64_t random_pages(uint64_t number, unsigned bits)
{
	return (number & ((1ULL << bits) - 1)) * PAGE_SIZE;
}

/* Write zeros into memory of the new space. Returns 0 or an error. */
static int zero_user(struct user_space *space, vaddr_t va, uint64_t size)
{
	context_token_t token = kernel_context_enter();
	enum status status;
	struct user_io io;
	size_t moved;

	user_io_init(&io, space, va, size);
	status = user_io_zero_bulk(&io, size, &moved);
	kernel_context_leave(token);
	return errno_of(status);
}

static unsigned rights_of(const struct elf_segment *s)
{
	return USER_READ | (s->write ? USER_WRITE : 0) | (s->execute ? USER_EXEC : 0);
}

/*
 * Map a segment: pages with bytes of the file are mapped from the file, the others as zeros. In the page where the
 * file's bytes end, the rest is zeroed, which makes a private copy of that page.
 */
static int map_segment(struct user_space *space, struct memory_object *object, const struct elf_segment *s,
		       vaddr_t bias)
{
	uint64_t file_pages = (s->file_size + PAGE_SIZE - 1) / PAGE_SIZE, part = s->file_size % PAGE_SIZE;
	vaddr_t va = s->va + bias, at;
	enum status status = OK;

	if (file_pages)
		status = user_map(space, va, file_pages * PAGE_SIZE, rights_of(s), USER_MAP_FIXED_NOREPLACE, object,
				  s->offset / PAGE_SIZE, &at);
	if (status == OK && s->pages > file_pages)
		status = user_map(space, va + file_pages * PAGE_SIZE, (s->pages - file_pages) * PAGE_SIZE, rights_of(s),
				  USER_MAP_FIXED_NOREPLACE, NULL, 0, &at);
	if (status != OK)
		return errno_of(status);
	/*
	 * If the segment is not writable, its last page of the file shows the file's next bytes, not zeros, as on
	 * Linux.
	 */
	if (part && s->write)
		return zero_user(space, va + s->file_size, PAGE_SIZE - part);
	return 0;
}

/*
 * Note where the program's code and data lie. As on Linux, only a segment's bytes from the file count, not its zeros.
 */
static void note_places(struct user_space *space, const struct elf_segment *s, vaddr_t bias)
{
	const vaddr_t start = s->va + bias, end = start + s->file_size;

	/* Segments are sorted by address: the first executable one starts the code, and the last of all is the data. */
	if (s->execute && !space->code_start)
		space->code_start = start;
	if (s->execute)
		space->code_end = end;
	space->data_start = start;
	space->data_end = end;
}

/* Map the segments of an ELF file, moved by `bias`. Returns 0 or an error, and a part is mapped then. */
static int map_file(struct user_space *space, const struct exec_file *from, vaddr_t bias)
{
	struct memory_object *object;
	int error = file_object(from->file, &object);

	if (error)
		return error == -ENODEV ? -EACCES : error;
	for (size_t i = 0; i < from->elf.count && !error; i++)
		error = map_segment(space, object, &from->elf.segments[i], bias);
	return error;
}

static vaddr_t end_of(const struct elf_image *elf)
{
	const struct elf_segment *last = &elf->segments[elf->count - 1];

	return last->va + last->pages * PAGE_SIZE;
}

static int map_program(struct user_space *space, const struct exec_file *own, vaddr_t bias, const struct chance *chance)
{
	int error = map_file(space, own, bias);

	if (error)
		return error;
	for (size_t i = 0; i < own->elf.count; i++)
		note_places(space, &own->elf.segments[i], bias);
	space->brk_start = space->brk = end_of(&own->elf) + bias + random_pages(chance->brk, RANDOM_BITS_BRK);
	return 0;
}

/*
 * Map the loader where mmap(2) would place it, so that its place is random too; a loader that cannot be moved goes
 * where its file says. Sets *ret_bias to how far it was moved.
 */
static int map_loader(struct user_space *space, const struct exec_file *loader, vaddr_t *ret_bias)
{
	const struct elf_image *elf = &loader->elf;
	const vaddr_t start = align_down(elf->segments[0].va, elf->align);
	/* Aligning the place may lose up to an alignment less a page. */
	const uint64_t size = end_of(elf) - start + elf->align - PAGE_SIZE;
	vaddr_t at;
	int error;

	*ret_bias = 0;
	if (elf->relocatable) {
		/* Find a gap that holds all segments by mapping it in one piece, and free it for them. */
		error = errno_of(user_map(space, 0, size, USER_NONE, 0, NULL, 0, &at));
		if (!error)
			error = errno_of(user_unmap(space, at, size));
		if (error)
			return error;
		*ret_bias = align_up(at, elf->align) - start;
	}
	return map_file(space, loader, *ret_bias);
}

/*
 * Choose and return the end of the stack, and set the address below which mmap(2) places mappings, so that the stack
 * has room to grow. limit: RLIMIT_STACK.
 */
static vaddr_t place_stack(struct user_space *space, uint64_t limit, const struct chance *chance)
{
	vaddr_t top = USER_END - random_pages(chance->stack, RANDOM_BITS_STACK);
	uint64_t room = limit < STACK_ROOM_MIN ? STACK_ROOM_MIN : limit > STACK_ROOM_MAX ? STACK_ROOM_MAX : limit;

	space->mmap_top =
		align_down(top - room - USER_GUARD_GAP, PAGE_SIZE) - random_pages(chance->mmap, RANDOM_BITS_MMAP);
	return top;
}

/*
 * Copy the first stack's content to user memory, and wipe each piece of `content` after it was copied. Returns 0,
 * -ENOMEM, or -EINTR when the task must end.
 */
static int put_stack(struct user_space *space, vaddr_t at, uint8_t *content, uint64_t size)
{
	struct user_io io;

	user_io_init(&io, space, at, size);
	while (size) {
		context_token_t token = kernel_context_enter();
		size_t piece = size < STACK_PIECE ? size : STACK_PIECE, moved;
		enum status status = user_io_put_bulk(&io, content, piece, &moved);

		kernel_context_leave(token);
		if (status != OK)
			return errno_of(status);
		wipe(content, piece);
		content += piece;
		size -= piece;
		if (size && exec_give_way())
			return -EINTR;
	}
	return 0;
}

static int map_stack(struct user_space *space, const struct exec_start *start, const struct exec_sizes *sizes,
		     const struct exec_strings *strings, struct exec_image *ret)
{
	const uint64_t size = sizes->words + sizes->strings, mapped = align_up(size, PAGE_SIZE) + STACK_START;
	uint8_t *content = kzalloc(size);
	enum status status;
	int error = -EINTR;
	vaddr_t at;

	if (!content)
		return -ENOMEM;
	if (exec_stack_fill(content, sizes, strings, start, ret)) {
		status = user_map(space, start->top - mapped, mapped,
				  USER_READ | USER_WRITE | (start->stack_executable ? USER_EXEC : 0),
				  USER_MAP_FIXED_NOREPLACE | USER_MAP_GROWS_DOWN, NULL, 0, &at);
		error = status == OK ? put_stack(space, start->top - size, content, size) : errno_of(status);
	}
	if (error)
		wipe(content, size);
	kfree(content);
	return error;
}

/* Do exec_build(), with what exec_stack_measure() has found. */
static int build(const struct exec_program *program, uint64_t stack_limit, const struct exec_strings *strings,
		 const struct exec_sizes *sizes, struct exec_image *ret)
{
	const struct elf_image *elf = &program->own.elf;
	struct exec_start start = { .header_count = elf->headers, .stack_executable = elf->stack_executable };
	struct user_space *space;
	struct chance chance;
	uint64_t touched;
	vaddr_t bias = 0;
	int error;

	if (task_current()->personality & ADDR_NO_RANDOMIZE && !ret->secure)
		chance = (struct chance){ 0 };
	else
		random_bytes(&chance, sizeof(chance));
	if (elf->relocatable)
		bias = align_down(PIE_BASE + random_pages(chance.program, RANDOM_BITS_PIE), elf->align);
	start.headers = elf->headers_va ? elf->headers_va + bias : 0;
	start.entry = elf->entry + bias;
	error = errno_of(user_space_create(&space));
	if (error)
		return error;
	start.top = place_stack(space, stack_limit, &chance);
	/* The vDSO lies above the stack, since a fork then needs no page table for it alone. */
	error = errno_of(vdso_map(space, &start.top, &start.vdso));
	if (!error)
		error = map_program(space, &program->own, bias, &chance);
	if (!error && program->loader)
		error = map_loader(space, program->loader, &start.base);
	if (!error)
		error = map_stack(space, &start, sizes, strings, ret);
	if (error) {
		user_space_put(space);
		return error;
	}
	ret->space = space;
	ret->entry = program->loader ? program->loader->elf.entry + start.base : start.entry;
	/* The first instruction's page is needed at once. Without a frame for it the program's fault will say so. */
	(void)user_populate(space, ret->entry, 1, USER_EXEC, &touched);
	return 0;
}

int exec_build(const struct exec_program *program, uint64_t stack_limit, const struct exec_strings *strings,
	       struct exec_image *ret)
{
	struct exec_sizes sizes;
	context_token_t token;
	int error;

	if (!exec_stack_measure(strings, &sizes))
		return -EINTR;
	if (sizes.words + sizes.strings >= EXEC_STACK_STEP)
		return build(program, stack_limit, strings, &sizes, ret);
	/* No other task can run meanwhile, so it is enough to enter the kernel context once for all of the work. */
	token = kernel_context_enter();
	error = build(program, stack_limit, strings, &sizes, ret);
	kernel_context_leave(token);
	return error;
}
