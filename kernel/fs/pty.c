/*
 * Pseudo-terminals: the master's file, and the terminal's device, which is a ring of bytes that the master reads.
 *
 * Guard of all: tasks only, which the kernel does not preempt; no interrupt handler types on such a terminal.
 */
#include "kernel/fs/pty.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/credentials.h"
#include "kernel/fs/pty_internal.h"
#include "kernel/fs/tty_internal.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_io.h"

#define ECHO_ROOM 1024 /* bytes of the ring that only echo may use */

/* The terminals by number; NULL: the number is free. */
static struct pty *ptys[PTY_MOST];

/*
 * The job control of new terminals, and the function that returns the calling task's credentials; NULL: not set yet.
 * Fixed after boot.
 */
static const struct tty_job_control *jobs_of_new;
static const struct credentials *(*caller)(void);

void pty_set_jobs(const struct tty_job_control *jobs, const struct credentials *(*of_caller)(void))
{
	jobs_of_new = jobs;
	caller = of_caller;
}

const struct credentials *pty_owner(void)
{
	return caller ? caller() : &credentials_first;
}

struct pty *pty_by_number(unsigned number)
{
	return number < PTY_MOST ? ptys[number] : NULL;
}

static void put(struct pty *pty)
{
	if (!--pty->refs)
		kfree(pty);
}

/* ---- the terminal's device ---- */

static struct pty *pty_of(struct tty *tty)
{
	return (struct pty *)tty;
}

static uint32_t shown(const struct pty *pty)
{
	return pty->head - pty->tail;
}

/* Add text for the master to read. What does not fit is dropped: only echo, since a program's output waits for room. */
static void show(struct tty *tty, const char *text, size_t size)
{
	struct pty *pty = pty_of(tty);

	for (size_t i = 0; i < size && shown(pty) < PTY_OUTPUT; i++)
		pty->output[pty->head++ % PTY_OUTPUT] = (uint8_t)text[i];
	wait_queue_wake(&pty->queue);
}

static size_t room(const struct tty *tty)
{
	const struct pty *pty = (const struct pty *)tty;

	return shown(pty) < PTY_OUTPUT - ECHO_ROOM ? PTY_OUTPUT - ECHO_ROOM - shown(pty) : 0;
}

/* Return how many bytes wait to be sent: none, since as on Linux bytes that the master has not read count as sent. */
static size_t waiting(const struct tty *tty)
{
	(void)tty;
	return 0;
}

static bool is_idle(struct tty *tty)
{
	(void)tty;
	return true;
}

static void drop_output(struct pty *pty)
{
	while (pty->tail != pty->head)
		pty->output[pty->tail++ % PTY_OUTPUT] = 0;
	wait_queue_wake(&pty->tty.queue);
}

/* Report `status` to a master in packet mode, in place of those of the reports `over` that it has not read yet. */
static void tell(struct pty *pty, enum pty_status status, enum pty_status over)
{
	if (!pty->packet)
		return;
	pty->status = (uint8_t)((pty->status & ~(unsigned)over) | (unsigned)status);
	wait_queue_wake(&pty->queue);
}

static void order(struct tty *tty, enum tty_order order)
{
	struct pty *pty = pty_of(tty);

	if (order == TTY_DROP) {
		drop_output(pty);
		tell(pty, PTY_FLUSH_WRITE, 0);
	} else if (order == TTY_DROP_INPUT) {
		tell(pty, PTY_FLUSH_READ, 0);
		wait_queue_wake(&pty->queue);
	} else if (pty->held != (order == TTY_STOP)) {
		pty->held = order == TTY_STOP;
		tell(pty, pty->held ? PTY_STOP : PTY_START, PTY_STOP | PTY_START);
	}
}

/* Return whether ^S and ^Q stop and start the output. */
static bool has_flow(const struct linux_termios *termios)
{
	return termios->iflag & IXON && termios->cc[VSTOP] == 19 && termios->cc[VSTART] == 17;
}

static void modes_set(struct tty *tty, const struct linux_termios *before)
{
	bool flow = has_flow(&tty->termios);

	if (flow != has_flow(before))
		tell(pty_of(tty), flow ? PTY_DO_STOP : PTY_NO_STOP, PTY_DO_STOP | PTY_NO_STOP);
}

static void input_taken(struct tty *tty)
{
	wait_queue_wake(&pty_of(tty)->queue);
}

static void opened(struct tty *tty)
{
	struct pty *pty = pty_of(tty);

	pty->refs++;
	pty->open++;
	pty->was_open = true;
}

