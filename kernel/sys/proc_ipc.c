/*
 * Makes /proc/sysvipc, which ipcs(1) reads, and the limits of System V's objects and of message queues in /proc/sys.
 */
#include "kernel/fs/errno.h"
#include "kernel/ipc/mqueue.h"
#include "kernel/ipc/msg.h"
#include "kernel/ipc/sem.h"
#include "kernel/ipc/shm.h"
#include "kernel/lib/string.h"
#include "kernel/sys/number_file.h"
#include "kernel/sys/proc.h"
#include "kernel/task/rights.h"

/*
 * Add lines until `ret` has `enough` bytes. Place 0 is the line of titles; place n is the object with the index n - 1,
 * or the first one behind that index. *place becomes the place where the next call goes on. Returns 0.
 */
static int add_lines(const struct ipc_table *table, const char *titles, uint64_t *place, size_t enough,
		     void (*add)(struct ipc_object *object, struct text *ret), struct text *ret)
{
	struct ipc_object *object;
	uint32_t index;

	if (!*place) {
		text_add(ret, "%s\n", titles);
		*place = 1;
	}
	for (index = (uint32_t)*place - 1; ret->size < enough && (object = ipc_next(table, &index)); index++) {
		add(object, ret);
		*place = index + 2;
	}
	return 0;
}

static void add_segment(struct ipc_object *object, struct text *ret)
{
	const struct shm_segment *segment = shm_of(object);

	text_add(ret,
		 "%10d %10d  %4o %21llu %5u %5u  %5llu %5u %5u %5u %5u %10lld %10lld %10lld %21llu "
		 "%21u\n",
		 object->key, ipc_id(object), object->mode, (unsigned long long)segment->size,
		 (unsigned)segment->creator_pid, (unsigned)segment->last_pid, (unsigned long long)segment->attached,
		 object->uid, object->gid, object->creator_uid, object->creator_gid, (long long)segment->attach_time,
		 (long long)segment->detach_time, (long long)object->change_time,
		 (unsigned long long)segment->resident * PAGE_SIZE, 0U);
}

static int more_shm(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	static const char titles[] =
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      "
		"atime      dtime      ctime                   rss                  swap";

	(void)node;
	return add_lines(&shm_table, titles, place, enough, add_segment, ret);
}

static void add_set(struct ipc_object *object, struct text *ret)
{
	const struct sem_set *set = sem_of(object);

	text_add(ret, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n", object->key, ipc_id(object), object->mode,
		 set->count, object->uid, object->gid, object->creator_uid, object->creator_gid,
		 (long long)set->operation_time, (long long)object->change_time);
}

static int more_sem(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	static const char titles[] =
		"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime";

	(void)node;
	return add_lines(&sem_table, titles, place, enough, add_set, ret);
}

static void add_queue(struct ipc_object *object, struct text *ret)
{
	const struct msg_queue *queue = msg_of(object);

	text_add(ret, "%10d %10d  %4o  %10llu %10llu %5u %5u %5u %5u %5u %5u %10lld %10lld %10lld\n", object->key,
		 ipc_id(object), object->mode, (unsigned long long)queue->bytes, (unsigned long long)queue->count,
		 (unsigned)queue->sender_pid, (unsigned)queue->receiver_pid, object->uid, object->gid,
		 object->creator_uid, object->creator_gid, (long long)queue->send_time, (long long)queue->receive_time,
		 (long long)object->change_time);
}

static int more_msg(struct node *node, uint64_t *place, size_t enough, struct text *ret)
{
	static const char titles[] =
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  "
		"cgid      stime      rtime      ctime";

	(void)node;
	return add_lines(&msg_table, titles, place, enough, add_queue, ret);
}

static int make_sem(struct node *node, struct text *ret)
{
	(void)node;
	text_add(ret, "%d\t%d\t%d\t%d\n", sem_limits.set, sem_limits.all, sem_limits.operations, sem_table.most);
	return 0;
}

/*
 * Set the limits of semaphores. Up to four numbers may be written; limits for which none is written stay as they are.
 */
