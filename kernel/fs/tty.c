/*
 * The file operations of a terminal: read, write, poll. tty_request.c has its ioctls; tty_input.c handles the bytes
 * that are typed.
 */
#include "kernel/fs/tty.h"

#include "kernel/fs/content_memory.h"
#include "kernel/fs/tty_internal.h"
#include "kernel/lib/wipe.h"
#include "kernel/mm/user/user_io.h"

static const struct linux_termios default_termios = {
	.iflag = ICRNL | IXON,
	.oflag = OPOST | ONLCR,
	.cflag = B38400 | CS8 | CREAD | HUPCL,
	.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.cc = {
		[VINTR] = 3,
		[VQUIT] = 28,
		[VERASE] = 127,
		[VKILL] = 21,
		[VEOF] = 4,
		[VMIN] = 1,
		[VSTART] = 17,
		[VSTOP] = 19,
		[VSUSP] = 26,
		[VREPRINT] = 18,
		[VDISCARD] = 15,
		[VWERASE] = 23,
		[VLNEXT] = 22,
	},
};

/* file->hang_ups of an open /dev/console, for which hang-ups have no effect. */
#define NEVER_HUNG_UP (~0ULL)

/*
 * Limits on the work that a screen gets in one piece: a '\n' costs 1, an escape sequence SEQUENCE_COST, and a piece
 * ends when it has reached PIECE_COST. FEW_BYTES bytes cannot cost more than PIECE_COST.
 */
#define PIECE_COST    64
#define SEQUENCE_COST 16
#define FEW_BYTES     4

/* Fixed after boot. */
static struct tty *console;          /* the terminal of /dev/console */
static struct tty *(*own_tty)(void); /* returns the calling task's controlling terminal; NULL: use `console` */

int tty_check_job(struct tty *tty, bool write)
{
	return tty->jobs && tty->jobs->check ? tty->jobs->check(tty, write) : 0;
}

bool tty_is_hung_up(const struct file *file)
{
	const struct tty *tty = file->data;

	return file->hang_ups != NEVER_HUNG_UP && file->hang_ups != tty->hang_ups;
}

uint32_t tty_readable(const struct tty *tty)
{
	return (tty->termios.lflag & ICANON ? tty->line : tty->head) - tty->tail;
}

/* Return whether a raw read has the bytes that VMIN and VTIME want; true in canonical mode and with O_NONBLOCK. */
static bool is_enough(const struct tty *tty, const struct file *file, uint64_t room)
{
	uint64_t least = tty->termios.cc[VMIN] < room ? tty->termios.cc[VMIN] : room;

	if (!least && room && tty->termios.cc[VTIME])
		least = 1;
	if (tty->termios.lflag & ICANON || file->flags & O_NONBLOCK)
		return true;
	return tty_readable(tty) >= least;
}

/* What look() has found in the ring of input. */
struct found {
	uint32_t start, end; /* the positions of the input that was found: [start, end) */
	size_t count;        /* how many bytes a program gets from them: the mark of an end of file is not copied */
	bool at_end;         /* the last of these positions is the end of a line, or of the file */
};

/* Copy the input that a read gets, at most `most` bytes, and leave it in the ring. The caller holds tty->lock. */
static struct found look(const struct tty *tty, uint8_t *bytes, size_t most)
{
	bool canonical = tty->termios.lflag & ICANON;
	uint32_t end = canonical ? tty->line : tty->head;
	struct found found = { .start = tty->tail, .end = tty->tail };

	while (found.count < most && found.end != end && !found.at_end) {
		uint8_t byte = tty->input[found.end % TTY_INPUT];

		found.at_end = canonical && tty_is_end(tty, found.end);
		found.end++;
		if (!found.at_end || byte != TTY_EOF_MARK)
			bytes[found.count++] = byte;
	}
	return found;
}

/* Remove the input up to position `end`, which the program has got, unless tty_drop_input() has removed it already. */
static void take(struct tty *tty, const struct found *found, uint32_t end)
{
	uint64_t flags = lock_take(&tty->lock);

	if (tty->tail == found->start)
		for (; tty->tail != end; tty->tail++) {
			tty->input[tty->tail % TTY_INPUT] = 0;
			tty_set_end(tty, tty->tail, false);
		}
	lock_release(&tty->lock, flags);
}

/*
 * Copy input from the ring to the program; bytes that cannot be copied stay in the ring. Without input, returns -EAGAIN
 * if `waits` is true, and 0 otherwise.
 */
