/*
 * Files whose content is a text that the kernel generates: a read at the start generates it anew, and later reads get
 * the rest of the same text, so that the pieces fit together whatever happens in between.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/text.h"

/* Put the whole content into `ret`, which is empty. Returns 0, or the error that read(2) returns. */
typedef int text_make_fn(struct node *node, struct text *ret);

/* Take what one write(2) brought: `size` bytes, followed by a NUL. Returns 0, or the error that write(2) returns. */
typedef int text_take_fn(struct node *node, const char *bytes, size_t size);

/*
 * Give a new open file its operations. Reads return `make`'s error, or -ENOMEM (no memory, or more than TEXT_MAX
 * bytes); without `take` writes return -EINVAL. Returns 0 or -ENOMEM.
 */
int text_file_open(struct file *file, text_make_fn *make, text_take_fn *take);
