/*
 * Tests keys and keyrings: add_key, request_key, keyctl.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

enum { THREAD = -1, PROCESS = -2, SESSION = -3, USER = -4, USER_SESSION = -5 };

enum command {
	RING_ID,
	JOIN,
	UPDATE,
	REVOKE,
	CHOWN,
	SETPERM,
	DESCRIBE,
	CLEAR,
	LINK,
	UNLINK,
	SEARCH,
	READ,
	DEFAULT_RING = 14,
	TIMEOUT,
	INVALIDATE = 21,
};

#define POSSESSOR_ALL 0x3f000000

static long add(const char *type, const char *name, const void *payload, unsigned long size, int ring)
{
	return sys(SYS_add_key, type, name, payload, size, ring);
}

static long control(enum command command, long a, long b, long c, long d)
{
	return sys(SYS_keyctl, command, a, b, c, d);
}

static long request(const char *name, const char *callout, int ring)
{
	return sys(SYS_request_key, "user", name, callout, ring);
}

/* Return whether the key is gone. Linux removes a key a little after its last link. */
static bool has_gone(long key)
{
	const long error = control(READ, key, 0, 0, 0);

	return error == -ENOKEY || error == -EACCES;
}

static void test_arguments(void)
{
	static char large[1 << 20];
	char name[40];

	memset(name, 'n', sizeof(name));
	name[39] = 0;
	is(add(NULL, "a", "x", 1, PROCESS), -EFAULT, "no type");
	is(add("", "a", "x", 1, PROCESS), -EINVAL, "an empty type");
	is(add(name, "a", "x", 1, PROCESS), -EINVAL, "a type that is too long");
	is(add(".user", "a", "x", 1, PROCESS), -EPERM, "a type of the kernel's own");
	is(add("nothing", "a", "x", 1, PROCESS), -ENODEV, "a type that does not exist");
	is(add("user", NULL, "x", 1, PROCESS), -EINVAL, "no description");
	is(add("user", (char *)-1, "x", 1, PROCESS), -EFAULT, "a description nowhere");
	is(add("user", "a", NULL, 1, PROCESS), -EFAULT, "a payload nowhere");
	is(add("user", "a", "", 0, PROCESS), -EINVAL, "a key without a payload");
	is(add("user", "a", large, 32768, PROCESS), -EINVAL, "one that is too large");
	is(add("user", "a", large, sizeof(large), PROCESS), -EINVAL, "one larger than any");
	is(add("keyring", "a", "x", 1, PROCESS), -EINVAL, "a keyring with a payload");
	is(add("keyring", ".a", NULL, 0, PROCESS), -EPERM, "a keyring with a name of the kernel's");
	is(add("logon", "a", "x", 1, PROCESS), -EINVAL, "a secret of no service");
	is(add("user", "a", "x", 1, 0), -EINVAL, "no keyring");
	is(add("user", "a", "x", 1, -9), -EINVAL, "a special keyring that does not exist");
	is(add("user", "a", "x", 1, 0x7ffffff1), -ENOKEY, "a keyring that is not there");
	is(control(99, 0, 0, 0, 0), -EOPNOTSUPP, "an unknown command");
}

