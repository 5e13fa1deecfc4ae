/*
 * Writes down why a program cannot be started: as a text for the caller, and as a line in the log, which is written
 * only once for each program and reason.
 */
#include "kernel/lib/format.h"
#include "kernel/lib/hash.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/task/exec_internal.h"

/* How many refusals are remembered; the oldest one is forgotten, and may then be logged a second time. */
#define TOLD_MOST 64

/*
 * Hashes of program and reason of the lines that were logged, and the index of the next entry to overwrite. Guard:
 * tasks only, which the kernel does not preempt.
 */
static uint64_t told[TOLD_MOST];
static unsigned told_next;

int exec_refuse(struct exec_refusal *refusal, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_v(refusal->text, sizeof(refusal->text), format, arguments);
	va_end(arguments);
	return error;
}

void exec_refusal_log(const struct exec_refusal *refusal, const char *path)
{
	const struct task *task = task_current();
	const uint64_t hash = hash_bytes(path, strlen(path)) ^ hash_bytes(refusal->text, strlen(refusal->text));

	for (size_t i = 0; i < TOLD_MOST; i++)
		if (told[i] == hash)
			return;
	told[told_next++ % TOLD_MOST] = hash;
	log_info("task %d (%s): %s: %s\n", task->tid, task->name, path, refusal->text);
}
