/*
 * Parses mount(8)'s options, for the file systems that have some.
 */
#pragma once

#include "kernel/fs/node.h"

/* An option: `name` ends with "=" if a value follows. */
struct mount_option {
	const char *name;
	/* Apply the value to the file system of `root`. Returns false when the value is not allowed. */
	bool (*take)(struct node *root, struct name value);
};

/* Parse a number in the base `base`. Returns false when `word` is empty, is no number, or needs more than 32 bits. */
bool mount_number(struct name word, unsigned base, uint64_t *ret);

/*
 * Apply options such as "mode=0755,size=1m", which `known` must have. Returns 0; or -EINVAL, with the options before
 * the bad one applied.
 */
int mount_take_options(struct node *root, const char *options, const struct mount_option *known, size_t count);
