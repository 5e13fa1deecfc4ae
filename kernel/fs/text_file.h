/*
 * Files whose content is a text that the kernel generates, of two kinds. A short text is made as a whole by a read at
 * offset 0; reads at other offsets get pieces of the same text, so that the pieces fit together even if the kernel's
 * state changes in between. A text of records, whose number has no limit, is made while it is read, about a page at a
 * time; no record is made in parts. As on Linux, a read that does not go on where the last one ended makes the
 * records anew from the first one on, to find the offset.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/text.h"

/* A function that adds the whole content to `ret`, an empty text. Returns 0, or the error that read(2) returns. */
typedef int text_make_fn(struct node *node, struct text *ret);

#define TEXT_PLACES 17 /* numbers that a text_more_fn may keep between its calls */

/*
 * A function that adds records to `ret`, an empty text, until that has `enough` bytes or more or there are no records
 * left; *place is where to begin: 0 for the first record. Sets *place to where the next call is to begin. Only this
 * function knows what the value means. The value should be a key by which the records are sorted, such as a number:
 * then a record that exists all the time is read exactly once, whatever comes and goes between the calls. Behind *place
 * there are TEXT_PLACES - 1 more numbers, 0 at first, that the function may keep until the next call. Returns 0;
 * -EAGAIN, when it has added nothing and is to be called again; or the error that read(2) returns.
 */
typedef int text_more_fn(struct node *node, uint64_t *place, size_t enough, struct text *ret);

/* A function that handles one write(2): `size` bytes and a NUL behind them. Returns 0, or the error for write(2). */
typedef int text_take_fn(struct node *node, const char *bytes, size_t size);

/*
 * Make `file`, which is being opened, a file with generated text: set its operations, and keep `make` and `take` for
 * them. A read returns make's error, or -ENOMEM (no memory, or more than TEXT_MAX bytes). When `take` is NULL, a
 * write returns -EINVAL; else it takes at most 4096 bytes and returns take's error. Returns 0 or -ENOMEM.
 */
int text_file_open(struct file *file, text_make_fn *make, text_take_fn *take);

/*
 * Make `file` one with a text of records. A read returns more's error, -ENOMEM, or -EAGAIN: call again, since the
 * offset has not been found yet (FILE_STEPS).
 */
int text_file_open_records(struct file *file, text_more_fn *more);
