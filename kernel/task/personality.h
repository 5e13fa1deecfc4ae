/*
 * The bits of personality(2)'s value that the kernel knows. A task has a value of its own; a child begins with its
 * parent's.
 */
#pragma once

#define PERSONALITY_MASK      0xffU      /* the kind of system; Linux's PER_LINUX is 0 */
#define PERSONALITY_32        0x08U      /* PER_LINUX32: uname(2) names a 32-bit machine */
#define ADDR_NO_RANDOMIZE     0x0040000U /* a program that the task starts lies at the same addresses each time */
#define PERSONALITY_CLEARED   ADDR_NO_RANDOMIZE /* cleared when a program gets other rights than its caller's */
#define PERSONALITY_SUPPORTED (PERSONALITY_32 | ADDR_NO_RANDOMIZE)
