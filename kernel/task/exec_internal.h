/*
 * Functions and structures that exec.c, exec_load.c and exec_stack.c share.
 */
#pragma once

#include "kernel/task/give_way.h"
#include "kernel/task/process_internal.h"

struct elf_image;

/* The new program's path, arguments and environment, in the kernel's memory; both lists end with NULL. */
struct exec_strings {
	const char *path; /* the path given to execve(2); AT_EXECFN points to a copy of it */
	const char *const *argv;
	const char *const *envp;
};

/* Addresses that the first stack's content depends on. */
struct exec_start {
	vaddr_t top;     /* the end of the stack */
	vaddr_t headers; /* the program's headers in its memory; 0: they are not mapped */
	uint16_t header_count;
	vaddr_t entry;
};

/* The sizes of the first stack's content: numbers of strings, and bytes of strings with their NULs. */
struct exec_sizes {
	size_t argc, envc;
	uint64_t args, env, path;
	uint64_t strings; /* bytes of strings and random bytes, from the words' end to the end of the stack */
	uint64_t words;   /* bytes of argc, pointers and the auxiliary vector, rounded up to 16 */
};

/*
 * Let other tasks run. Called after each string that is handled, since there may be 200,000 strings. Returns true when
 * the task must end. The first process is started by a kernel task, which does not give way.
 */
static inline bool exec_give_way(void)
{
	return task_current()->process && task_give_way();
}

/*
 * Find the sizes of the first stack's content (System V ABI, AMD64 supplement, "Initial Process Stack"); `words` and
 * `strings` together are the whole, a multiple of 16. Returns false when the task must end (exec_give_way).
 */
bool exec_stack_measure(const struct exec_strings *strings, struct exec_sizes *ret);

/*
 * Write the first stack's content into `content`: sizes->words + sizes->strings bytes, which must be zero before. The
 * caller then copies them to the user memory that ends at start->top. Sets *ret except for space, entry and program.
 * Returns false when the task must end (exec_give_way).
 */
bool exec_stack_fill(uint8_t *content, const struct exec_sizes *sizes, const struct exec_strings *strings,
		     const struct exec_start *start, struct exec_image *ret);

/*
 * Make a user space with the program and its stack. Sets *ret except for `program`. Returns 0, or an error with
 * everything undone.
 */
int exec_build(struct file *file, const struct elf_image *elf, const struct process_rlimit *limits,
	       const struct exec_strings *strings, struct exec_image *ret);
