/* The smallest program: exits with 0. What fork+exec in the benchmark starts, from /tiny. Built without a library. */
#include "test/user/sys.h"

_Noreturn void _start(void);

void _start(void)
{
	for (;;)
		sys(SYS_exit_group, 0);
}
