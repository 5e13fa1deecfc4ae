/*
 * execve(2) and execveat(2): copy the arguments and environment from user memory, which is about to be replaced, into
 * one block of the heap, within Linux's limits on their size. kernel/task/exec.h starts the program.
 */
#include "kernel/fs/place.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/exec.h"
#include "kernel/task/give_way.h"

#define STRING_MAX  (32 * PAGE_SIZE) /* bytes of one string with its NUL: Linux's MAX_ARG_STRLEN */
#define TOTAL_MAX   (2ULL << 20)     /* bytes of all strings and the pointers to them */
#define BLOCK_LEAST 4096
#define WIPE_PIECE  (256UL << 10) /* bytes that are wiped in one step; other tasks can run between steps */

/* Strings one after another, each with its NUL: argv's, then envp's. */
struct strings {
	char *block;
	size_t size, capacity;
	uint64_t most;    /* limit: bytes of all strings together, with 8 more for each string, its pointer */
	size_t counts[2]; /* number of strings of argv and of envp */
};

/* Wipe and free the block, so that the strings do not stay in free memory. */
static void free_block(struct strings *strings)
{
	for (size_t at = 0; at < strings->size; at += WIPE_PIECE) {
		wipe(strings->block + at, strings->size - at < WIPE_PIECE ? strings->size - at : WIPE_PIECE);
		/* The result of task_give_way() is ignored: even a task that must end wipes all. */
		(void)task_give_way();
	}
	kfree(strings->block);
}

static int grow(struct strings *strings)
{
	size_t capacity = strings->capacity ? strings->capacity * 2 : BLOCK_LEAST;
	char *block = kmalloc(capacity);

	if (!block)
		return -ENOMEM;
	if (strings->size)
		memcpy(block, strings->block, strings->size);
	free_block(strings);
	strings->block = block;
	strings->capacity = capacity;
	return 0;
}

/* Append a string from user memory; the block grows until it fits. Returns 0, -EFAULT, -ENOMEM, -E2BIG. */
static int add_string(struct strings *strings, uint64_t from)
{
	size_t left = STRING_MAX;

	for (;;) {
		size_t room = strings->capacity - strings->size, length;
		enum status status = ERR_RANGE;
		int error;

		if (room > left)
			room = left;
		if (room)
			status = strncpy_from_user(strings->block + strings->size, user_pointer(from), room, &length);
		if (status == OK) {
			strings->size += length + 1;
			return 0;
		}
		if (status != ERR_RANGE)
			return copy_errno(status);
		/* All of the room is filled, and the string goes on. */
		strings->size += room;
		from += room;
		left -= room;
		if (!left || strings->capacity > strings->most)
			return -E2BIG;
		error = grow(strings);
		if (error)
			return error;
	}
}

/*
 * Append the strings of argv or envp; `vector` 0 is an empty one, as on Linux. Returns as add_string, or -EINTR: the
 * task must end.
 */
static int add_vector(struct strings *strings, uint64_t vector, size_t *ret_count)
{
	size_t count = 0;

	for (; vector; vector += 8, count++) {
		uint64_t from;
		int error;

		error = args_get(&from, vector, sizeof(from));
		if (error)
			return error;
		if (!from)
			break;
		error = add_string(strings, from);
		if (error)
			return error;
		if (strings->size + (strings->counts[0] + count + 1) * 8 > strings->most)
			return -E2BIG;
		if (task_give_way())
			return -EINTR;
	}
	*ret_count = count;
	return 0;
}

/* Return how many bytes argv and envp may have: a quarter of RLIMIT_STACK, at least STRING_MAX, at most TOTAL_MAX. */
static uint64_t most_bytes(void)
{
	uint64_t most = process_current()->limits[LIMIT_STACK].soft / 4;

	if (most < STRING_MAX)
		return STRING_MAX;
	return most < TOTAL_MAX ? most : TOTAL_MAX;
}

/*
 * Return two arrays of pointers to the strings, argv's and envp's, one behind the other in one block of the heap; each
 * ends with NULL. Returns NULL when there is no memory.
 */
