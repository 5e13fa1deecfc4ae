/*
 * Starts the first program: which one, as Linux's kernel_init() decides, and with which words.
 */
#include "kernel/sys/first_program.h"

#include "kernel/fs/credentials.h"
#include "kernel/fs/file.h"
#include "kernel/fs/path.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/task/exec.h"

#define ARGUMENTS  32
#define PATH_SIZE  256
#define WORDS_SIZE 1024

#define CANDIDATES_MOST 6

/* A program that may be the first. Guard: first_program_start()'s own. */
struct candidate {
	const char *path;
	bool asked; /* the command line names it, so the log says also when it is missing */
};

/*
 * Split `text` into words in place, at blanks that are not inside double quotes. Returns how many words there are, at
 * most `most`; the rest is dropped.
 */
static size_t split_words(char *text, const char **words, size_t most)
{
	size_t count = 0;
	char *to = text;
	bool quoted = false, inside = false;

	for (; *text; text++) {
		if (*text == '"') {
			quoted = !quoted;
			continue;
		}
		if (*text == ' ' && !quoted) {
			if (inside)
				*to++ = '\0';
			inside = false;
			continue;
		}
		if (!inside) {
			if (count == most)
				break;
			words[count++] = to;
			inside = true;
		}
		*to++ = *text;
	}
	*to = '\0';
	return count;
}

/* List the programs to try, in their order. Returns how many there are; 0: none is wanted. */
static size_t choose(const char *cmdline, struct candidate *ret)
{
	static const char *const others[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };
	/* The paths that the command line names, static as they are large. Fixed after boot. */
	static char of_archive[PATH_SIZE], of_system[PATH_SIZE];
	bool archive = cmdline_get(cmdline, "rdinit", of_archive, sizeof(of_archive));
	bool system = cmdline_get(cmdline, "init", of_system, sizeof(of_system));
	size_t count = 0;

	if (system && strcmp(of_system, "none") == 0)
		return 0;
	if (archive)
		ret[count++] = (struct candidate){ of_archive, true };
	if (system) {
		ret[count++] = (struct candidate){ of_system, true };
		return count;
	}
	if (!archive)
		ret[count++] = (struct candidate){ "/init", false };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ret[count++] = (struct candidate){ others[i], false };
	return count;
}

/* Return whether the candidate shall be tried: the command line names it, or the file exists. */
static bool is_worth_trying(const struct path_base *base, const struct candidate *candidate)
{
	struct node *node;

	if (candidate->asked)
		return true;
	if (path_lookup(base, candidate->path, PATH_FOLLOW, &node) != 0)
		return false;
	node_put(node);
	return true;
}

/* Return the first candidate from `at` on that shall be tried, or `end`. */
static const struct candidate *next_to_try(const struct path_base *base, const struct candidate *at,
					   const struct candidate *end)
{
	while (at < end && !is_worth_trying(base, at))
		at++;
	return at;
}

/* Start a program; argv[0] is its path. Returns 0 or an error, and *refusal as process_start_init() does. */
static int start(const struct path_base *base, const char *const *argv, struct exec_refusal *refusal)
{
	static const char *const environment[] = { "HOME=/", "TERM=xterm", "PATH=/sbin:/usr/sbin:/bin:/usr/bin", NULL };
	const struct exec_request request = { .path = argv[0], .argv = argv, .envp = environment };
	struct file *file;
	int error = path_open(base, "/dev/console", O_RDWR, 0, &file);

	refusal->text[0] = '\0';
	if (error)
		return error;
	error = process_start_init(&base->root, file, &request, refusal);
	/*
	 * Try once more, as a system call is tried again when memory ran out: the heap has grown meanwhile, so the
	 * second start needs fewer frames. This matters with the boot parameter frame_fail_user=N, which refuses every
	 * N-th frame.
	 */
	if (error == -ENOMEM)
		error = process_start_init(&base->root, file, &request, refusal);
	file_put(file);
	return error;
}

static const char *reason(const struct exec_refusal *refusal, int error)
{
	if (refusal->text[0])
		return refusal->text;
	return error == -ENOENT ? "no such program" : error == -ENOMEM ? "no memory" : "no program";
}

bool first_program_start(const struct place *root, const char *cmdline)
{
	static char words[WORDS_SIZE]; /* static as it is large. Fixed after boot */
	const struct path_base base = { *root, *root, &credentials_first, NULL };
	struct candidate candidates[CANDIDATES_MOST];
	const struct candidate *end = candidates + choose(cmdline, candidates), *at, *next;
	const char *argv[ARGUMENTS + 2];
	struct exec_refusal refusal;

	format_s(words, sizeof(words), "%s", cmdline_init_words(cmdline));
	argv[1 + split_words(words, argv + 1, ARGUMENTS)] = NULL;
	for (at = next_to_try(&base, candidates, end); at < end; at = next) {
		int error;

		argv[0] = at->path;
		error = start(&base, argv, &refusal);
		if (!error)
			return true;
		next = next_to_try(&base, at + 1, end);
		log_err("init: %s: %s, error %d%s%s\n", argv[0], reason(&refusal, error), -error,
			next < end ? "; tried next: " : "", next < end ? next->path : "");
	}
	return false;
}
