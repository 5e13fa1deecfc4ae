/*
 * Memory policies and the nodes that memory lies on, of which there is one: set_mempolicy, get_mempolicy, mbind,
 * migrate_pages, move_pages. And remap_file_pages. Runs as root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL ((void *)(-1UL << 31))
#define RW     (PROT_READ | PROT_WRITE)

enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL };

#define STATIC       0x8000
#define RELATIVE     0x4000
#define F_NODE       1
#define F_ADDR       2
#define MEMS_ALLOWED 4
#define MOVE         2
#define MOVE_ALL     4

static unsigned long node0 = 1, node1 = 2, none;

/* The task's policy, or an error. *nodes gets the first of its nodes. */
static long policy_now(unsigned long *nodes)
{
	unsigned long set[16];
	unsigned mode = 77;
	long result = sys(SYS_get_mempolicy, &mode, set, 1024, NULL, 0);

	*nodes = set[0];
	return result ? result : (long)mode;
}

static void test_task(void)
{
	unsigned long nodes[32];
	unsigned mode = 77;

	is(policy_now(nodes), DEFAULT, "a task begins with the default policy");
	is((long)nodes[0], 0, "which names no node");
	is(sys(SYS_set_mempolicy, BIND, &node0, 64), 0, "set_mempolicy: bind to node 0");
	is(policy_now(nodes), BIND, "is told");
	is((long)nodes[0], 1, "with the node");
	is(sys(SYS_get_mempolicy, &mode, NULL, 0, NULL, F_NODE), -EINVAL, "no node is next");
	is(sys(SYS_set_mempolicy, INTERLEAVE | STATIC, &node0, 64), 0, "interleave, with a flag");
	is(policy_now(nodes), INTERLEAVE | STATIC, "is told");
	is(sys(SYS_get_mempolicy, &mode, NULL, 0, NULL, F_NODE), 0, "the next node");
	is(mode, 0, "is node 0");
	is(sys(SYS_set_mempolicy, BIND | RELATIVE, &node1, 64), 0, "the second node of those that there are");
	is(sys(SYS_set_mempolicy, PREFERRED, NULL, 0), 0, "preferred, no node");
	is(policy_now(nodes), LOCAL, "is the CPU's own");
	is((long)nodes[0], 0, "which is not named");
	is(sys(SYS_set_mempolicy, DEFAULT, NULL, 0), 0, "the default again");
	memset(nodes, 0xff, sizeof(nodes));
	is(sys(SYS_get_mempolicy, NULL, nodes, 2048, NULL, MEMS_ALLOWED), 0, "which nodes a task may use");
	is(nodes[0] == 1 && !nodes[1] && !nodes[31], true, "node 0, and no other");
}

static void test_errors(void)
{
	unsigned long many[64] = { 1 };
	unsigned mode;

	is(sys(SYS_set_mempolicy, BIND, NULL, 0), -EINVAL, "bind to no node");
	is(sys(SYS_set_mempolicy, BIND, &none, 64), -EINVAL, "or an empty set");
	is(sys(SYS_set_mempolicy, BIND, &node1, 64), -EINVAL, "or to a node that is not there");
	is(sys(SYS_set_mempolicy, DEFAULT, &node0, 64), -EINVAL, "the default names no nodes");
	is(sys(SYS_set_mempolicy, LOCAL, &node0, 64), -EINVAL, "nor does the CPU's own");
	is(sys(SYS_set_mempolicy, 6, NULL, 0), -EINVAL, "an unknown mode");
	is(sys(SYS_set_mempolicy, BIND | STATIC | RELATIVE, &node0, 64), -EINVAL, "flags that exclude each other");
	is(sys(SYS_set_mempolicy, BIND, KERNEL, 64), -EFAULT, "nodes from nowhere");
	is(sys(SYS_set_mempolicy, BIND, &node0, 40000), -EINVAL, "too many nodes");
	many[63] = 1;
	is(sys(SYS_set_mempolicy, BIND, many, 4096), -EINVAL, "nodes that no machine has");
	is(sys(SYS_get_mempolicy, &mode, NULL, 0, NULL, 8), -EINVAL, "get_mempolicy: an unknown flag");
	is(sys(SYS_get_mempolicy, &mode, NULL, 0, &mode, 0), -EINVAL, "an address without the flag for it");
	is(sys(SYS_get_mempolicy, &mode, NULL, 0, KERNEL, F_ADDR), -EFAULT, "an address without memory");
	is(sys(SYS_get_mempolicy, KERNEL, NULL, 0, NULL, 0), -EFAULT, "a policy for nobody");
	is(sys(SYS_get_mempolicy, NULL, many, 0, NULL, 0), -EINVAL, "room for no node");
	is(sys(SYS_get_mempolicy, NULL, NULL, 0, NULL, MEMS_ALLOWED | F_NODE), -EINVAL, "two questions");
}

