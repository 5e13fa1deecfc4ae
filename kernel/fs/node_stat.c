/*
 * Fills in what stat(2), statx(2) and statfs(2) report about a node.
 */
#include "kernel/fs/content_memory.h"
#include "kernel/fs/mount.h"

static uint64_t blocks_of(const struct node *node)
{
	return node->ops->blocks ? node->ops->blocks(node) : 0;
}

void node_stat(const struct node *node, struct linux_stat *ret)
{
	*ret = (struct linux_stat){
		.dev = node->fs->device,
		.ino = node->number,
		.nlink = node->links,
		.mode = (uint16_t)node->mode, /* the cast drops MODE_HAS_CAPABILITY */
		.uid = node->uid,
		.gid = node->gid,
		.rdev = node->device,
		.size = (int64_t)node->size,
		.blksize = PAGE_SIZE,
		.blocks = (int64_t)blocks_of(node),
		.atime = node->atime,
		.mtime = node->mtime,
		.ctime = node->ctime,
	};
}

static struct linux_statx_time statx_time(struct linux_timespec time)
{
	return (struct linux_statx_time){ .seconds = time.seconds, .nanoseconds = (uint32_t)time.nanoseconds };
}

void node_statx(const struct place *place, struct linux_statx *ret)
{
	const struct node *node = place->node;

	*ret = (struct linux_statx){
		.mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
		.blksize = PAGE_SIZE,
		.nlink = node->links,
		.uid = node->uid,
		.gid = node->gid,
		.mode = (uint16_t)node->mode,
		.ino = node->number,
		.size = node->size,
		.blocks = blocks_of(node),
		.atime = statx_time(node->atime),
		.btime = statx_time(node->btime),
		.ctime = statx_time(node->ctime),
		.mtime = statx_time(node->mtime),
		.rdev_major = DEVICE_MAJOR(node->device),
		.rdev_minor = DEVICE_MINOR(node->device),
		.dev_major = DEVICE_MAJOR(node->fs->device),
		.dev_minor = DEVICE_MINOR(node->fs->device),
		.mount_id = mount_number_of(place->mount),
	};
}

static uint64_t free_frames(void)
{
	context_token_t token = store_enter();
	uint64_t free = frame_free_count(&machine_frames);

	store_leave(token);
	return free;
}

void node_statfs(const struct place *place, struct linux_statfs *ret)
{
	const struct fs *fs = place->node->fs;
	const unsigned flags = fs->flags | mount_flags(place->mount);
	uint64_t free = fs->unsized ? 0 : free_frames();
	uint64_t all = fs->unsized ? 0 : fs->pages_max ? fs->pages_max : machine_frames.total;
	uint64_t left = all > fs->pages ? all - fs->pages : 0;

	*ret = (struct linux_statfs){
		.type = fs->magic,
		.bsize = PAGE_SIZE,
		.blocks = all,
		.bfree = left,
		.bavail = left < free ? left : free,
		.files = fs->nodes_max ? fs->nodes_max : fs->nodes + free,
		.ffree = fs->nodes_max ? fs->nodes_max - fs->nodes : free,
		.flags = ST_VALID | (flags & ST_SAME) | (flags & MS_RELATIME ? ST_RELATIME : 0),
		.fsid = { (int32_t)fs->device },
		.namelen = NAME_MAX,
		.frsize = PAGE_SIZE,
	};
}
