/*
 * The bits of personality(2)'s value. A task has a value of its own; a child begins with its parent's. As on Linux any
 * value may be set. Bits that are not listed have no effect, and have none for 64-bit programs on Linux either.
 * MMAP_PAGE_ZERO and ADDR_COMPAT_LAYOUT, which have one on Linux, have none here.
 */
#pragma once

#define PERSONALITY_MASK   0xffU      /* the kind of system; Linux's PER_LINUX is 0 */
#define PERSONALITY_32     0x08U      /* PER_LINUX32: uname(2) names a 32-bit machine */
#define UNAME_26           0x0020000U /* uname(2) tells a release of 2.6 */
#define ADDR_NO_RANDOMIZE  0x0040000U /* a program that the task starts lies at the same addresses each time */
#define MMAP_PAGE_ZERO     0x0100000U /* without effect */
#define ADDR_COMPAT_LAYOUT 0x0200000U /* without effect */
#define READ_IMPLIES_EXEC  0x0400000U /* memory that may be read may be executed; ends with execve(2) */
#define STICKY_TIMEOUTS    0x4000000U /* select(2) and its kin do not change their timeouts */

/* Cleared when a program gets other rights than its caller's. */
#define PERSONALITY_CLEARED (READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO)
