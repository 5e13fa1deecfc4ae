/*
 * Credentials: the user and group IDs, and the capabilities, that a task acts with (credentials(7), capabilities(7)). A
 * system call of a task acts with the task's credentials (kernel/task/rights.h); the kernel itself, as while it fills
 * the first file system, acts with `credentials_first`.
 *
 * Published credentials never change: a task that needs others makes a copy, changes the copy, and publishes it. So a
 * holder of a reference reads all fields without a lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GROUPS_MOST 65536 /* most supplementary groups, as on Linux: NGROUPS_MAX */

/* Linux's capabilities (capabilities(7)), as far as the kernel asks for one. */
enum capability {
	CAP_CHOWN = 0,
	CAP_DAC_OVERRIDE = 1,
	CAP_DAC_READ_SEARCH = 2,
	CAP_FOWNER = 3,
	CAP_FSETID = 4,
	CAP_KILL = 5,
	CAP_SETGID = 6,
	CAP_SETUID = 7,
	CAP_SETPCAP = 8,
	CAP_LINUX_IMMUTABLE = 9,
	CAP_NET_ADMIN = 12,
	CAP_IPC_LOCK = 14,
	CAP_IPC_OWNER = 15,
	CAP_SYS_CHROOT = 18,
	CAP_SYS_PTRACE = 19,
	CAP_SYS_ADMIN = 21,
	CAP_SYS_BOOT = 22,
	CAP_SYS_NICE = 23,
	CAP_SYS_RESOURCE = 24,
	CAP_SYS_TIME = 25,
	CAP_SYS_TTY_CONFIG = 26,
	CAP_MKNOD = 27,
	CAP_SETFCAP = 31,
	CAP_MAC_OVERRIDE = 32,
	CAP_SYSLOG = 34,
	CAPABILITIES = 41, /* how many Linux 6.1 has */
};

#define CAPABILITY(which) (1ULL << (which)) /* the bit of a capability in a set of them */
#define CAPABILITIES_ALL  (CAPABILITY(CAPABILITIES) - 1)

/* Bits of `secure_bits`; the bit above each of them locks it. */
enum secure_bit {
	SECURE_NO_ROOT = 1 << 0,
	SECURE_NO_SETUID_FIXUP = 1 << 2,
	SECURE_KEEP_CAPS = 1 << 4,
	SECURE_KEEP_CAPS_LOCKED = 1 << 5,
	SECURE_NO_AMBIENT_RAISE = 1 << 6,
	SECURE_ALL = 0x55,
	SECURE_ALL_LOCKS = 0xaa,
};

/* Supplementary groups. Fixed when it is made, but for `refs`. */
struct group_list {
	uint64_t refs;   /* references: of credentials; atomic */
	uint32_t count;  /* number of groups */
	uint32_t gids[]; /* the group IDs in rising order */
};

/* The four user IDs, or group IDs, of a task. */
struct ids {
	uint32_t real, effective, saved, fs;
};

/* The IDs and capabilities that a task acts with. Guard: fixed when they are published, but for `refs`. */
struct credentials {
	uint64_t refs; /* references: of tasks, and those of credentials_get(); atomic */
	struct ids uid, gid;
	/* Sets of capabilities. */
	uint64_t permitted, effective, inheritable, bounding, ambient;
	uint32_t secure_bits;      /* a set of enum secure_bit */
	struct group_list *groups; /* a reference; NULL: none */
};

/*
 * The credentials of the first process and of the kernel: root, with all capabilities. Never freed. Like all published
 * credentials they never change, except `refs`.
 */
extern struct credentials credentials_first;

/* Take a reference. */
static inline const struct credentials *credentials_get(const struct credentials *who)
{
	__atomic_add_fetch(&((struct credentials *)who)->refs, 1, __ATOMIC_RELAXED);
	return who;
}

/* Drop a reference; the last one frees the credentials. NULL is allowed. */
void credentials_put(const struct credentials *who);

/* Return a copy with one reference, which the caller changes and publishes; NULL: no memory. */
struct credentials *credentials_copy(const struct credentials *who);

/*
 * Make a list of `count` groups, with one reference, whose `gids` the caller fills in and sorts; NULL: no memory.
 */
struct group_list *group_list_create(uint32_t count);

/* Drop a reference to a list; the last one frees it. NULL is allowed. */
void group_list_put(struct group_list *groups);

/* Return whether the capability is among the effective ones. */
static inline bool credentials_can(const struct credentials *who, enum capability which)
{
	return who->effective >> which & 1;
}

/* Return whether `gid` is the group for files, or one of the supplementary groups. */
bool credentials_in_group(const struct credentials *who, uint32_t gid);

/* Return whether `gid` is the effective group, or one of the supplementary groups. */
bool credentials_in_effective_group(const struct credentials *who, uint32_t gid);

/*
 * Adapt the capabilities of `who` to a change of its user IDs from `before` to who->uid (capabilities(7), "Effect of
 * user ID changes on capabilities"). `who` is not published yet.
 */
void credentials_follow_uid(struct credentials *who, const struct ids *before);
/* Adapt the capabilities of `who`, not published yet, to a change of its user ID for files alone, from `before`. */
void credentials_follow_fs_uid(struct credentials *who, uint32_t before);