static void closed(struct tty *tty, bool hung_up)
{
	struct pty *pty = pty_of(tty);

	if (!hung_up && !--pty->open)
		wait_queue_wake(&pty->queue);
	put(pty);
}

static void files_died(struct tty *tty)
{
	struct pty *pty = pty_of(tty);

	pty->open = 0;
	wait_queue_wake(&pty->queue);
}

static const struct tty_port port = {
	.room = room,
	.waiting = waiting,
	.is_idle = is_idle,
	.order = order,
	.modes_set = modes_set,
	.input_taken = input_taken,
	.opened = opened,
	.closed = closed,
	.files_died = files_died,
};

static int open_terminal(struct device *device, struct file *file)
{
	struct pty *pty = pty_by_number(DEVICE_MINOR(file->node->device));

	(void)device;
	/* A removed node (links is 0) is of an earlier terminal; another user's terminal may have its number now. */
	return pty && !pty->locked && file->node->links ? tty_open(&pty->tty, file) : -EIO;
}

/* ---- the master ---- */

/* Return whether the terminal was open, and nobody has it open any more. */
static bool is_over(const struct pty *pty)
{
	return pty->was_open && !pty->open;
}

/* Copy shown bytes to the master's program. Bytes that cannot be copied stay in the ring. */
static int64_t read_shown(struct pty *pty, struct user_io *io)
{
	int64_t done = 0;

	while (io->left && shown(pty)) {
		_Alignas(8) uint8_t bytes[TTY_PIECE];
		uint32_t count = shown(pty) < TTY_PIECE ? shown(pty) : TTY_PIECE;
		enum status status;
		size_t moved;

		if (count > io->left)
			count = (uint32_t)io->left;
		for (uint32_t i = 0; i < count; i++)
			bytes[i] = pty->output[(pty->tail + i) % PTY_OUTPUT];
		status = user_io_put(io, bytes, count, &moved);
		wipe(bytes, sizeof(bytes));
		for (; moved; moved--, done++)
			pty->output[pty->tail++ % PTY_OUTPUT] = 0;
		if (status != OK)
			return done ? done : copy_errno(status);
	}
	if (room(&pty->tty) >= PTY_OUTPUT / 2)
		wait_queue_wake(&pty->tty.queue);
	return done;
}

/* Read in packet mode: the first byte has the bits of enum pty_status, or is 0, and shown bytes follow. */
static int64_t read_packet(struct pty *pty, struct user_io *io)
{
	uint8_t status = pty->status;
	int64_t done;
	int error = copy_errno(user_io_put_all(io, &status, sizeof(status)));

	if (error)
		return error;
	if (status) {
		pty->status = 0;
		return 1;
	}
	done = read_shown(pty, io);
	/* When no shown byte can be copied all stay in the ring, and the read fails as if the 0 were not there. */
	return done < 0 ? done : done + 1;
}

static int64_t master_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct pty *pty = file->data;

	(void)offset;
	if (!io->left)
		return 0;
	if (!shown(pty) && !(pty->packet && pty->status))
		return is_over(pty) ? -EIO : -EAGAIN;
	return pty->packet ? read_packet(pty, io) : read_shown(pty, io);
}

/*
 * Return how many bytes can be typed now. When one line that has not been ended fills the input ring, bytes can still
 * be typed, which the terminal drops with a bell: one of them may be the character that ends the line.
 */
static size_t typing_room(const struct tty *tty)
{
	size_t room_left = TTY_INPUT - 1 - (tty->head - tty->tail);

	return room_left || !(tty->termios.lflag & ICANON) || tty->line != tty->tail ? room_left : TTY_PIECE;
}

/* Return how many bytes to pass to tty_input() at once: up to a VREPRINT, whose echo is a whole line. */
static size_t typed_at_once(const struct tty *tty, const uint8_t *bytes, size_t size)
{
	const uint8_t reprint = tty->termios.cc[VREPRINT];

	for (size_t i = 0; i < size && reprint; i++)
		if (bytes[i] == reprint)
			return i + 1;
	return size;
}

static int64_t master_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct pty *pty = file->data;
	struct user_io copy = *io;
	_Alignas(8) uint8_t bytes[TTY_PIECE];
	size_t most = typing_room(&pty->tty), moved;
	enum status status;

	(void)offset;
	if (!io->left)
		return 0;
	if (is_over(pty))
		return -EIO;
	if (!most)
		return -EAGAIN;
	status = user_io_get(&copy, bytes, most < TTY_PIECE ? most : TTY_PIECE, &moved);
	if (!moved)
		return copy_errno(status);
	moved = typed_at_once(&pty->tty, bytes, moved);
	user_io_skip(io, moved);
	tty_input(&pty->tty, bytes, moved);
	wipe(bytes, sizeof(bytes));
	return (int64_t)moved;
}

