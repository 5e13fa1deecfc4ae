/*
 * Files whose content is a text that the kernel generates. A read at offset 0 generates the text anew; reads at other
 * offsets get pieces of the same text, so that the pieces fit together even if the kernel's state changes in between.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/text.h"

/* A function that adds the whole content to `ret`, an empty text. Returns 0, or the error that read(2) returns. */
typedef int text_make_fn(struct node *node, struct text *ret);

/* A function that handles one write(2): `size` bytes and a NUL behind them. Returns 0, or the error for write(2). */
typedef int text_take_fn(struct node *node, const char *bytes, size_t size);

/*
 * Make `file`, which is being opened, a file with generated text: set its operations, and keep `make` and `take` for
 * them. A read returns make's error, or -ENOMEM (no memory, or more than TEXT_MAX bytes). When `take` is NULL, a write
 * returns -EINVAL; else it takes at most 4096 bytes and returns take's error. Returns 0 or -ENOMEM.
 */
int text_file_open(struct file *file, text_make_fn *make, text_take_fn *take);
