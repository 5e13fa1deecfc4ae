/*
 * Functions and structures that exec.c and the other files exec_*.c share.
 */
#pragma once

#include "kernel/fs/path.h"
#include "kernel/lib/elf.h"
#include "kernel/task/exec.h"
#include "kernel/task/give_way.h"
#include "kernel/task/process_internal.h"

/* How many scripts may follow one another as interpreters, as on Linux. */
#define EXEC_SCRIPTS_MAX 5

/* The program's arguments, to which each script adds its interpreter: a list in the heap. */
struct exec_arguments {
	const char **argv;
	size_t argc;
	size_t own; /* how many strings at the front scripts have added, in the heap; the others belong to the caller */
};

/* An ELF file and what its headers say. Guard: the task that executes it. */
struct exec_file {
	struct file *file; /* a counted reference */
	struct elf_image elf;
};

/* The program's file, and the file that loads its libraries: a heap block. Guard: the task that executes it. */
struct exec_program {
	struct exec_file own;
	struct exec_file *loader; /* what PT_INTERP names, in the heap; NULL: the program needs none */
};

/* The new program's path, arguments and environment, in the kernel's memory; both lists end with NULL. */
struct exec_strings {
	const char *path; /* the path given to execve(2); AT_EXECFN points to a copy of it */
	const char *const *argv;
	const char *const *envp;
};

/* What the first stack's content depends on beside the strings: mostly addresses. */
struct exec_start {
	vaddr_t top;     /* the end of the stack */
	vaddr_t headers; /* the program's headers in its memory; 0: they are not mapped */
	uint16_t header_count;
	vaddr_t entry; /* the program's own entry point, even if the loader runs first */
	bool stack_executable;
	vaddr_t vdso; /* the vDSO's ELF header */
	vaddr_t base; /* how far the loader is from the addresses in its file; 0: there is none */
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
 * List the arguments, with room for those that scripts add. Returns 0, and the caller calls exec_arguments_free(); or
 * -ENOMEM, or -EINTR when the task must end.
 */
int exec_arguments_list(const char *const *argv, struct exec_arguments *ret);
void exec_arguments_free(struct exec_arguments *a);

/*
 * Free a string of the heap, or NULL, and overwrite it with zeros, so that none of an execve(2) stays in free memory.
 */
void exec_string_free(const char *string);

/*
 * Replace argument 0 by `interpreter`, `option` if that is not NULL, and the script's path. Returns 0, or -ENOMEM with
 * the list as before.
 */
int exec_arguments_prepend(struct exec_arguments *a, const char *interpreter, const char *option, const char *script);

/*
 * Split in place the line "#! interpreter [option]" with which the `size` bytes of a file at `start` begin; there must
 * be room for a NUL behind these bytes. Returns false when the line names no interpreter, or one with a name too long.
 */
bool exec_cut_line(char *start, size_t size, char **ret_interpreter, char **ret_option);

/*
 * Find the program that `request` names, through the interpreters of scripts, and its loader. `a` gets the scripts'
 * arguments. Returns 0, and the caller calls exec_program_put(); or an error of execve(2) as exec_load() returns it,
 * and `a` may have changed then.
 */
int exec_find(const struct path_base *base, const struct exec_request *request, struct exec_arguments *a,
	      struct exec_program **ret, struct exec_refusal *refusal);
void exec_program_put(struct exec_program *program);

/* Set the refusal's text, cut to its size. Returns `error`. */
__attribute__((format(printf, 3, 4))) int exec_refuse(struct exec_refusal *refusal, int error, const char *format, ...);

/* Log a refusal of the program `path`, unless the log has had the same line lately. */
void exec_refusal_log(const struct exec_refusal *refusal, const char *path);

/*
 * Find the credentials with which `program` runs if somebody with the credentials `old` starts it: set ret->who, a
 * reference, ret->secure and ret->readable. Returns 0, -ENOMEM, or -EPERM: the program must have capabilities that it
 * may not get.
 */
int exec_rights(const struct file *program, const struct credentials *old, struct exec_image *ret);

/* Let the current task run as the image says, and take over the image's reference. */
void exec_take_rights(struct task *task, const struct exec_image *image);

/*
 * Find the sizes of the first stack's content (System V ABI, AMD64 supplement, "Initial Process Stack"); `words` and
 * `strings` together are the whole, a multiple of 16. Returns false when the task must end (exec_give_way).
 */
bool exec_stack_measure(const struct exec_strings *strings, struct exec_sizes *ret);

/*
 * Write the first stack's content into `content`: sizes->words + sizes->strings bytes, which must be zero before. The
 * caller then copies them to the user memory that ends at start->top. Reads ret->who and ret->secure, and sets
 * the addresses of *ret.
 * Other tasks may run after each EXEC_STACK_STEP bytes: never if there are fewer. Returns false when the task must end
 * (exec_give_way).
 */
#define EXEC_STACK_STEP (16ULL << 10)
bool exec_stack_fill(uint8_t *content, const struct exec_sizes *sizes, const struct exec_strings *strings,
		     const struct exec_start *start, struct exec_image *ret);

/*
 * Make a user space with the program, its loader and its stack. stack_limit: RLIMIT_STACK, in bytes. Sets *ret except
 * for `program`. Returns 0, or an error with everything undone.
 */
int exec_build(const struct exec_program *program, uint64_t stack_limit, const struct exec_strings *strings,
	       struct exec_image *ret);
