/*
 * Names core files, and makes them. A pattern that begins with '|', for a program that gets the file by a pipe, is
 * refused.
 */
#include "kernel/sys/core_pattern.h"

#include "kernel/fs/path.h"
#include "kernel/fs/place.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/string.h"
#include "kernel/sys/core_file.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/system_names.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/rights.h"

#define PATTERN_SIZE 128 /* bytes of core_pattern with its NUL: Linux's CORENAME_MAX_SIZE */

/* Guard: tasks only, which the kernel does not preempt. */
static char pattern[PATTERN_SIZE] = "core";
static bool uses_pid; /* a name without %p gets ".PID" */

/* Add a text to a name; a slash in it is shown as '!'. */
static void add_escaped(struct text *name, const char *text)
{
	for (; *text; text++)
		text_add_char(name, *text == '/' ? '!' : *text);
}

/* Add the path of the process's program, which %E stands for, with slashes as '!'. */
static void add_program(struct text *name, const struct process *process)
{
	const struct place program = { process->program_mount, process->program };
	char path[256];
	size_t size;

	if (path_of_place(&process->paths.root, program, path, sizeof(path), &size) == 0)
		add_escaped(name, path);
}

/* Add what "%" and this letter stand for in a pattern (core(5)); an unknown letter adds nothing, as on Linux. */
static void add_field(struct text *name, char letter, int signal)
{
	const struct process *process = process_current();
	const struct credentials *who = rights_current();

	switch (letter) {
	case '%':
		text_add_char(name, '%');
		break;
	case 'p':
	case 'P':
		text_add_number(name, (unsigned)process->pid);
		break;
	case 'i':
	case 'I':
		text_add_number(name, (unsigned)task_current()->tid);
		break;
	case 'u':
		text_add_number(name, who->uid.real);
		break;
	case 'g':
		text_add_number(name, who->gid.real);
		break;
	case 'd':
		text_add_number(name, process->rights.dumpable);
		break;
	case 's':
		text_add_number(name, (unsigned)signal);
		break;
	case 't':
		text_add_number(name, clock_realtime_ns() / NS_PER_S);
		break;
	case 'h':
		add_escaped(name, system_names.node);
		break;
	case 'e':
	case 'f':
		add_escaped(name, task_current()->name);
		break;
	case 'E':
		add_program(name, process);
		break;
	case 'c':
		text_add_number(name, process->limits[LIMIT_CORE].soft);
		break;
	}
}

/* Make a core file's name from the pattern, with a NUL at its end. */
static void make_name(struct text *name, int signal)
{
	bool has_pid = false;

	for (const char *at = pattern; *at; at++) {
		if (*at != '%') {
			text_add_char(name, *at);
		} else if (at[1]) {
			at++;
			has_pid |= *at == 'p';
			add_field(name, *at, signal);
		}
	}
	if (uses_pid && !has_pid) {
		text_add_char(name, '.');
		text_add_number(name, (unsigned)process_current()->pid);
	}
	text_add_char(name, '\0');
}

/*
 * Remove a file that already has the name `path`, so that the new core file can take it. Only a regular file of one
 * link, which belongs to the current user and which nobody else may read or write, is removed. Returns 0 (removed, or
 * there is none), -EEXIST (another kind of file), or path_unlink's errors.
 */
static int remove_old(const struct path_base *base, const char *path)
{
	struct node *node;
	bool own;

	if (path_lookup(base, path, PATH_NO_FOLLOW, &node) != 0)
		return 0;
	own = node_is(node, S_IFREG) && node->links == 1 && node->uid == base->who->uid.fs &&
	      (node->mode & 0677) == 0600;
	node_put(node);
	return own ? path_unlink(base, path) : -EEXIST;
}

int core_open(struct core_file *to, int signal)
{
	const struct process *process = process_current();
	const struct path_base base = { place_get(process->paths.root), place_get(process->paths.cwd), rights_current(),
					NULL };
	struct text name = { 0 };
	int error;

	make_name(&name, signal);
	if (name.lost)
		error = -ENOMEM;
	else if (*name.bytes == '|')
		error = refuse_feature(-EOPNOTSUPP, "core_pattern: a program that gets the file by a pipe", 0);
	else
		error = remove_old(&base, name.bytes);
	if (!error)
		error = path_open(&base, name.bytes, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600, &to->file);
	text_free(&name);
	place_put(base.start);
	place_put(base.root);
	return error;
}

/* ---- /proc/sys/kernel ---- */

static int make_pattern(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%s\n", pattern);
	return 0;
}

static int take_pattern(struct node *node, const char *bytes, size_t size)
{
	(void)node;
	size = strnlen(bytes, size);
	if (size && bytes[size - 1] == '\n')
		size--;
	if (size >= sizeof(pattern))
		size = sizeof(pattern) - 1;
	memcpy(pattern, bytes, size);
	pattern[size] = '\0';
	return 0;
}

static int make_uses_pid(struct node *node, struct text *ret)
{
	(void)node;
	text_add_line(ret, "", uses_pid);
	return 0;
}

static int take_uses_pid(struct node *node, const char *bytes, size_t size)
{
	(void)node;
	(void)size;
	if (*bytes < '0' || *bytes > '9')
		return -EINVAL;
	uses_pid = *bytes != '0';
	return 0;
}

void core_pattern_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		{ .path = "sys/kernel/core_pattern",
		  .mode = S_IFREG | 0644,
		  .make = make_pattern,
		  .take = take_pattern },
		{ .path = "sys/kernel/core_uses_pid",
		  .mode = S_IFREG | 0644,
		  .make = make_uses_pid,
		  .take = take_uses_pid },
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