static void test_areas(void)
{
	char *at = fresh(8 * PAGE, RW);
	unsigned long nodes = 0;
	unsigned mode = 77;

	is(sys(SYS_mbind, at + PAGE, 2 * PAGE, BIND, &node0, 64, 0), 0, "mbind");
	is(sys(SYS_get_mempolicy, &mode, &nodes, 64, at + PAGE, F_ADDR), 0, "the policy of an address");
	is(mode, BIND, "is told");
	is((long)nodes, 1, "with its node");
	is(sys(SYS_get_mempolicy, &mode, &nodes, 64, at, F_ADDR), 0, "in front of it");
	is(mode, DEFAULT, "is the default");
	is(sys(SYS_get_mempolicy, &mode, NULL, 0, at + 5 * PAGE, F_ADDR | F_NODE), 0, "the node of a page");
	is(mode, 0, "is node 0");
	is(sys(SYS_mbind, at, 8 * PAGE, DEFAULT, NULL, 0, MOVE_ALL), 0, "mbind to the default");
	sys(SYS_get_mempolicy, &mode, &nodes, 64, at + PAGE, F_ADDR);
	is(mode, DEFAULT, "ends a policy");
	is(sys(SYS_mbind, at + 1, PAGE, BIND, &node0, 64, 0), -EINVAL, "mbind from an odd address");
	is(sys(SYS_mbind, at, PAGE, BIND, &node0, 64, 8), -EINVAL, "an unknown flag");
	is(sys(SYS_mbind, at, PAGE, BIND, &node1, 64, 0), -EINVAL, "a node that is not there");
	is(sys(SYS_mbind, at, PAGE, BIND, KERNEL, 64, 0), -EFAULT, "nodes from nowhere");
	is(sys(SYS_mbind, at, 0, BIND, &node0, 64, 0), 0, "nothing at all");
	munmap(at + 3 * PAGE, PAGE);
	is(sys(SYS_mbind, at, 8 * PAGE, BIND, &node0, 64, 0), -EFAULT, "a range with a hole");
	munmap(at, 8 * PAGE);
}

static void test_moves(void)
{
	char *at = fresh(4 * PAGE, RW);
	void *pages[3] = { at, at + PAGE, KERNEL };
	int nodes[3] = { 0, 0, 0 }, status[3] = { 77, 77, 77 };

	at[0] = 1;
	is(sys(SYS_move_pages, 0, 3, pages, NULL, status, 0), 0, "move_pages tells where pages are");
	is(status[0], 0, "on node 0");
	is(status[1], -EFAULT, "not touched yet");
	is(status[2], -EFAULT, "not mapped");
	status[0] = 77;
	is(sys(SYS_move_pages, 0, 1, pages, nodes, status, MOVE), 0, "move_pages to where they are");
	is(status[0], 0, "leaves them there");
	nodes[0] = -1;
	is(sys(SYS_move_pages, 0, 1, pages, nodes, status, MOVE), -ENODEV, "to a node that is none");
	is(sys(SYS_move_pages, 0, 1, KERNEL, NULL, status, 0), -EFAULT, "pages from nowhere");
	is(sys(SYS_move_pages, 0, 1, pages, NULL, status, 1), -EINVAL, "an unknown flag");
	is(sys(SYS_move_pages, 0x7ffffff, 1, pages, NULL, status, 0), -ESRCH, "of no process");
	is(sys(SYS_migrate_pages, 0, 64, &node0, &node0), 0, "migrate_pages to where they are");
	is(sys(SYS_migrate_pages, 0, 64, KERNEL, &node0), -EFAULT, "from nowhere");
	is(sys(SYS_migrate_pages, 0x7ffffff, 64, &node0, &node0), -ESRCH, "of no process");
	is(sys(SYS_migrate_pages, 0, 64, &node0, &node1), -EINVAL, "to a node that is not there");
	munmap(at, 4 * PAGE);
}