static int64_t read_there(struct tty *tty, struct user_io *io, bool waits)
{
	int64_t done = 0;

	while (io->left) {
		_Alignas(8) uint8_t bytes[TTY_PIECE];
		uint64_t flags = lock_take(&tty->lock);
		struct found found = look(tty, bytes, io->left < TTY_PIECE ? io->left : TTY_PIECE);
		enum status status;
		size_t moved = 0;

		lock_release(&tty->lock, flags);
		if (found.start == found.end)
			return done || !waits ? done : -EAGAIN;
		status = user_io_put(io, bytes, found.count, &moved);
		wipe(bytes, found.count);
		take(tty, &found, status == OK ? found.end : found.start + (uint32_t)moved);
		done += (int64_t)moved;
		if (status != OK)
			return done ? done : copy_errno(status);
		if (found.at_end)
			break;
	}
	return done;
}

/* Do read_there(), and tell the device when input was taken. */
static int64_t read_input(struct tty *tty, struct user_io *io, bool waits)
{
	int64_t done = read_there(tty, io, waits);

	if (tty->port && tty->port->input_taken)
		tty->port->input_taken(tty);
	return done;
}

static int64_t tty_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct tty *tty = file->data;
	int error = tty_check_job(tty, false);

	(void)offset;
	if (tty_is_hung_up(file))
		return 0;
	if (error)
		return error;
	if (!is_enough(tty, file, io->left))
		return -EAGAIN;
	return read_input(tty, io, tty_waits(tty));
}

/* file_ops.patience: return VTIME in ns, or 0 when only bytes may end the wait (termios(3), "MIN > 0, TIME > 0"). */
static uint64_t tty_patience(struct file *file, uint32_t *ret_there)
{
	const struct tty *tty = file->data;
	uint64_t tenths = tty->termios.cc[VTIME];

	*ret_there = tty_readable(tty);
	if (tty->termios.lflag & ICANON || (tty->termios.cc[VMIN] && !*ret_there))
		return 0;
	return tenths * 100000000;
}

static int64_t tty_read_late(struct file *file, struct user_io *io)
{
	return tty_is_hung_up(file) ? 0 : read_input(file->data, io, false);
}

/* Return whether `piece` bytes can be written now. Each '\n' may become two bytes. */
static bool takes(const struct tty *tty, size_t piece)
{
	return !tty->stopped && (!tty->port || tty->port->room(tty) >= 2 * piece);
}

/* Return the length of `text` up to its last '\n', which is included; `size` when there is no '\n'. */
static size_t whole_lines(const char *text, size_t size)
{
	for (size_t end = size; end; end--)
		if (text[end - 1] == '\n')
			return end;
	return size;
}

/*
 * Return how many bytes of `text` a screen gets in one piece. An escape sequence may change the whole screen, and a
 * '\n' may scroll it: so their number is limited, and other tasks can run between two pieces.
 */
static size_t affordable(const char *text, size_t size)
{
	size_t cost = 0, end = 0;

	for (; end < size && cost < PIECE_COST; end++)
		cost += text[end] == '\033' ? SEQUENCE_COST : text[end] == '\n';
	return end;
}

/*
 * Copy the next piece of a write from the program. A piece that is not the last is cut behind its last '\n', if it has
 * one: a message of the kernel may be shown between two pieces, and must not cut a line. With `draws`, for a screen,
 * the piece is then also limited to what affordable() allows, and may end inside a line. Returns user_io_get's status.
 */
static enum status get_part(struct user_io *io, char text[TTY_PIECE], bool draws, size_t *ret_moved)
{
	struct user_io copy = *io;
	enum status status = user_io_get(&copy, text, TTY_PIECE, ret_moved);
	size_t most = *ret_moved;

	if (status == OK && *ret_moved < io->left)
		*ret_moved = whole_lines(text, most);
	if (draws)
		*ret_moved = affordable(text, *ret_moved);
	user_io_skip(io, *ret_moved);
	return *ret_moved == most ? status : OK;
}

static enum status get_piece(struct user_io *io, char text[TTY_PIECE], bool draws, size_t *ret_moved)
{
	if (io->left <= FEW_BYTES || (io->left <= TTY_PIECE && !draws))
		return user_io_get(io, text, io->left, ret_moved);
	return get_part(io, text, draws, ret_moved);
}

/* Write at most TTY_WRITE_MOST bytes. The caller calls again for the rest; other tasks can run in between. */
static int64_t write_pieces(struct tty *tty, struct user_io *io)
{
	int64_t done = 0;

	while (io->left && done < TTY_WRITE_MOST) {
		_Alignas(8) char text[TTY_PIECE];
		size_t most = io->left < TTY_PIECE ? io->left : TTY_PIECE, moved = 0;
		enum status status;

		if (!takes(tty, most))
			return done ? done : -EAGAIN;
		status = get_piece(io, text, tty->flush, &moved);
		tty_output(tty, text, moved);
		wipe(text, most);
		if (tty->answer)
			tty->answer(tty);
		done += (int64_t)moved;
		if (status != OK)
			return done ? done : copy_errno(status);
		if (tty->flush)
			break;
	}
	return done;
}