static void test_keys(void)
{
	char text[64] = { 0 };
	long key = add("user", "apple", "green", 5, PROCESS), other, hidden;

	is_true(key > 0, key, "a key");
	is(control(READ, key, (long)text, sizeof(text), 0), 5, "is read");
	is_text(text, "green", "its payload");
	is(control(READ, key, 0, 0, 0), 5, "its size alone");
	memset(text, 0, sizeof(text));
	is(control(READ, key, (long)text, 2, 0), 5, "more than there is room for");
	is_text(text, "", "is not copied");
	is(add("user", "apple", "red", 3, PROCESS), key, "the same name is the same key");
	is(control(READ, key, 0, 0, 0), 3, "with another payload");
	is(control(UPDATE, key, (long)"yellow", 6, 0), 0, "another one");
	is(control(UPDATE, key, (long)"", 0, 0), -EINVAL, "none");
	is(control(READ, key, 0, 0, 0), 6, "leaves the old one");
	is(control(DESCRIBE, key, (long)text, sizeof(text), 0), 24, "the description");
	is_text(text, "user;0;0;3f010000;apple", "has type, owner, rights and name");
	hidden = add("logon", "mail:me", "secret", 6, PROCESS);
	is_true(hidden > 0, hidden, "a secret");
	is(control(READ, hidden, (long)text, sizeof(text), 0), -EOPNOTSUPP, "cannot be read");
	is(add("user", "pear", "x", 1, key), -ENOTDIR, "a key is no keyring");
	other = add("user", "pear", "x", 1, PROCESS);
	is(control(REVOKE, other, 0, 0, 0), 0, "a key is revoked");
	is(control(READ, other, 0, 0, 0), -EKEYREVOKED, "and not read");
	is(request("pear", NULL, 0), -ENOKEY, "nor found");
	is_true(add("user", "pear", "y", 1, PROCESS) != other, 0, "and a new one takes its name");
	is_true(has_gone(other), 0, "the old one has gone");
	other = add("user", "plum", "x", 1, PROCESS);
	is(control(INVALIDATE, other, 0, 0, 0), 0, "a key is invalidated");
	is_true(has_gone(other), 0, "and has gone");
	other = add("user", "fig", "x", 1, PROCESS);
	is(control(TIMEOUT, other, 1, 0, 0), 0, "a key for a second");
	usleep(1200000);
	is(control(READ, other, 0, 0, 0), -EKEYEXPIRED, "which are over");
	is(request("fig", NULL, 0), -ENOKEY, "is not found");
}

static void test_rings(void)
{
	int ids[4] = { 0 };
	long outer, inner, key;

	is(control(CLEAR, PROCESS, 0, 0, 0), 0, "an empty keyring");
	is(control(READ, PROCESS, 0, 0, 0), 0, "has nothing");
	outer = add("keyring", "outer", NULL, 0, PROCESS);
	inner = add("keyring", "inner", NULL, 0, (int)outer);
	key = add("user", "deep", "x", 1, (int)inner);
	is_true(outer > 0 && inner > 0 && key > 0, key, "keyrings in keyrings");
	is(request("deep", NULL, 0), key, "are searched");
	is(control(SEARCH, outer, (long)"user", (long)"deep", 0), key, "from any");
	is(control(SEARCH, inner, (long)"user", (long)"shallow", 0), -ENOKEY, "for what is there");
	is(control(SEARCH, key, (long)"user", (long)"deep", 0), -ENOTDIR, "if it is a keyring");
	is(control(LINK, outer, inner, 0, 0), -EDEADLK, "no keyring in itself");
	is(control(LINK, inner, inner, 0, 0), -EDEADLK, "nor in its own list");
	is(control(LINK, key, PROCESS, 0, 0), 0, "another link");
	is(control(READ, PROCESS, (long)ids, sizeof(ids), 0), 8, "two links");
	is_true((ids[0] == outer && ids[1] == key) || (ids[1] == outer && ids[0] == key), ids[0], "to both");
	memset(ids, 0, sizeof(ids));
	is(control(READ, PROCESS, (long)ids, 7, 0), -EINVAL, "with room for a part");
	is(control(READ, PROCESS, (long)ids, 4, 0), 8, "with room for one");
	is(ids[1], 0, "no more is copied");
	is(control(UNLINK, key, PROCESS, 0, 0), 0, "a link is removed");
	is(control(UNLINK, key, PROCESS, 0, 0), -ENOENT, "once");
	is(control(UNLINK, key, key, 0, 0), -ENOTDIR, "from a keyring");
	is(control(READ, key, 0, 0, 0), 1, "the other keyring keeps the key");
	is(control(CLEAR, inner, 0, 0, 0), 0, "without it");
	is_true(has_gone(key), 0, "the key has gone");
	is(control(REVOKE, outer, 0, 0, 0), 0, "a keyring is revoked");
	is_true(has_gone(inner), 0, "what was in it has gone");
}