static const char **point(const struct strings *strings)
{
	const char **pointers = kmalloc((strings->counts[0] + strings->counts[1] + 2) * sizeof(*pointers));
	const char *at = strings->block;
	size_t i = 0;

	if (!pointers)
		return NULL;
	for (int vector = 0; vector < 2; vector++) {
		for (size_t left = strings->counts[vector]; left; left--) {
			pointers[i++] = at;
			at += strlen(at) + 1;
			/* The result is ignored: if the task must end, exec_load() soon returns an error. */
			(void)task_give_way();
		}
		pointers[i++] = NULL;
	}
	return pointers;
}

/* Start the program that `request` names, with the strings at these user addresses. */
static int64_t exec(struct exec_request *request, uint64_t argv, uint64_t envp)
{
	struct strings strings = { .most = most_bytes() };
	const char **pointers = NULL;
	int error;

	error = add_vector(&strings, argv, &strings.counts[0]);
	if (!error)
		error = add_vector(&strings, envp, &strings.counts[1]);
	/* As on Linux since 5.18, an empty argv becomes one with argv[0] "". */
	if (!error && !strings.counts[0] && (strings.capacity > strings.size || !(error = grow(&strings)))) {
		memmove(strings.block + 1, strings.block, strings.size);
		strings.block[0] = 0;
		strings.size++;
		strings.counts[0] = 1;
	}
	if (!error)
		pointers = point(&strings);
	if (pointers) {
		request->argv = pointers;
		request->envp = pointers + strings.counts[0] + 1;
		error = process_exec(request);
	} else if (!error) {
		error = -ENOMEM;
	}
	kfree(pointers);
	free_block(&strings);
	/* Set the CPU's mark last: until here other tasks may run, which clear it, and this task may change its CPU. */
	if (!error)
		this_cpu->frame_changed = true;
	return error;
}

SYSCALL_3(execve, path, argv, envp)
{
	struct exec_request request = { 0 };
	char *text;
	int64_t result = args_path(path, &text);

	if (result)
		return result;
	request.path = text;
	result = exec(&request, argv, envp);
	kfree(text);
	return result;
}

/*
 * Start a program that a descriptor names: the program's own, or that of the directory where the relative path `text`
 * starts. As on Linux the program's name is then /dev/fd/N or /dev/fd/N/path, by which a script's interpreter finds the
 * script, unless the start closes N.
 */
static int64_t exec_by_descriptor(int fd, const char *text, const struct place *place, uint64_t argv, uint64_t envp)
{
	const int flags = fd_flags(process_current()->fds, fd);
	struct exec_request request = { .place = place, .hidden = flags > 0 && flags & FD_CLOEXEC };
	const size_t size = strlen(text) + sizeof("/dev/fd/-2147483648/");
	char *path = kmalloc(size);
	int64_t result;

	if (!path)
		return -ENOMEM;
	format_s(path, size, "/dev/fd/%d%s%s", fd, *text ? "/" : "", text);
	request.path = path;
	result = exec(&request, argv, envp);
	kfree(path);
	return result;
}

SYSCALL_5(execveat, fd, path, argv, envp, flags)
{
	const unsigned lookup =
		(flags & AT_SYMLINK_NOFOLLOW ? PATH_NO_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? PATH_EMPTY : 0);
	struct user_path from;
	struct place place;
	int64_t result;

	if (flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	result = user_path_get(fd, path, &from);
	if (result)
		return result;
	result = path_lookup_place(&from.base, from.text, lookup, &place);
	if (!result) {
		struct exec_request request = { .path = from.text, .place = &place };

		/* A symbolic link that is not followed cannot be executed. */
		if (node_is(place.node, S_IFLNK))
			result = -ELOOP;
		else if (*from.text == '/' || (int)fd == AT_FDCWD)
			result = exec(&request, argv, envp);
		else
			result = exec_by_descriptor((int)fd, from.text, &place, argv, envp);
		place_put(place);
	}
	user_path_put(&from);
	return result;
}
