/*
 * Tell the compiler which way a condition goes nearly always: the other way's code moves out of the path.
 */
#pragma once

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
