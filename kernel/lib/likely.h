/*
 * Tell the compiler that a condition is nearly always true, or false: it then moves the code of the rare case away from
 * the common path.
 */
#pragma once

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