static int as_user(void *at)
{
	void *pages[1] = { at };
	int status;

	sys(SYS_setresuid, 1000, 1000, 1000);
	return sys(SYS_migrate_pages, 1, 64, &node0, &node0) == -EPERM &&
			       sys(SYS_move_pages, 1, 1, pages, NULL, &status, 0) == -EPERM &&
			       sys(SYS_move_pages, 0, 1, pages, NULL, &status, MOVE_ALL) == -EPERM &&
			       sys(SYS_mbind, at, PAGE, DEFAULT, NULL, 0, MOVE_ALL) == -EPERM
		       ? 42
		       : 1;
}

static void test_user(void)
{
	char *at = fresh(PAGE, RW);

	is(in_child(as_user, at), EXITED(42), "a user moves no others' pages");
	munmap(at, PAGE);
}

static int policy_of_child(void *unused)
{
	unsigned long nodes;

	(void)unused;
	return policy_now(&nodes) == BIND ? 42 : 1;
}

static void test_child(void)
{
	is(sys(SYS_set_mempolicy, BIND, &node0, 64), 0, "a policy");
	is(in_child(policy_of_child, NULL), EXITED(42), "is a child's, too");
	sys(SYS_set_mempolicy, DEFAULT, NULL, 0);
}

static void test_files(void)
{
	char line[16] = { 0 };
	long fd;

	mkdir("/sys", 0555);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	fd = sys(SYS_open, "/sys/devices/system/node/online", O_RDONLY);
	is(sys(SYS_read, fd, line, sizeof(line)), 2, "which nodes are there");
	is_text(line, "0\n", "node 0");
	sys(SYS_close, fd);
	fd = sys(SYS_open, "/sys/devices/system/node/node0/distance", O_RDONLY);
	is(sys(SYS_read, fd, line, sizeof(line)), 3, "how far it is from itself");
	is_text(line, "10\n", "10");
	sys(SYS_close, fd);
}

/* A file whose pages begin with 'a', 'b', and so on. */
static volatile char *map_file(long fd)
{
	volatile char *at = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, (int)fd, 0);

	for (int i = 0; i < 8; i++)
		at[i * PAGE] = (char)('a' + i);
	return at;
}

static void test_remap(void)
{
	long fd = sys(SYS_memfd_create, "remap", 0);
	volatile char *at;
	char *private = fresh(PAGE, RW);

	sys(SYS_ftruncate, fd, 8 * PAGE);
	at = map_file(fd);
	sys(SYS_close, fd);
	is(sys(SYS_remap_file_pages, at, PAGE, 0, 7, 0), 0, "remap_file_pages");
	is(at[0], 'h', "shows another page");
	is(at[PAGE], 'b', "and leaves the next");
	at[0] = 'x';
	is(at[7 * PAGE], 'x', "both are the same memory");
	is(sys(SYS_remap_file_pages, at + PAGE, 7 * PAGE, 0, 0, 0), 0, "of many pages");
	is(at[PAGE], 'a', "begins with the first");
	is(at[7 * PAGE], 'g', "and goes on");
	is(sys(SYS_remap_file_pages, at, 3 * PAGE, 0, 0, 0), 0, "of several mappings of one file");
	is(at[2 * PAGE], 'c', "too");
	is(sys(SYS_remap_file_pages, at, PAGE, PROT_READ, 0, 0), -EINVAL, "other rights");
	is(sys(SYS_remap_file_pages, at, 0, 0, 0, 0), -EINVAL, "no page");
	is(sys(SYS_remap_file_pages, private, PAGE, 0, 0, 0), -EINVAL, "private memory");
	is(sys(SYS_remap_file_pages, at, PAGE, 0, -1UL, 0), -EINVAL, "beyond all files");
	munmap((void *)at, 8 * PAGE);
	munmap(private, PAGE);
}

int main(void)
{
	test_task();
	test_errors();
	test_areas();
	test_moves();
	test_user();
	test_child();
	test_files();
	test_remap();
	return finish();
}