static int take_sem(struct node *node, const char *bytes, size_t size)
{
	uint64_t numbers[] = { (uint64_t)sem_limits.set, (uint64_t)sem_limits.all, (uint64_t)sem_limits.operations,
			       (uint64_t)sem_table.most };
	const char *at = bytes, *end = bytes + size;
	int error = 0;

	(void)node;
	for (size_t i = 0; i < 4 && !error; i++) {
		while (at < end && (*at == ' ' || *at == '\t' || *at == '\n'))
			at++;
		if (at == end)
			break;
		error = number_file_take(at, (size_t)(end - at), INT32_MAX, &numbers[i]);
		at += strcspn(at, " \t\n");
	}
	if (error)
		return error;
	if (numbers[0] > SEM_SET_MOST || numbers[2] > SEM_CALL_MOST || numbers[3] > IPC_OBJECTS)
		return -ERANGE;
	sem_limits = (struct sem_limits){ (int)numbers[0], (int)numbers[1], (int)numbers[2] };
	sem_table.most = (int)numbers[3];
	return 0;
}

NUMBER_FILE_SIGNED(sem_next_id, sem_table.next_id)
NUMBER_FILE(shmmax, shm_max, UINT64_MAX)
NUMBER_FILE(shmall, shm_all, UINT64_MAX)
NUMBER_FILE(shmmni, shm_table.most, IPC_OBJECTS)
NUMBER_FILE(msgmax, msg_max, MSG_MAX_MOST)
NUMBER_FILE(msgmnb, msg_queue_bytes, INT32_MAX)
NUMBER_FILE(msgmni, msg_table.most, IPC_OBJECTS)
NUMBER_FILE_SIGNED(msg_next_id, msg_table.next_id)
NUMBER_FILE_SIGNED(shm_next_id, shm_table.next_id)

NUMBER_FILE(queues_max, mqueue_limits.queues, INT32_MAX)
NUMBER_FILE_FROM(msg_max, mqueue_limits.most, 1, MQUEUE_MOST_HARD)
NUMBER_FILE_FROM(msgsize_max, mqueue_limits.most_size, 128, MQUEUE_SIZE_HARD)
NUMBER_FILE_FROM(msg_default, mqueue_limits.default_most, 1, MQUEUE_MOST_HARD)
NUMBER_FILE_FROM(msgsize_default, mqueue_limits.default_most_size, 128, MQUEUE_SIZE_HARD)

static int make_rmid_forced(struct node *node, struct text *ret)
{
	(void)node;
	text_add_line(ret, "", shm_rmid_forced());
	return 0;
}

static int take_rmid_forced(struct node *node, const char *bytes, size_t size)
{
	uint64_t forced;
	int error = number_file_take(bytes, size, 1, &forced);

	(void)node;
	return error ? error : shm_set_rmid_forced(forced);
}

#define RECORDS(name)                                                                 \
	{                                                                             \
		.path = "sysvipc/" #name, .mode = S_IFREG | 0444, .more = more_##name \
	}
#define LIMIT(name)                                                                                           \
	{                                                                                                     \
		.path = "sys/kernel/" #name, .mode = S_IFREG | 0644, .make = make_##name, .take = take_##name \
	}

#define MQUEUE_LIMIT(name)                                                                                       \
	{                                                                                                        \
		.path = "sys/fs/mqueue/" #name, .mode = S_IFREG | 0644, .make = make_##name, .take = take_##name \
	}

void proc_ipc_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		MQUEUE_LIMIT(queues_max),
		MQUEUE_LIMIT(msg_max),
		MQUEUE_LIMIT(msgsize_max),
		MQUEUE_LIMIT(msg_default),
		MQUEUE_LIMIT(msgsize_default),
		RECORDS(shm),
		RECORDS(sem),
		RECORDS(msg),
		LIMIT(msgmax),
		LIMIT(msgmnb),
		LIMIT(msgmni),
		LIMIT(msg_next_id),
		LIMIT(sem),
		LIMIT(sem_next_id),
		LIMIT(shmmax),
		LIMIT(shmall),
		LIMIT(shmmni),
		LIMIT(shm_next_id),
		{ .path = "sys/kernel/shm_rmid_forced",
		  .mode = S_IFREG | 0644,
		  .make = make_rmid_forced,
		  .take = take_rmid_forced },
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
