/*
 * Reads a program's own line in /proc/self/stat.
 */
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/user/sys.h"

/* Return field `number` of /proc/self/stat, as proc(5) counts, or -1000 when there is none. */
static inline long stat_field(int number)
{
	char text[600], *at;
	int fd = (int)sys(SYS_open, "/proc/self/stat", O_RDONLY), size = (int)sys(SYS_read, fd, text, sizeof(text) - 1);

	close(fd);
	text[size > 0 ? size : 0] = 0;
	at = strrchr(text, ')');
	for (int field = 2; at && field < number; field++)
		at = strchr(at + 1, ' ');
	return at ? atol(at + 1) : -1000;
}
