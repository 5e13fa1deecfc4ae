/*
 * Files whose content is a text that the kernel makes: a read at the start makes it anew, and the reads that follow get
 * the rest of the same text, so that pieces fit together whatever happens in between.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/text.h"

/* Put the whole content into `ret`, which is empty. 0, or the error that read(2) returns. */
typedef int text_make_fn(struct node *node, struct text *ret);

/* What one write(2) brought: `size` bytes, followed by a NUL. 0, or the error that it returns. */
typedef int text_take_fn(struct node *node, const char *bytes, size_t size);

/*
 * Give a new description of `node` its operations. Reads return `make`'s error, -ENOMEM (no memory, or more than TEXT_MAX bytes);
 * with no `take`, writes -EINVAL. -ENOMEM.
 */
int text_file_open(struct file *file, text_make_fn *make, text_take_fn *take);
