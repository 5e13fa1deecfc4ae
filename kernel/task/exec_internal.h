/*
 * What the files about starting programs share among themselves.
 */
#pragma once

#include "kernel/task/process_internal.h"

struct elf_image;

/* The new program's path, arguments and environment, in the kernel's memory; both lists end with NULL. */
struct exec_strings {
	const char *path; /* what AT_EXECFN will point at */
	const char *const *argv;
	const char *const *envp;
};

/* What a program's first stack tells it about itself. */
struct exec_start {
	vaddr_t top;     /* behind the last byte of the stack */
	vaddr_t headers; /* the program's headers in its memory; 0: they are not mapped */
	uint16_t header_count;
	vaddr_t entry;
};

/*
 * Return the size of the first stack's content (System V ABI, AMD64 supplement, "Initial Process Stack") in bytes, a
 * multiple of 16.
 */
uint64_t exec_stack_size(const struct exec_strings *strings);

/*
 * Make the first stack's content: `content` has exec_stack_size bytes, all zero, and will end at start->top. Fills in
 * *ret except for space, entry and program. Cannot fail.
 */
void exec_stack_fill(uint8_t *content, uint64_t size, const struct exec_strings *strings,
		     const struct exec_start *start, struct exec_image *ret);

/* Make a space with the program and its stack. Fills in *ret except for `program`. -errno; nothing is left then. */
int exec_build(struct file *file, const struct elf_image *elf, const struct process_rlimit *limits,
	       const struct exec_strings *strings, struct exec_image *ret);