static void test_requests(void)
{
	int ids[2] = { 0 };
	long key = add("user", "wanted", "x", 1, PROCESS), made;

	is(request("wanted", NULL, 0), key, "a request finds a key");
	is(request("wanted", NULL, THREAD), key, "and links it");
	is(control(READ, THREAD, (long)ids, sizeof(ids), 0), 4, "to the keyring");
	is(request("unknown", NULL, 0), -ENOKEY, "one that is not there");
	is(sys(SYS_request_key, "nothing", "a", NULL, 0), -ENOKEY, "an unknown type");
	is(sys(SYS_request_key, "user", "a", (char *)-1, 0), -EFAULT, "a text nowhere");
	is(control(CLEAR, THREAD, 0, 0, 0), 0, "an empty keyring");
	made = request("unknown", "please", THREAD);
	is_true(made == -ENOENT || made == -ENOKEY, made, "nobody provides a key");
	is(control(READ, THREAD, (long)ids, sizeof(ids), 0), 4, "which is noted");
	is(control(READ, ids[0], 0, 0, 0), -ENOKEY, "by a key that is none");
	is(request("unknown", "please", THREAD), -ENOKEY, "and told at once");
	key = add("user", "unknown", "x", 1, THREAD);
	is(request("unknown", NULL, 0), key, "until somebody adds it");
	is(control(DEFAULT_RING, 9, 0, 0, 0), -EINVAL, "an unknown default");
	is(control(DEFAULT_RING, 2, 0, 0, 0), 0, "a default");
	is(control(DEFAULT_RING, -1, 0, 0, 0), 2, "is told");
	is(control(DEFAULT_RING, 0, 0, 0, 0), 2, "and changed");
	is(sys(SYS_request_key, "keyring", "absent", "please", 0), -EPERM, "nobody is asked for a keyring");
	key = add("user", "kept", "x", 1, PROCESS);
	is(control(SETPERM, key, POSSESSOR_ALL & ~0x10000000, 0, 0), 0, "a key that is not linked");
	is(request("kept", NULL, THREAD), -EACCES, "is not linked by a request");
	is(request("kept", NULL, 0), key, "which finds it");
	is(control(SETPERM, THREAD, POSSESSOR_ALL & ~0x04000000, 0, 0), 0, "a default that is not written");
	for (int i = 0; i < 4; i++)
		is(request("absent", "please", 0), -EACCES, "gets no key");
	is_true(control(RING_ID, THREAD, 0, 0, 0) > 0, 0, "and stays");
	is(control(SETPERM, THREAD, POSSESSOR_ALL & ~0x08000000, 0, 0), 0, "a keyring that is not searched");
	is(request("unknown", NULL, 0), -ENOKEY, "hides its keys");
	is(control(SETPERM, THREAD, POSSESSOR_ALL | 0x010000, 0, 0), 0, "until it is searched again");
	is_true(request("unknown", NULL, 0) > 0, 0, "for what it has");
}

static long thread_ring; /* the first thread's own keyring */

static void *in_thread(void *process_ring)
{
	const bool same = control(RING_ID, PROCESS, 0, 0, 0) == (long)process_ring;

	return same && control(RING_ID, THREAD, 1, 0, 0) != thread_ring ? process_ring : NULL;
}

static int in_other(void *session)
{
	if (control(RING_ID, THREAD, 0, 0, 0) != -ENOKEY || control(RING_ID, PROCESS, 0, 0, 0) != -ENOKEY)
		return 1;
	if (control(RING_ID, SESSION, 0, 0, 0) != (long)session)
		return 2;
	if (control(JOIN, 0, 0, 0, 0) <= 0 || control(RING_ID, SESSION, 0, 0, 0) == (long)session)
		return 3;
	return 0;
}

