/*
 * Copies the arguments of the calls about keys from user memory.
 */
#pragma once

#include "paging/types.h"

/*
 * Copy a text to the heap. room: most bytes, with the NUL. Returns 0, -EFAULT, -EINVAL (the text is longer), -ENOMEM.
 */
int key_args_text(uint64_t from, size_t room, char **ret);

/*
 * Copy a type's name to the heap. Returns as key_args_text; -EPERM: it begins with '.', as names of the kernel's own
 * types.
 */
int key_args_type(uint64_t from, char **ret);

/* Copy a payload to a heap block; *ret is NULL for an empty one. Returns 0, -EFAULT, -ENOMEM. */
int key_args_payload(uint64_t from, size_t size, void **ret);
