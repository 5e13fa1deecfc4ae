/*
 * Makes system calls without the C library: returns the result as the kernel gives it, -errno for an error. sys(number,
 * arguments...) takes numbers and pointers alike, up to six; those left out are 0. The library's syscall() would hide
 * the kernel's result behind -1 and errno, and a parent and its vfork child share one errno.
 */
#pragma once

#include <stdint.h>
#include <sys/syscall.h>

static inline long sys6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define SYS_PICK(n, a, b, c, d, e, f, ...) \
	sys6((long)(n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(...) SYS_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
