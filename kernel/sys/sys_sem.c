/*
 * semget(2), semop(2), semtimedop(2), semctl(2): check arguments and convert structures. kernel/ipc/sem.c has the
 * semaphores.
 */
#include "kernel/ipc/sem.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/ipc_args.h"

#define OPERATIONS_STACK 64 /* operations that lie on the stack; more are copied to the heap */
#define VALUES_PIECE     64 /* values that are copied at once */

#define GETPID       11
#define GETVAL       12
#define GETALL       13
#define GETNCNT      14
#define GETZCNT      15
#define SETVAL       16
#define SETALL       17
#define SEM_STAT     18
#define SEM_INFO     19
#define SEM_STAT_ANY 20

#define SEMUSZ 20

/* Linux's struct semid64_ds and seminfo. */
struct linux_semid {
	struct linux_ipc_perm perm;
	int64_t operation_time, unused1, change_time, unused2;
	uint64_t count, unused3, unused4;
};

struct linux_sem_info {
	int32_t map, mni, mns, mnu, msl, opm, ume, usz, vmx, aem;
};

_Static_assert(sizeof(struct linux_semid) == 104, "Linux's struct semid64_ds");

SYSCALL_3(semget, key, count, flags)
{
	struct ipc_object *found;
	int error;

	if ((int)count < 0 || (int)count > sem_limits.set)
		return -EINVAL;
	error = ipc_look_up(&sem_table, (int)key, (unsigned)flags, &found);
	if (error)
		return error;
	if (!found)
		return sem_create((int)key, (int)count, (unsigned)flags);
	if ((uint32_t)count > sem_of(found)->count)
		return -EINVAL;
	error = ipc_permits(found, (unsigned)flags);
	return error ? error : ipc_id(found);
}

/* ---- semop ---- */

/*
 * Find the set for operations. Returns 0, -EINVAL (no such set), -EFBIG (the set lacks a semaphore that is named),
 * -EACCES.
 */
static int find_set(int id, const struct sem_operation *operations, unsigned count, struct sem_set **ret)
{
	struct sem_set *set = sem_of(ipc_find(&sem_table, id));
	bool changes = false;

	if (!set)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		if (operations[i].number >= set->count)
			return -EFBIG;
		changes |= operations[i].change;
	}
	*ret = set;
	return ipc_permits(&set->ipc, changes ? IPC_WRITE : IPC_READ);
}

static int operate(int id, uint64_t from, unsigned count, uint64_t deadline)
{
	struct sem_operation few[OPERATIONS_STACK], *operations = few;
	struct sem_set *set;
	int error;

	if (count > OPERATIONS_STACK)
		operations = kmalloc(count * sizeof(*operations));
	if (!operations)
		return -ENOMEM;
	error = args_get(operations, from, count * sizeof(*operations));
	if (!error)
		error = find_set(id, operations, count, &set);
	if (!error)
		error = sem_operate(set, operations, count, deadline);
	if (operations != few)
		kfree(operations);
	return error;
}

SYSCALL_4(semtimedop, id, operations, count, timeout)
{
	uint64_t deadline;
	int error = args_deadline(timeout, &deadline);

	if ((uint32_t)count > (uint32_t)sem_limits.operations)
		return error == -EFAULT ? error : -E2BIG;
	if (!(uint32_t)count || (int)id < 0)
		return error == -EFAULT ? error : -EINVAL;
	return error ? error : operate((int)id, operations, (unsigned)count, deadline);
}

SYSCALL_3(semop, id, operations, count)
{
	return sys_semtimedop(id, operations, count, 0, 0, 0);
}

/* ---- semctl ---- */

static int64_t put_limits(uint64_t to, bool info)
{
	const struct linux_sem_info limits = { .map = sem_limits.all,
					       .mni = sem_table.most,
					       .mns = sem_limits.all,
					       .mnu = 32000 * 32000,
					       .msl = sem_limits.set,
					       .opm = sem_limits.operations,
					       .ume = 500,
					       .usz = info ? (int32_t)sem_table.count : SEMUSZ,
					       .vmx = SEM_VALUE_MOST,
					       .aem = info ? (int32_t)sem_used : SEM_VALUE_MOST };
	int error = args_put(to, &limits, sizeof(limits));

	return error ? error : ipc_top(&sem_table);
}

