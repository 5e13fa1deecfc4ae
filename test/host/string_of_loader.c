/*
 * kernel/lib/string.c as a program of the host has it: with SSE.
 */
#define STRING_NAME(name) loader_##name
#define STRING_LIST       string_of_loader
#define STRING_TITLE      "loader"

#include "test/host/string_renamed.h"
