/*
 * io_setup(2), io_submit(2) and their kin: reads and writes whose results are taken later.
 *
 * An operation is done when it is submitted, as Linux does it for files that are in memory, and for all that have no
 * way to do it later. So nothing is ever in flight: io_cancel(2) finds no operation, and io_destroy(2) does not wait.
 *
 * The page whose address is a context's id stays empty. On Linux a program can take events from there without a call,
 * if it finds a certain mark in the page; libaio and others see that there is none, and make the call.
 */
#include "kernel/fs/eventfd.h"
#include "kernel/sys/aio.h"
#include "kernel/sys/file_transfer.h"
#include "kernel/sys/memory_steps.h"
#include "kernel/sys/number_file.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/signal_mask.h"
#include "kernel/sys/transfer_flags.h"
#include "kernel/sys/user_args.h"
#include "kernel/sys/user_pieces.h"
#include "kernel/task/give_way.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/space_work.h"
#include "kernel/task/wait_until.h"

#define COUNT_MOST (1U << 22) /* most events that a context can be asked to hold, as on Linux */
#define TAKE_STEP  256        /* most events taken at once; other tasks can run in between */

enum aio_command {
	IOCB_CMD_PREAD,
	IOCB_CMD_PWRITE,
	IOCB_CMD_FSYNC,
	IOCB_CMD_FDSYNC,
	IOCB_CMD_POLL = 5,
	IOCB_CMD_PREADV = 7,
	IOCB_CMD_PWRITEV,
};

#define IOCB_FLAG_RESFD 1 /* `event_fd` is an eventfd, to which each event adds 1; Linux ignores other flags, too */

/* An operation: Linux's struct iocb. */
struct linux_iocb {
	uint64_t data;
	uint32_t key; /* 0 after io_submit(2) */
	uint32_t rw_flags;
	uint16_t command; /* enum aio_command */
	int16_t priority;
	uint32_t fd;
	/*
	 * user address, and bytes; for IOCB_CMD_PREADV and IOCB_CMD_PWRITEV of an array of struct iovec, and its length
	 */
	uint64_t buffer, size;
	int64_t offset;
	uint64_t reserved;
	uint32_t flags; /* IOCB_FLAG_… */
	uint32_t event_fd;
};

_Static_assert(sizeof(struct linux_iocb) == 64, "Linux's struct iocb");

static void put_context(struct aio_context **context)
{
	if (*context)
		aio_put(*context);
}

#define HELD_CONTEXT __attribute__((cleanup(put_context)))

/* ---- contexts ---- */

/* Map the page by which the program names a context. Returns 0, -EINTR, -ENOMEM. */
static int map_page(vaddr_t *ret)
{
	struct user_space *space = process_current()->space;
	int error = space_wait(space);

	return error ? error : errno_of(user_map(space, 0, PAGE_SIZE, USER_READ | USER_WRITE, 0, NULL, 0, ret));
}

/*
 * Unmap a context's page. If the page has become part of a larger area that cannot be split, it stays mapped, for the
 * program to use.
 */
static void unmap_page(vaddr_t page)
{
	enum status status = memory_unmap(process_current()->space, page, PAGE_SIZE);

	(void)status;
}

SYSCALL_2(io_setup, count, at)
{
	struct aio_context *context;
	uint64_t old;
	vaddr_t page;
	int error = args_get(&old, at, sizeof(old));

	if (error)
		return error;
	if (old || !(uint32_t)count || (uint32_t)count > COUNT_MOST)
		return -EINVAL;
	error = map_page(&page);
	if (error)
		return error;
	error = aio_create(page, (uint32_t)count, &context);
	if (!error) {
		error = args_put(at, &page, sizeof(page));
		if (error)
			aio_end(context);
	}
	if (error)
		unmap_page(page);
	return error;
}

SYSCALL_1(io_destroy, id)
{
	HELD_CONTEXT struct aio_context *context = aio_get(id);

	if (!context)
		return -EINVAL;
	aio_end(context);
	unmap_page(id);
	return 0;
}

/* ---- operations ---- */

