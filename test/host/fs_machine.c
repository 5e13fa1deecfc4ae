/*
 * See fs_machine.h.
 */
#include "test/host/fs_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uintptr_t store_host_direct;
uint64_t fs_heap_fail_in;
uint64_t fs_heap_blocks;

/* The linker sends the heap's calls here (Makefile, FS_TESTS): the sanitizer then knows each block's size. */
void *__wrap_kmalloc(size_t size);
void *__wrap_kzalloc(size_t size);
void __wrap_kfree(void *block);

void *__wrap_kmalloc(size_t size)
{
	void *block;

	if (fs_heap_fail_in && !--fs_heap_fail_in)
		return NULL;
	block = malloc(size);
	assert_non_null(block);
	memset(block, 0xa5, size);
	fs_heap_blocks++;
	return block;
}

void *__wrap_kzalloc(size_t size)
{
	void *block = __wrap_kmalloc(size);

	if (block)
		memset(block, 0, size);
	return block;
}

void __wrap_kfree(void *block)
{
	if (block)
		fs_heap_blocks--;
	free(block);
}
