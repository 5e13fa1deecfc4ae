/*
 * What a system call that exists refuses although Linux can do it: the log names each such feature once, so that who
 * runs a program learns what it has asked for in vain.
 */
#pragma once

#include <stdint.h>

/*
 * Log that the current task's program has asked for a feature, the first time for each `what` and `value`. After 64
 * different ones nothing more is logged, so that no program can fill the log. what: a literal, the call's name and what
 * it refuses, such as "mmap: huge pages"; value: the argument that asks for it; 0: none. Returns `error`.
 */
int refuse_feature(int error, const char *what, uint64_t value);
