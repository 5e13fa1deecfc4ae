/*
 * Arguments of the calls about keys.
 */
#pragma once

#include "paging/types.h"

/* Copy a text to the heap. room: most bytes, with its NUL. Returns 0, -EFAULT, -EINVAL (it is longer), -ENOMEM. */
int key_args_text(uint64_t from, size_t room, char **ret);

/* Copy the name of a type to the heap. Returns as key_args_text; -EPERM: it begins with '.', as the kernel's own do. */
int key_args_type(uint64_t from, char **ret);

/* Copy a payload to a heap block; *ret is NULL for an empty one. Returns 0, -EFAULT, -ENOMEM. */
int key_args_payload(uint64_t from, size_t size, void **ret);
