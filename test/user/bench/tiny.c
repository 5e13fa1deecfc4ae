/*
 * The smallest program: exits with 0. What fork+exec in the benchmark starts, from /tiny; and from /large with LOAD bytes
 * of constants and as many of data that it does not touch. Built without a library.
 */
#include "test/user/sys.h"

#ifdef LOAD
__attribute__((used)) static const char constants[LOAD] = { 1 };
__attribute__((used)) static char data[LOAD] = { 1 };
#endif

_Noreturn void _start(void);

void _start(void)
{
	for (;;)
		sys(SYS_exit_group, 0);
}
