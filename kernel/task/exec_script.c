/*
 * What execve(2) does for scripts: splits their first line, and puts the interpreter before the program's arguments.
 */
#include "kernel/fs/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/exec_internal.h"

/* The most bytes of a script's first line, "#!" among them, as on Linux: what follows is not looked at. */
#define LINE_MAX 255

#define LIST_PIECE 8192 /* pointers to arguments that are copied in one step; other tasks can run between steps */

/*
 * The loop finds the string's end and writes the zeros at once; the stores are volatile, so that the compiler does not
 * remove them.
 */
void exec_string_free(const char *string)
{
	if (!string)
		return;
	for (volatile char *at = (char *)(uintptr_t)string; *at; at++)
		*at = 0;
	kfree((char *)(uintptr_t)string);
}

void exec_arguments_free(struct exec_arguments *a)
{
	for (size_t i = 0; i < a->own; i++)
		exec_string_free(a->argv[i]);
	kfree(a->argv);
}

int exec_arguments_list(const char *const *argv, struct exec_arguments *ret)
{
	const size_t more = 1 + 2 * (EXEC_SCRIPTS_MAX + 1); /* for the NULL at the end, and what scripts put in front */
	size_t count = 0;
	const char **copy;

	for (; argv[count]; count++)
		if (exec_give_way())
			return -EINTR;
	copy = kmalloc((count + more) * sizeof(char *));
	if (!copy)
		return -ENOMEM;
	for (size_t at = 0; at < count; at += LIST_PIECE) {
		memcpy(copy + at, argv + at, (count - at < LIST_PIECE ? count - at : LIST_PIECE) * sizeof(char *));
		if (exec_give_way()) {
			kfree(copy);
			return -EINTR;
		}
	}
	memset(copy + count, 0, more * sizeof(char *));
	*ret = (struct exec_arguments){ .argv = copy, .argc = count };
	return 0;
}

int exec_arguments_prepend(struct exec_arguments *a, const char *interpreter, const char *option, const char *script)
{
	size_t more = option ? 2 : 1;
	char *first = copy_string(interpreter), *second = option ? copy_string(option) : NULL,
	     *path = copy_string(script);

	if (!first || !path || (option && !second)) {
		exec_string_free(first);
		exec_string_free(second);
		exec_string_free(path);
		return -ENOMEM;
	}
	if (a->own)
		exec_string_free(a->argv[0]);
	else
		a->own = 1;
	if (!a->argc)
		a->argc = 1;
	memmove(a->argv + 1 + more, a->argv + 1, (a->argc - 1) * sizeof(char *));
	a->argv[0] = first;
	if (option)
		a->argv[1] = second;
	a->argv[more] = path;
	a->argc += more;
	a->own += more;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool exec_cut_line(char *start, size_t size, char **ret_interpreter, char **ret_option)
{
	char *last = start + (size < LINE_MAX ? size : LINE_MAX), *end = start + 2, *at = end;
	bool whole;

	while (end < last && *end != '\n' && *end)
		end++;
	/* A line that was cut short must at least have all of the interpreter's name: a blank must follow it. */
	whole = end < start + LINE_MAX;
	*end = '\0';
	while (is_blank(*at))
		at++;
	*ret_interpreter = at;
	while (*at && !is_blank(*at))
		at++;
	if (!whole && !*at)
		return false;
	while (end > at && is_blank(end[-1]))
		*--end = '\0';
	*ret_option = NULL;
	if (*at) {
		*at++ = '\0';
		while (is_blank(*at))
			at++;
		*ret_option = at;
	}
	return **ret_interpreter != '\0';
}
