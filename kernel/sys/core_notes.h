/*
 * The notes of a core file: what is known of the process and its threads, in Linux's layouts (core(5), elf(5)).
 */
#pragma once

#include "kernel/sys/core_file.h"

struct signal_info;
struct text;

/* What the notes are made of. */
struct core_notes {
	int signal;                     /* the one that ends the process */
	const struct signal_info *info; /* its siginfo */
	const struct text *files;       /* the note of mapped files */
};

/* Make the note about the files that the process has mapped; text->lost: there was no memory, and no note. */
void core_list_files(struct text *text);

/* Add the notes of all tasks of the current process, whose registers are saved. Lets other tasks run in between. */
void core_put_notes(struct core_file *to, const struct core_notes *notes);
