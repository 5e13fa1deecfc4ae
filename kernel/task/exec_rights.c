/*
 * Decides with which user and group IDs and capabilities a new program runs: set-user-ID and set-group-ID files, and
 * what execve(2) does with capabilities (capabilities(7), "Transformation of capabilities during execve()").
 */
#include "kernel/fs/attributes.h"
#include "kernel/fs/errno.h"
#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/permission.h"
#include "kernel/task/exec_internal.h"
#include "kernel/task/personality.h"
#include "kernel/task/ptrace.h"

/* Set the effective IDs that the file's set-ID bits give. */
static void take_file_ids(struct credentials *who, const struct file *file)
{
	const uint32_t as_group = S_ISGID | 010;
	const struct node *program = file->node;

	if (mount_flags(file->mount) & MS_NOSUID || task_current()->rights.no_new_rights)
		return;
	if (program->mode & S_ISUID)
		who->uid.effective = program->uid;
	if ((program->mode & as_group) == as_group)
		who->gid.effective = program->gid;
}

/* What the file's own capabilities give. */
struct given {
	uint64_t permitted;
	bool effective; /* all that are permitted are effective */
	bool any;       /* the file has capabilities, though perhaps none that count */
};

/*
 * Read the file's capabilities (capabilities(7), "File capabilities"). Returns 0; or -EPERM: the file wants all of its
 * capabilities to be effective, and the bounding set lacks some.
 */
static int read_capabilities(const struct file *program, const struct credentials *who, struct given *ret)
{
	struct file_capabilities file;

	*ret = (struct given){ 0 };
	if (mount_flags(program->mount) & MS_NOSUID || !attribute_capabilities(program->node, &file))
		return 0;
	ret->any = true;
	ret->effective = file.effective;
	ret->permitted = (who->bounding & file.permitted) | (who->inheritable & file.inheritable);
	return file.effective && file.permitted & ~ret->permitted ? -EPERM : 0;
}

/*
 * Set the capabilities of the new program, and the saved IDs. Returns whether the program gains rights, so that its C
 * library must distrust whoever has started it (AT_SECURE).
 */
static bool take_capabilities(struct credentials *who, const struct credentials *old, const struct given *given)
{
	const bool root_counts = !(who->secure_bits & SECURE_NO_ROOT);
	/* A set-user-ID file of root that has file capabilities gives only these, unless root itself starts it. */
	const bool as_root = root_counts && !(given->any && !who->uid.effective && who->uid.real);
	const bool all = given->effective || (as_root && !who->uid.effective);
	bool other_ids = who->uid.effective != old->uid.real || who->gid.effective != old->gid.real;
	uint64_t permitted = given->permitted;

	if (as_root && (!who->uid.effective || !who->uid.real))
		permitted = who->inheritable | who->bounding;
	if (other_ids || given->any)
		who->ambient = 0;
	/*
	 * With PR_SET_NO_NEW_PRIVS, or with a tracer that has fewer rights, nothing is gained, not even what only the
	 * effective IDs would have given.
	 */
	if ((task_current()->rights.no_new_rights || !ptrace_is_capable(task_current())) &&
	    (other_ids || permitted & ~old->permitted)) {
		who->uid.effective = who->uid.real;
		who->gid.effective = who->gid.real;
		permitted &= old->permitted;
	}
	who->permitted = permitted | who->ambient;
	who->effective = all ? who->permitted : who->ambient;
	who->uid.saved = who->uid.fs = who->uid.effective;
	who->gid.saved = who->gid.fs = who->gid.effective;
	who->secure_bits &= ~(uint32_t)SECURE_KEEP_CAPS;
	return other_ids || (who->uid.real && (all || permitted));
}

static bool are_same_ids(const struct ids *a, const struct ids *b)
{
	return a->real == b->real && a->effective == b->effective && a->saved == b->saved && a->fs == b->fs;
}

static bool are_same(const struct credentials *a, const struct credentials *b)
{
	return are_same_ids(&a->uid, &b->uid) && are_same_ids(&a->gid, &b->gid) && a->permitted == b->permitted &&
	       a->effective == b->effective && a->ambient == b->ambient && a->secure_bits == b->secure_bits;
}

int exec_rights(const struct file *program, const struct credentials *old, struct exec_image *ret)
{
	struct credentials who = *old;
	struct credentials *copy;
	struct given given;
	int error = read_capabilities(program, old, &given);

	if (error)
		return error;
	take_file_ids(&who, program);
	ret->secure = take_capabilities(&who, old, &given);
	task_current()->rights.gains = ret->secure;
	ret->readable = node_permit(program->node, old, ACCESS_READ) == 0;
	if (are_same(&who, old)) {
		ret->who = credentials_get(old);
		return 0;
	}
	copy = credentials_copy(old);
	if (!copy)
		return -ENOMEM;
	copy->uid = who.uid;
	copy->gid = who.gid;
	copy->permitted = who.permitted;
	copy->effective = who.effective;
	copy->ambient = who.ambient;
	copy->secure_bits = who.secure_bits;
	ret->who = copy;
	return 0;
}

void exec_take_rights(struct task *task, const struct exec_image *image)
{
	const struct credentials *who = image->who;
	const bool own = who->uid.effective == who->uid.real && who->gid.effective == who->gid.real;
	int error;

	task->process->rights.dumpable = own && image->readable ? DUMPABLE_USER : DUMPABLE_NOT;
	task->personality &= ~READ_IMPLIES_EXEC;
	if (image->secure) {
		task->rights.parent_death_signal = 0;
		task->personality &= ~PERSONALITY_CLEARED;
	}
	/* rights_replace() may only fail when it has to count a task of another real user, who stays the same here. */
	error = rights_replace(who);
	ASSERT(!error);
}