/* Read or write. Returns the result for the event; or, if *refused becomes true, the error of io_submit(2). */
static int64_t transfer(struct file *file, const struct linux_iocb *iocb, bool *refused)
{
	const bool vector = iocb->command >= IOCB_CMD_PREADV;
	const bool writes = iocb->command == IOCB_CMD_PWRITE || iocb->command == IOCB_CMD_PWRITEV;
	const bool seeks = file->properties & FILE_SEEKS;
	const enum file_move how = writes ? seeks ? FILE_PWRITE : FILE_WRITE : seeks ? FILE_PREAD : FILE_READ;
	struct user_pieces pieces = { 0 };
	struct user_io *io = &pieces.io;
	int64_t result = 0;

	*refused = true;
	if (!transfer_flags_known(iocb->rw_flags))
		return -EOPNOTSUPP;
	if (writes ? !file_writes(file) : !file_reads(file))
		return -EBADF;
	if (vector)
		result = iocb->size > PIECES_MAX ? -EINVAL
						 : user_pieces_get(&pieces, iocb->buffer, (uint32_t)iocb->size);
	else if (!user_piece_ok(iocb->buffer, iocb->size))
		result = -EFAULT;
	else
		user_io_init(io, process_current()->space, iocb->buffer,
			     iocb->size < TRANSFER_MAX ? iocb->size : TRANSFER_MAX);
	if (result)
		return result;
	*refused = false;
	if (iocb->offset < 0 && seeks)
		result = -EINVAL;
	else if (iocb->rw_flags && io->left)
		result = transfer_flagged(file, how, io, (uint64_t)iocb->offset, iocb->rw_flags);
	else
		result = file_transfer(file, how, io, (uint64_t)iocb->offset);
	if (vector)
		user_pieces_put(&pieces);
	/*
	 * As on Linux, what this kind of file cannot do at all, or not with these flags, is an error of io_submit(2).
	 */
	*refused = result == -EOPNOTSUPP || result == -EINVAL || result == -EISDIR;
	return result == -EISDIR ? -EINVAL : result;
}

static int64_t perform(struct file *file, const struct linux_iocb *iocb, bool *refused)
{
	*refused = true;
	switch (iocb->command) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PREADV:
	case IOCB_CMD_PWRITEV:
		return transfer(file, iocb, refused);
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		if (iocb->buffer || iocb->offset || iocb->size || iocb->rw_flags)
			return -EINVAL;
		if (!node_is(file->node, S_IFREG) && !node_is(file->node, S_IFDIR))
			return -EINVAL;
		*refused = false;
		return 0; /* there is nothing to do, as no file is on a disk */
	case IOCB_CMD_POLL:
		return refuse_feature(-EINVAL, "io_submit: IOCB_CMD_POLL", 0);
	}
	return -EINVAL;
}

/* Get the eventfd that an operation names, or NULL. Returns 0, -EBADF, -EINVAL. */
static int get_eventfd(const struct linux_iocb *iocb, struct file **ret)
{
	*ret = NULL;
	if (!(iocb->flags & IOCB_FLAG_RESFD))
		return 0;
	*ret = args_file_get(iocb->event_fd);
	if (!*ret)
		return -EBADF;
	return eventfd_is(*ret) ? 0 : -EINVAL;
}

/* Do the operation, and put its event into `entry`. Returns 0; or the error of io_submit(2), with `entry` as it was. */
static int do_operation(struct aio_entry *entry, const struct linux_iocb *iocb, uint64_t at, struct file **ret_events)
{
	static const uint32_t key;
	HELD_FILE struct file *file = args_file_get(iocb->fd);
	bool refused;
	int64_t result;
	int error;

	if (!file || file->flags & O_PATH)
		return -EBADF;
	error = get_eventfd(iocb, ret_events);
	if (!error)
		error = args_put(at + offsetof(struct linux_iocb, key), &key, sizeof(key));
	if (error)
		return error;
	result = perform(file, iocb, &refused);
	if (refused || result == -ERESTART_MEMORY)
		return (int)result;
	/*
	 * An operation that a signal interrupted is not made again, as a system call would be: its event says -EINTR.
	 */
	entry->event = (struct aio_event){ iocb->data, at, result == -ERESTARTSYS ? -EINTR : result, 0 };
	return 0;
}

static int submit_one(struct aio_context *context, uint64_t at)
{
	HELD_FILE struct file *events = NULL;
	struct aio_entry *entry;
	struct linux_iocb iocb;
	int error = args_get(&iocb, at, sizeof(iocb));

	if (error)
		return error;
	if (iocb.reserved || iocb.size > INT64_MAX)
		return -EINVAL;
	error = aio_entry_create(context, &entry);
	if (error)
		return error == -ENOMEM ? -EAGAIN : error;
	error = do_operation(entry, &iocb, at, &events);
	if (error) {
		aio_entry_cancel(context, entry);
		return error;
	}
	aio_entry_add(context, entry);
	if (events)
		eventfd_add_one(events);
	return 0;
}

