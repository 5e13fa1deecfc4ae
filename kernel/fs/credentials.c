/*
 * Credentials: counts their references, checks membership in groups, and adapts capabilities to changed user IDs.
 */
#include "kernel/fs/credentials.h"

#include "kernel/lib/panic.h"
#include "kernel/mm/heap/heap.h"

/* The capabilities that concern files: gained when the user ID for files becomes 0, lost when it ceases to be 0. */
#define CAPABILITIES_FILES                                                                                           \
	(CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_DAC_READ_SEARCH) |                    \
	 CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_FSETID) | CAPABILITY(CAP_LINUX_IMMUTABLE) | CAPABILITY(CAP_MKNOD) | \
	 CAPABILITY(CAP_MAC_OVERRIDE))

/* One reference is counted from the start and never dropped, so that these credentials are never freed. */
struct credentials credentials_first = {
	.refs = 1,
	.permitted = CAPABILITIES_ALL,
	.effective = CAPABILITIES_ALL,
	.bounding = CAPABILITIES_ALL,
};

void credentials_put(const struct credentials *who)
{
	struct credentials *dropped = (struct credentials *)who;

	if (!who)
		return;
	ASSERT(who->refs);
	if (__atomic_sub_fetch(&dropped->refs, 1, __ATOMIC_ACQ_REL))
		return;
	group_list_put(dropped->groups);
	kfree(dropped);
}

struct credentials *credentials_copy(const struct credentials *who)
{
	struct credentials *copy = kmalloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *who;
	copy->refs = 1;
	if (copy->groups)
		__atomic_add_fetch(&copy->groups->refs, 1, __ATOMIC_RELAXED);
	return copy;
}

struct group_list *group_list_create(uint32_t count)
{
	struct group_list *groups = kmalloc(sizeof(*groups) + count * sizeof(groups->gids[0]));

	if (groups) {
		groups->refs = 1;
		groups->count = count;
	}
	return groups;
}

void group_list_put(struct group_list *groups)
{
	if (!groups)
		return;
	ASSERT(groups->refs);
	if (!__atomic_sub_fetch(&groups->refs, 1, __ATOMIC_ACQ_REL))
		kfree(groups);
}

static bool is_listed(const struct group_list *groups, uint32_t gid)
{
	uint32_t low = 0, high = groups ? groups->count : 0;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (groups->gids[middle] == gid)
			return true;
		if (groups->gids[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool credentials_in_group(const struct credentials *who, uint32_t gid)
{
	return who->gid.fs == gid || is_listed(who->groups, gid);
}

bool credentials_in_effective_group(const struct credentials *who, uint32_t gid)
{
	return who->gid.effective == gid || is_listed(who->groups, gid);
}

static bool has_root(const struct ids *ids)
{
	return !ids->real || !ids->effective || !ids->saved;
}

void credentials_follow_uid(struct credentials *who, const struct ids *before)
{
	if (who->secure_bits & SECURE_NO_SETUID_FIXUP)
		return;
	if (has_root(before) && !has_root(&who->uid)) {
		if (!(who->secure_bits & SECURE_KEEP_CAPS))
			who->permitted = who->effective = 0;
		/*
		 * Clear the ambient set too: programs that the process executes would get it, though the process gives
		 * up root.
		 */
		who->ambient = 0;
	}
	if (!before->effective && who->uid.effective)
		who->effective = 0;
	else if (before->effective && !who->uid.effective)
		who->effective = who->permitted;
}

void credentials_follow_fs_uid(struct credentials *who, uint32_t before)
{
	if (who->secure_bits & SECURE_NO_SETUID_FIXUP)
		return;
	if (!before && who->uid.fs)
		who->effective &= ~CAPABILITIES_FILES;
	else if (before && !who->uid.fs)
		who->effective |= who->permitted & CAPABILITIES_FILES;
}