static void test_tasks(void)
{
	long thread = control(RING_ID, THREAD, 1, 0, 0), process = control(RING_ID, PROCESS, 1, 0, 0);
	long session = control(JOIN, 0, 0, 0, 0), named;
	void *right = NULL;
	pthread_t other;

	is_true(thread > 0 && process > 0 && session > 0, session, "keyrings of a task");
	is(control(RING_ID, THREAD, 0, 0, 0), thread, "stay the same");
	is(control(RING_ID, SESSION, 0, 0, 0), session, "as that of a session does");
	thread_ring = thread;
	pthread_create(&other, NULL, in_thread, (void *)process);
	pthread_join(other, &right);
	is((long)right, process, "a thread has its process's keyring, but not another thread's");
	is(in_child(in_other, (void *)session), EXITED(0), "a child has the session's alone");
	is(control(RING_ID, SESSION, 0, 0, 0), session, "and joins another for itself");
	is(control(JOIN, (long)".none", 0, 0, 0), -EPERM, "no session of the kernel's");
	named = control(JOIN, (long)"meadow", 0, 0, 0);
	is_true(named > 0 && named != session, named, "a session with a name");
	is_true(control(RING_ID, USER, 0, 0, 0) > 0, 0, "a user's keyring");
	is_true(control(RING_ID, USER_SESSION, 0, 0, 0) > 0, 0, "and the user's session");
}

static int as_other_user(void *key_of_root)
{
	const long key = (long)key_of_root;
	char name[16];
	long got = 0;

	if (setresgid(1234, 1234, 1234) != 0 || setresuid(1234, 1234, 1234) != 0)
		return 1;
	if (control(READ, key, 0, 0, 0) != -EACCES || control(REVOKE, key, 0, 0, 0) != -EACCES)
		return 2;
	if (control(SETPERM, key, POSSESSOR_ALL, 0, 0) != -EACCES || control(LINK, key, PROCESS, 0, 0) != -EACCES)
		return 3;
	if (control(JOIN, 0, 0, 0, 0) <= 0)
		return 4;
	for (int i = 0; i < 300 && got >= 0; i++) {
		snprintf(name, sizeof(name), "key %d", i);
		got = add("user", name, "x", 1, PROCESS);
	}
	if (got != -EDQUOT)
		return 5;
	if (control(CLEAR, PROCESS, 0, 0, 0) != 0)
		return 6;
	usleep(100000);
	got = add("user", "mine", "x", 1, PROCESS);
	if (got <= 0 || control(CHOWN, got, 0, -1, 0) != -EACCES || control(CHOWN, got, -1, 1234, 0) != 0)
		return 7;
	return control(SETPERM, got, 0xffffffff, 0, 0) != -EINVAL;
}

static void test_rights(void)
{
	long key = add("user", "guarded", "x", 1, PROCESS), ring;

	is(in_child(as_other_user, (void *)key), EXITED(0), "another user has no rights, and a limit");
	is(control(SETPERM, key, 0, 0, 0), 0, "a key without any rights");
	is(control(READ, key, 0, 0, 0), -EACCES, "is not read");
	ring = add("keyring", "shut", NULL, 0, PROCESS);
	is(control(SETPERM, ring, POSSESSOR_ALL & ~0x04000000, 0, 0), 0, "a keyring that is not changed");
	is(add("user", "in it", "x", 1, (int)ring), -EACCES, "gets no key");
	is(control(CLEAR, ring, 0, 0, 0), -EACCES, "and is not cleared");
}

int main(void)
{
	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	test_arguments();
	test_keys();
	test_rings();
	test_requests();
	test_tasks();
	test_rights();
	return finish();
}