SYSCALL_3(io_submit, id, count, from)
{
	HELD_CONTEXT struct aio_context *context = aio_get(id);
	int64_t done = 0, wanted = (int64_t)count;
	int error = 0;

	if (!context || wanted < 0)
		return -EINVAL;
	if (wanted > context->capacity)
		wanted = context->capacity;
	while (done < wanted && !error) {
		uint64_t at;

		error = args_get(&at, from + (uint64_t)done * sizeof(at), sizeof(at));
		if (!error)
			error = submit_one(context, at);
		if (!error)
			done++;
		if (!error && task_give_way())
			break;
	}
	return done ? done : error;
}

SYSCALL_3(io_cancel, id, at, to)
{
	HELD_CONTEXT struct aio_context *context = aio_get(id);
	uint32_t key;
	int error = args_get(&key, at + offsetof(struct linux_iocb, key), sizeof(key));

	(void)to;
	(void)context; /* not looked at: no operation of any context is in flight */
	return error ? error : -EINVAL;
}

/* ---- events ---- */

/*
 * Take up to `most` events, but no more than TAKE_STEP, from the context, and copy them to user address `to`. Returns
 * how many, or -EFAULT.
 */
static int64_t take(struct aio_context *context, uint64_t to, int64_t most)
{
	int64_t taken = 0;

	while (taken < most && taken < TAKE_STEP && !list_is_empty(&context->entries)) {
		struct aio_entry *entry = list_item(context->entries.next, struct aio_entry, in_context);
		int error = args_put(to + (uint64_t)taken * sizeof(entry->event), &entry->event, sizeof(entry->event));

		if (error)
			return taken ? taken : error;
		aio_entry_cancel(context, entry);
		taken++;
	}
	return taken;
}

/* How far a call of io_getevents(2) has come. Lives on the stack. */
struct taking {
	int64_t least, most; /* how many events are wanted */
	uint64_t to;
	int64_t total; /* how many were taken */
	int64_t error; /* error of the last copy to the program, or 0 */
	bool more;     /* there may be more events to be taken, after other tasks could run */
};

/* Take the events that are there. Returns whether the call need not wait any more. */
static bool take_more(struct aio_context *context, struct taking *taking)
{
	int64_t taken = take(context, taking->to + (uint64_t)taking->total * sizeof(struct aio_event),
			     taking->most - taking->total);

	taking->error = taken < 0 ? taken : 0;
	taking->total += taken > 0 ? taken : 0;
	taking->more = taken == TAKE_STEP && taking->total < taking->most;
	return taking->error || taking->more || taking->total >= taking->least || context->gone;
}

/* Take events, and wait for them until `deadline`. Returns how many, -EINVAL, -EFAULT, -EINTR. */
static int64_t take_events(uint64_t id, struct taking taking, uint64_t deadline)
{
	HELD_CONTEXT struct aio_context *context = aio_get(id);
	int error;

	if (!context || taking.least < 0 || taking.least > taking.most)
		return -EINVAL;
	do
		error = WAIT_IN_QUEUE(&context->waiters, take_more(context, &taking), deadline);
	while (taking.more && !task_give_way());
	if (taking.total)
		return taking.total;
	if (taking.error || context->gone)
		return taking.error ? taking.error : -EINVAL;
	return error == -EINTR ? error : 0;
}

SYSCALL_5(io_getevents, id, least, most, to, timeout)
{
	const struct taking taking = { .least = (int64_t)least, .most = (int64_t)most, .to = to };
	uint64_t deadline;
	int error = args_deadline(timeout, &deadline);

	return error ? error : take_events(id, taking, deadline);
}

SYSCALL_6(io_pgetevents, id, least, most, to, timeout, mask_at)
{
	struct {
		uint64_t at, size;
	} mask = { 0 };
	const struct taking taking = { .least = (int64_t)least, .most = (int64_t)most, .to = to };
	struct signal_mask_change change;
	uint64_t deadline;
	int64_t result = args_deadline(timeout, &deadline);

	if (!result)
		result = args_get_if(&mask, mask_at, sizeof(mask));
	if (!result)
		result = signal_mask_begin(&change, mask.at, mask.size);
	if (result)
		return result;
	return signal_mask_end(&change, take_events(id, taking, deadline));
}

NUMBER_FILE(limit, aio_limit, UINT32_MAX)

static int make_used(struct node *node, struct text *ret)
{
	(void)node;
	text_add_line(ret, "", aio_used);
	return 0;
}

void aio_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		{ .path = "sys/fs/aio-nr", .mode = S_IFREG | 0444, .make = make_used },
		{ .path = "sys/fs/aio-max-nr", .mode = S_IFREG | 0644, .make = make_limit, .take = take_limit },
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
