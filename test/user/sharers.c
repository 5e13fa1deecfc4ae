/*
 * Tests one page of a file that is mapped more often than 16 bits can count.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/user/tap.h"

#define MAPPINGS 33000 /* mappings of one page in each of two processes */

static int count_mappings(void *argument)
{
	const volatile unsigned char *memory = argument;
	int wrong = 0;

	for (long i = 0; i < MAPPINGS; i++)
		wrong += memory[i * PAGE] != 0x33;
	return wrong != 0;
}

/* Map the page MAPPINGS times in each of two processes at once. */
static void test_sharers(void)
{
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/page", O_CREAT | O_RDWR, 0600), good = 0;
	unsigned char *memory = fresh(MAPPINGS * PAGE, PROT_NONE);

	sys(SYS_pwrite64, file, "\x33", 1, PAGE - 1);
	for (long i = 0; i < MAPPINGS; i++)
		good += sys(SYS_mmap, memory + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
			    0) == (long)(memory + i * PAGE);
	is(good, MAPPINGS, "one page of a file is mapped many times");
	memory[0] = 0x33;
	is(count_mappings(memory), 0, "all show it");
	is(in_child(count_mappings, memory), EXITED(0), "a child's, too");
	is(count_mappings(memory), 0, "and still do when it has ended");
	is(sys(SYS_munmap, memory, MAPPINGS * PAGE), 0, "munmap of all");
	is(sys(SYS_pread64, file, memory = fresh(PAGE, PROT_READ | PROT_WRITE), 1, 0), 1, "the file");
	is(memory[0], 0x33, "has what was written");
	sys(SYS_munmap, memory, PAGE);
	sys(SYS_close, file);
	sys(SYS_unlink, "/tmp/page");
}

int main(void)
{
	test_sharers();
	return finish();
}
