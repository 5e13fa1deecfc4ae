/*
 * The notes of a core file: what is known of the process and its threads, in Linux's layouts (core(5), elf(5)).
 */
#pragma once

#include "kernel/sys/core_file.h"

struct signal_info;
struct text;

/* What the notes are made of. */
struct core_notes {
	int signal;                     /* the signal that ends the process */
	const struct signal_info *info; /* the signal's siginfo */
	const struct text *files;       /* the content of the note about mapped files, by core_list_files() */
};

/*
 * Make the content of the note about the files that the process has mapped. If there is no memory for it, text->lost is
 * set, and core_put_notes() leaves the note out.
 */
void core_list_files(struct text *text);

/*
 * Add all notes of the current process to the core file. The registers of all its tasks must be saved. Lets other tasks
 * run in between.
 */
void core_put_notes(struct core_file *to, const struct core_notes *notes);
