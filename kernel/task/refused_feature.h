/*
 * Features of Linux that a system call refuses here. The log names each of them once when a program asks for it, so
 * that whoever runs the program learns why it fails.
 */
#pragma once

#include <stdint.h>

/*
 * Log that the current task's program has asked for a feature, once for each `what` and `value`, and return `error`.
 * After 64 lines nothing more is logged, so that no program can fill the log. what: a string literal with the call's
 * name and what it refuses, such as "mmap: huge pages", of which the address counts; value: the argument that asks for
 * the feature, or 0.
 */
int refuse_feature(int error, const char *what, uint64_t value);
