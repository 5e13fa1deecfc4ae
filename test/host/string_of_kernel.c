/*
 * kernel/lib/string.c as the kernel has it: no SSE.
 */
#undef __SSE2__
#define STRING_NAME(name) kernel_##name
#define STRING_LIST       string_of_kernel
#define STRING_TITLE      "kernel"

#include "test/host/string_renamed.h"
