/*
 * Keeps the tables of System V's objects, and checks who may use the objects; see ipc.h.
 */
#include "kernel/ipc/ipc.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/task/rights.h"

#define SEQUENCES (INT32_MAX >> IPC_INDEX_BITS) /* sequence numbers are below this */
#define NO_ID     UINT32_MAX                    /* the number that no user or group has */

int ipc_look_up(const struct ipc_table *table, int key, unsigned flags, struct ipc_object **ret)
{
	struct ipc_object *found = key == IPC_PRIVATE ? NULL : radix_find(&table->keys, (uint32_t)key);

	if (!found && key != IPC_PRIVATE && !(flags & IPC_CREAT))
		return -ENOENT;
	if (found && flags & IPC_CREAT && flags & IPC_EXCL)
		return -EEXIST;
	*ret = found;
	return 0;
}

/* Choose index and sequence number of a new object. Returns 0 or -ENOSPC. */
static int choose_id(struct ipc_table *table, struct ipc_object *object)
{
	const bool chosen = table->next_id >= 0;
	const uint32_t from = chosen ? (uint32_t)table->next_id & (IPC_OBJECTS - 1) : 0;

	if (table->count >= (uint32_t)table->most)
		return -ENOSPC;
	object->index = radix_next_free(&table->objects, from);
	if (object->index >= IPC_OBJECTS)
		return -ENOSPC;
	object->sequence = chosen ? (uint32_t)table->next_id >> IPC_INDEX_BITS : table->sequence;
	/* As on Linux the sequence number grows whenever the index does not. */
	if (!chosen && (int)object->index <= table->last_index)
		object->sequence = table->sequence + 1 < SEQUENCES ? table->sequence + 1 : 0;
	return 0;
}

int ipc_add(struct ipc_table *table, struct ipc_object *object, int key, unsigned flags)
{
	const struct credentials *who = rights_current();
	int error = choose_id(table, object);

	if (error)
		return error;
	if (radix_insert(&table->objects, object->index, object) != OK)
		return -ENOMEM;
	if (key != IPC_PRIVATE && radix_insert(&table->keys, (uint32_t)key, object) != OK) {
		(void)radix_remove(&table->objects, object->index);
		return -ENOMEM;
	}
	if (table->next_id < 0) {
		table->sequence = object->sequence;
		table->last_index = (int)object->index;
	}
	table->next_id = -1;
	table->count++;
	object->key = key;
	object->uid = object->creator_uid = who->uid.effective;
	object->gid = object->creator_gid = who->gid.effective;
	object->mode = flags & IPC_PERMISSIONS;
	object->change_time = ipc_now();
	object->gone = false;
	object->refs = 1;
	return ipc_id(object);
}

void ipc_forget_key(struct ipc_table *table, struct ipc_object *object)
{
	if (object->key != IPC_PRIVATE)
		(void)radix_remove(&table->keys, (uint32_t)object->key);
	object->key = IPC_PRIVATE;
}

void ipc_remove(struct ipc_table *table, struct ipc_object *object)
{
	ipc_forget_key(table, object);
	(void)radix_remove(&table->objects, object->index);
	object->gone = true;
	table->count--;
}

static struct ipc_object *find_index(const struct ipc_table *table, int index)
{
	return index < 0 ? NULL : radix_find(&table->objects, (uint32_t)index & (IPC_OBJECTS - 1));
}

struct ipc_object *ipc_find(const struct ipc_table *table, int id)
{
	struct ipc_object *object = find_index(table, id);

	return object && ipc_id(object) == id ? object : NULL;
}

struct ipc_object *ipc_next(const struct ipc_table *table, uint32_t *index)
{
	return radix_next(&table->objects, index);
}

int ipc_top(const struct ipc_table *table)
{
	uint32_t top;

	return radix_last(&table->objects, &top) ? (int)top : 0;
}

int ipc_permits(const struct ipc_object *object, unsigned wanted)
{
	const struct credentials *who = rights_current();
	unsigned granted = object->mode;

	wanted = (wanted | wanted >> 3 | wanted >> 6) & 7;
	if (who->uid.effective == object->creator_uid || who->uid.effective == object->uid)
		granted >>= 6;
	else if (credentials_in_group(who, object->creator_gid) || credentials_in_group(who, object->gid))
		granted >>= 3;
	return wanted & ~granted && !credentials_can(who, CAP_IPC_OWNER) ? -EACCES : 0;
}

int ipc_find_to_stat(const struct ipc_table *table, int number, enum ipc_stat_by by, struct ipc_object **ret)
{
	*ret = by == IPC_BY_ID ? ipc_find(table, number) : find_index(table, number);
	if (!*ret)
		return -EINVAL;
	return by == IPC_BY_INDEX_ANY ? 0 : ipc_permits(*ret, IPC_READ);
}

int ipc_find_owned(const struct ipc_table *table, int id, struct ipc_object **ret)
{
	const struct credentials *who = rights_current();

	*ret = ipc_find(table, id);
	if (!*ret)
		return -EINVAL;
	if (who->uid.effective != (*ret)->creator_uid && who->uid.effective != (*ret)->uid &&
	    !credentials_can(who, CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

int ipc_set(struct ipc_object *object, uint32_t uid, uint32_t gid, uint32_t mode)
{
	if (uid == NO_ID || gid == NO_ID)
		return -EINVAL;
	object->uid = uid;
	object->gid = gid;
	object->mode = (object->mode & ~IPC_PERMISSIONS) | (mode & IPC_PERMISSIONS);
	object->change_time = ipc_now();
	return 0;
}

int64_t ipc_now(void)
{
	return (int64_t)(clock_realtime_ns() / NS_PER_S);
}
