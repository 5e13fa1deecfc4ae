/*
 * Makes windows: much address space with little memory behind it.
 */
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "test/user/sys.h"

#define MIB (1UL << 20)

/* Map `size` bytes of address space, a multiple of a MiB, that all lead to the same MiB. NULL: there is no memory. */
static inline char *window(unsigned long size)
{
	int fd = (int)sys(SYS_memfd_create, "window", 0);
	char *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (fd < 0 || at == MAP_FAILED || sys(SYS_ftruncate, fd, MIB) != 0)
		return NULL;
	for (unsigned long i = 0; i < size; i += MIB)
		if (mmap(at + i, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return NULL;
	close(fd);
	return at;
}
