/*
 * Setting a file's size, for truncate(2), ftruncate(2) and O_TRUNC. A file that loses very many pages, or is mapped in
 * very many areas, becomes shorter in pieces, between which other tasks run.
 */
#pragma once

#include "kernel/fs/node.h"

/*
 * Set a file's size; wait while another call is writing the file. Returns as node_truncate; also -EFBIG
 * (file_size_check), -EINTR (the task must end: nothing has changed, or the file has its new size, and the end of the
 * task frees what it has lost).
 */
int64_t file_resize(struct node *node, uint64_t size);

/*
 * Set the size for a caller that has not opened the file for writing. Returns as file_resize, or -ETXTBSY: the
 * file is a program that runs.
 */
int64_t file_resize_unopened(struct node *node, uint64_t size);
