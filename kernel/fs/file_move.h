/*
 * The kinds of reads and writes of an open file (kernel/fs/file.h).
 */
#pragma once

#include "kernel/fs/linux_file.h"
#include "paging/types.h"

/* Bit 0: a write; bit 1: the file's offset stays as it is; bit 2: at the file's end. */
enum file_move {
	FILE_READ = 0,
	FILE_WRITE = 1,
	FILE_PREAD = 2,   /* read at a given offset, and leave the file's offset as it is */
	FILE_PWRITE = 3,  /* write at a given offset, and leave the file's offset as it is */
	FILE_APPEND = 5,  /* write at the end of a file with FILE_SEEKS, and set its offset behind the bytes */
	FILE_PAPPEND = 7, /* write at the end of a file with FILE_SEEKS, and leave its offset as it is */
};

static inline bool file_move_writes(enum file_move how)
{
	return how & FILE_WRITE;
}

/* Return whether a write goes to the file's end: because the call asks for it, or by O_APPEND in the file's flags. */
static inline bool file_move_appends(enum file_move how, uint32_t flags)
{
	return how >= FILE_APPEND || flags & O_APPEND;
}