static int64_t tty_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct tty *tty = file->data;
	int error = tty->termios.lflag & TOSTOP ? tty_check_job(tty, true) : 0;

	(void)offset;
	if (tty_is_hung_up(file))
		return -EIO;
	return error ? error : write_pieces(tty, io);
}

static void tty_written(struct file *file)
{
	struct tty *tty = file->data;

	if (tty->flush)
		tty->flush(tty);
}

static unsigned tty_poll(struct file *file)
{
	struct tty *tty = file->data;
	unsigned events = takes(tty, TTY_PIECE) ? POLLOUT | POLLWRNORM : 0;
	bool wants_more = !(tty->termios.lflag & ICANON) && !tty->termios.cc[VTIME] && tty->termios.cc[VMIN];

	if (tty_is_hung_up(file))
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
	if (tty_readable(tty) >= (wants_more ? tty->termios.cc[VMIN] : 1U))
		events |= POLLIN | POLLRDNORM;
	return events;
}

static struct wait_queue *tty_queue(struct file *file)
{
	struct tty *tty = file->data;

	return &tty->queue;
}

static void tty_release(struct file *file)
{
	struct tty *tty = file->data;

	if (tty->port && tty->port->closed)
		tty->port->closed(tty, tty_is_hung_up(file));
}

static const struct file_ops tty_ops = {
	.read = tty_read,
	.patience = tty_patience,
	.read_late = tty_read_late,
	.write = tty_write,
	.written = tty_written,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.queue = tty_queue,
	.release = tty_release,
};

/* Make an open file read and write `tty`. */
static void lead_to(struct file *file, struct tty *tty)
{
	file->ops = &tty_ops;
	file->data = tty;
	file->properties = FILE_STREAM;
	file->hang_ups = tty->hang_ups;
	if (tty->port && tty->port->opened)
		tty->port->opened(tty);
}

int tty_open(struct tty *tty, struct file *file)
{
	lead_to(file, tty);
	if (tty->jobs && tty->jobs->opened && !(file->flags & O_NOCTTY))
		tty->jobs->opened(tty);
	return 0;
}

static int open_tty(struct device *device, struct file *file)
{
	return tty_open(device->data, file);
}

struct tty *tty_of(const struct file *file)
{
	return file->ops == &tty_ops ? file->data : NULL;
}

void tty_setup(struct tty *tty, uint64_t number, void (*show)(struct tty *tty, const char *text, size_t size))
{
	tty->device = (struct device){ .number = number, .open = open_tty, .data = tty };
	tty->show = show;
	tty->termios = default_termios;
	tty->winsize = (struct linux_winsize){ 25, 80, 0, 0 };
	tty->lock = (struct lock)LOCK_INITIAL(LOCK_TTY);
	wait_queue_init(&tty->queue);
}

int tty_init(struct tty *tty, const char *name, uint64_t number,
	     void (*write)(struct tty *tty, const char *text, size_t size), void *data)
{
	memset(tty, 0, sizeof(*tty));
	tty_setup(tty, number, write);
	tty->device.name = name;
	tty->data = data;
	return device_register(&tty->device);
}

void tty_hang_up(struct tty *tty)
{
	uint64_t flags = lock_take(&tty->lock);

	tty->hang_ups++;
	if (tty->port && tty->port->files_died)
		tty->port->files_died(tty);
	tty_drop_input(tty);
	tty->termios = default_termios;
	tty_give_order(tty, TTY_GO);
	wait_queue_wake(&tty->queue);
	lock_release(&tty->lock, flags);
}

static int open_console(struct device *device, struct file *file)
{
	(void)device;
	if (!console)
		return -ENXIO;
	/* As on Linux, /dev/console does not become the controlling terminal, and init can use it after a hang-up. */
	lead_to(file, console);
	file->hang_ups = NEVER_HUNG_UP;
	return 0;
}

static int open_own(struct device *device, struct file *file)
{
	struct tty *tty = own_tty ? own_tty() : console;

	(void)device;
	return tty ? tty_open(tty, file) : -ENXIO;
}

static struct device console_device = {
	.name = "console",
	.number = DEVICE_NUMBER(DEVICE_TTYAUX_MAJOR, 1),
	.open = open_console,
};

static struct device own_device = {
	.name = "tty",
	.number = DEVICE_NUMBER(DEVICE_TTYAUX_MAJOR, 0),
	.open = open_own,
};

void tty_set_console(struct tty *tty)
{
	if (!console) {
		ASSERT(device_register(&console_device) == 0);
		ASSERT(device_register(&own_device) == 0);
	}
	console = tty;
}

void tty_set_own(struct tty *(*own)(void))
{
	own_tty = own;
}