/* Do IPC_STAT, SEM_STAT or SEM_STAT_ANY. `by` says whether `number` is an id or an index. */
static int64_t put_state(int number, enum ipc_stat_by by, uint64_t to)
{
	struct ipc_object *object;
	const struct sem_set *set;
	struct linux_semid state;
	int error = ipc_find_to_stat(&sem_table, number, by, &object);

	if (error)
		return error;
	set = sem_of(object);
	state = (struct linux_semid){ .perm = linux_ipc_perm(object),
				      .operation_time = set->operation_time,
				      .change_time = object->change_time,
				      .count = set->count };
	error = args_put(to, &state, sizeof(state));
	return error ? error : by == IPC_BY_ID ? 0 : ipc_id(object);
}

static int64_t set_owner(int id, uint64_t from)
{
	struct linux_semid wanted;
	struct ipc_object *object;
	int error = args_get(&wanted, from, sizeof(wanted));

	if (!error)
		error = ipc_find_owned(&sem_table, id, &object);
	return error ? error : ipc_set(object, wanted.perm.uid, wanted.perm.gid, wanted.perm.mode);
}

static int64_t remove_set(int id)
{
	struct ipc_object *object;
	int error = ipc_find_owned(&sem_table, id, &object);

	if (!error)
		sem_remove(sem_of(object));
	return error;
}

static int64_t set_value(int id, uint64_t number, int value)
{
	struct sem_set *set = sem_of(ipc_find(&sem_table, id));
	int error;

	if (value < 0 || value > SEM_VALUE_MOST)
		return -ERANGE;
	if (!set || (uint32_t)number >= set->count)
		return -EINVAL;
	error = ipc_permits(&set->ipc, IPC_WRITE);
	if (error)
		return error;
	sem_set_value(set, (uint32_t)number, value);
	return 0;
}

static int64_t get_all(const struct sem_set *set, uint64_t to)
{
	uint16_t values[VALUES_PIECE];
	int error = 0;

	for (uint32_t at = 0, count; at < set->count && !error; at += count) {
		count = set->count - at < VALUES_PIECE ? set->count - at : VALUES_PIECE;
		for (uint32_t i = 0; i < count; i++)
			values[i] = (uint16_t)set->sems[at + i].value;
		error = args_put(to + at * sizeof(values[0]), values, count * sizeof(values[0]));
	}
	return error;
}

static int64_t set_all(struct sem_set *set, uint64_t from)
{
	const size_t size = set->count * sizeof(uint16_t);
	uint16_t *values = kmalloc(size);
	int error;

	if (!values)
		return -ENOMEM;
	error = args_get(values, from, size);
	for (uint32_t i = 0; i < set->count && !error; i++)
		error = values[i] > SEM_VALUE_MOST ? -ERANGE : 0;
	if (!error)
		sem_set_values(set, values);
	kfree(values);
	return error;
}

/* Do the commands that read a set or one of its semaphores, and SETALL. */
static int64_t ask(int id, uint64_t number, uint32_t command, uint64_t argument)
{
	struct sem_set *set = sem_of(ipc_find(&sem_table, id));
	int error = set ? ipc_permits(&set->ipc, command == SETALL ? IPC_WRITE : IPC_READ) : -EINVAL;

	if (error)
		return error;
	if (command == GETALL)
		return get_all(set, argument);
	if (command == SETALL)
		return set_all(set, argument);
	if ((uint32_t)number >= set->count)
		return -EINVAL;
	switch (command) {
	case GETVAL:
		return set->sems[(uint32_t)number].value;
	case GETPID:
		return set->sems[(uint32_t)number].pid;
	default:
		return sem_waiters(set, (uint32_t)number, command == GETZCNT);
	}
}

SYSCALL_4(semctl, id, number, command, argument)
{
	if ((int)id < 0)
		return -EINVAL;
	switch ((uint32_t)command) {
	case IPC_INFO:
	case SEM_INFO:
		return put_limits(argument, command == SEM_INFO);
	case IPC_STAT:
		return put_state((int)id, IPC_BY_ID, argument);
	case SEM_STAT:
		return put_state((int)id, IPC_BY_INDEX, argument);
	case SEM_STAT_ANY:
		return put_state((int)id, IPC_BY_INDEX_ANY, argument);
	case GETALL:
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETALL:
		return ask((int)id, number, (uint32_t)command, argument);
	case SETVAL:
		return set_value((int)id, number, (int)argument);
	case IPC_SET:
		return set_owner((int)id, argument);
	case IPC_RMID:
		return remove_set((int)id);
	}
	return -EINVAL;
}
