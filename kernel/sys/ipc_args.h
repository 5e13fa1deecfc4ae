/*
 * What the system calls of System V's objects share: commands, and Linux's structure of owner and permissions.
 */
#pragma once

#include "kernel/ipc/ipc.h"
#include "kernel/sys/user_args.h"

#define IPC_RMID 0
#define IPC_SET  1
#define IPC_STAT 2
#define IPC_INFO 3

/* Linux's struct ipc64_perm. */
struct linux_ipc_perm {
	int32_t key;
	uint32_t uid, gid, cuid, cgid;
	uint32_t mode;
	uint16_t sequence, unused1;
	uint64_t unused2, unused3;
};

_Static_assert(sizeof(struct linux_ipc_perm) == 48, "Linux's struct ipc64_perm");

static inline struct linux_ipc_perm linux_ipc_perm(const struct ipc_object *object)
{
	return (struct linux_ipc_perm){ .key = object->key,
					.uid = object->uid,
					.gid = object->gid,
					.cuid = object->creator_uid,
					.cgid = object->creator_gid,
					.mode = object->mode,
					.sequence = (uint16_t)object->sequence };
}