static unsigned master_poll(struct file *file)
{
	struct pty *pty = file->data;
	unsigned events = 0;

	if (shown(pty))
		events |= POLLIN | POLLRDNORM;
	if (pty->packet && pty->status)
		events |= POLLIN | POLLRDNORM | POLLPRI;
	if (is_over(pty))
		events |= POLLHUP;
	if (typing_room(&pty->tty))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static struct wait_queue *master_queue(struct file *file)
{
	struct pty *pty = file->data;

	return &pty->queue;
}

static int64_t put_number(struct user_io *io, int32_t value)
{
	return copy_errno(user_io_put_all(io, &value, sizeof(value)));
}

static int64_t master_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	struct pty *pty = file->data;
	int32_t value;
	int error;

	switch (request) {
	case TIOCGPTN:
		return put_number(io, (int32_t)pty->number);
	case TIOCGPTLCK:
		return put_number(io, pty->locked);
	case TIOCGPKT:
		return put_number(io, pty->packet);
	case FIONREAD:
		return put_number(io, (int32_t)shown(pty));
	case TIOCSPTLCK:
	case TIOCPKT:
		error = copy_errno(user_io_get_all(io, &value, sizeof(value)));
		if (error)
			return error;
		if (request == TIOCSPTLCK)
			pty->locked = value;
		else
			pty->packet = value;
		if (!pty->packet)
			pty->status = 0;
		return 0;
	case TIOCSIG:
		if (arg < 1 || arg > 64)
			return -EINVAL;
		tty_signal(&pty->tty, (enum tty_signal_number)arg);
		return 0;
	}
	return tty_master_ioctl(&pty->tty, request, arg, io);
}

static void master_release(struct file *file)
{
	struct pty *pty = file->data;

	ptys[pty->number] = NULL;
	pty_forget(pty->number);
	if (pty->tty.jobs && pty->tty.jobs->hung_up)
		pty->tty.jobs->hung_up(&pty->tty);
	tty_hang_up(&pty->tty);
	put(pty);
}

static const struct file_ops master_ops = {
	.read = master_read,
	.write = master_write,
	.ioctl = master_ioctl,
	.poll = master_poll,
	.queue = master_queue,
	.release = master_release,
};

int pty_open_peer(struct file *file, unsigned flags, struct file **ret)
{
	struct pty *pty = file->data;
	struct place place;
	int error;

	if (file->ops != &master_ops)
		return tty_of(file) ? -EIO : -ENOTTY;
	error = pty_node(pty->number, &place.node);
	if (error)
		return error;
	place.mount = place.node->fs->mount;
	error = file_open(&place, flags, ret);
	node_put(place.node);
	return error;
}

static int open_master(struct device *device, struct file *file)
{
	unsigned number = 0;
	struct pty *pty;
	int error;

	(void)device;
	while (number < PTY_MOST && ptys[number])
		number++;
	if (number == PTY_MOST)
		return -ENOSPC;
	pty = kzalloc(sizeof(*pty));
	if (!pty)
		return -ENOMEM;
	tty_setup(&pty->tty, DEVICE_NUMBER(PTY_MAJOR, number), show);
	pty->tty.port = &port;
	pty->tty.jobs = jobs_of_new;
	pty->tty.winsize = (struct linux_winsize){ 0 };
	pty->number = number;
	pty->refs = 1;
	pty->locked = true;
	wait_queue_init(&pty->queue);
	ptys[number] = pty;
	error = pty_tell_of(number);
	if (error) {
		ptys[number] = NULL;
		kfree(pty);
		return error;
	}
	file->ops = &master_ops;
	file->data = pty;
	file->properties = FILE_STREAM;
	return 0;
}

void pty_init(void)
{
	static struct device master = { .name = "ptmx",
					.number = DEVICE_NUMBER(DEVICE_TTYAUX_MAJOR, 2),
					.open = open_master };
	static struct device terminals = { .number = DEVICE_NUMBER(PTY_MAJOR, 0),
					   .all_minors = true,
					   .open = open_terminal };

	ASSERT(device_register(&master) == 0);
	ASSERT(device_register(&terminals) == 0);
}
