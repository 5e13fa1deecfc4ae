/*
 * The program's side of a terminal: reads, writes, ioctls. What a typed byte means is tty_input.c's.
 */
#include "kernel/fs/tty.h"

#include "kernel/fs/store.h"
#include "kernel/fs/tty_internal.h"
#include "kernel/mm/user_io.h"

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

static struct tty *console;
static struct tty *(*own_tty)(void);

static int check_job(struct tty *tty, bool write)
{
	return tty->jobs && tty->jobs->check ? tty->jobs->check(tty, write) : 0;
}

/*
 * Take what one read gets out of the ring. Interrupts are off. Returns how many bytes; *ret_end: an end of file came.
 */
static size_t take(struct tty *tty, uint8_t *bytes, size_t most, bool *ret_end)
{
	bool canonical = tty->termios.lflag & ICANON;
	uint32_t end = canonical ? tty->line : tty->head;
	size_t count = 0;

	while (count < most && tty->tail != end) {
		uint8_t byte = tty->input[tty->tail % TTY_INPUT];
		bool ends = tty_is_end(tty, tty->tail);

		tty_set_end(tty, tty->tail, false);
		tty->tail++;
		*ret_end = canonical && ends;
		if (!*ret_end || byte != TTY_EOF_MARK)
			bytes[count++] = byte;
		if (*ret_end)
			break;
	}
	return count;
}

/* What was taken from the ring and finds no place with the user (-EFAULT) is lost, as on Linux. */
static int64_t tty_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct tty *tty = file->data;
	int64_t done = 0;
	int error = check_job(tty, false);

	(void)offset;
	if (error)
		return error;
	while (io->left) {
		uint8_t bytes[TTY_PIECE];
		size_t moved = 0;
		bool end = false;
		uint64_t flags = store_interrupts_off();
		size_t count = take(tty, bytes, io->left < TTY_PIECE ? io->left : TTY_PIECE, &end);

		store_interrupts_restore(flags);
		if (!count)
			return done || end || !tty_waits(tty) ? done : -EAGAIN;
		if (user_io_put(io, bytes, count, &moved) != OK)
			return done + (int64_t)moved ? done + (int64_t)moved : -EFAULT;
		done += (int64_t)count;
		if (end)
			break;
	}
	return done;
}

static int64_t write_pieces(struct tty *tty, struct user_io *io)
{
	int64_t done = 0;

	while (io->left) {
		char text[TTY_PIECE];
		size_t moved = 0;
		enum status status;

		if (tty->stopped)
			return done ? done : -EAGAIN;
		status = user_io_get(io, text, io->left < TTY_PIECE ? io->left : TTY_PIECE, &moved);
		tty_output(tty, text, moved);
		done += (int64_t)moved;
		if (status != OK)
			return done ? done : -EFAULT;
	}
	return done;
}

static int64_t tty_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	struct tty *tty = file->data;
	int error = tty->termios.lflag & TOSTOP ? check_job(tty, true) : 0;
	int64_t done;

	(void)offset;
	if (error)
		return error;
	done = write_pieces(tty, io);
	if (tty->flush)
		tty->flush(tty);
	return done;
}

static unsigned tty_poll(struct file *file)
{
	struct tty *tty = file->data;
	unsigned events = tty->stopped ? 0 : POLLOUT | POLLWRNORM;
	bool canonical = tty->termios.lflag & ICANON;

	if (tty->tail != (canonical ? tty->line : tty->head))
		events |= POLLIN | POLLRDNORM;
	return events;
}

static struct wait_queue *tty_queue(struct file *file)
{
	struct tty *tty = file->data;

	return &tty->queue;
}

static void flush_input(struct tty *tty)
{
	uint64_t flags = store_interrupts_off();

	tty_drop_input(tty);
	store_interrupts_restore(flags);
}

static int64_t set_termios(struct tty *tty, struct user_io *io)
{
	struct linux_termios termios;
	size_t moved;
	uint64_t flags;

	if (user_io_get(io, &termios, sizeof(termios), &moved) != OK || moved != sizeof(termios))
		return -EFAULT;
	flags = store_interrupts_off();
	/* What was typed under other rules can be read under these: as raw bytes, or as a line that somebody ended. */
	if ((tty->termios.lflag ^ termios.lflag) & ICANON)
		tty->line = tty->head;
	tty->termios = termios;
	if (!(termios.iflag & IXON))
		tty->stopped = false;
	wait_queue_wake(&tty->queue);
	store_interrupts_restore(flags);
	return 0;
}

static int64_t put(struct user_io *io, const void *value, size_t size)
{
	size_t moved;

	return user_io_put(io, value, size, &moved) == OK && moved == size ? 0 : -EFAULT;
}

/* Requests that only the tasks understand. */
static int64_t job_request(struct tty *tty, unsigned request, uint64_t arg, struct user_io *io)
{
	int32_t value = 0;
	size_t moved;
	int error;

	if (!tty->jobs || !tty->jobs->request)
		return -ENOTTY;
	if (request == TIOCSPGRP && user_io_get(io, &value, sizeof(value), &moved) != OK)
		return -EFAULT;
	error = tty->jobs->request(tty, request, arg, &value);
	if (error || (request != TIOCGPGRP && request != TIOCGSID))
		return error;
	return put(io, &value, sizeof(value));
}

static int64_t tty_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	struct tty *tty = file->data;
	struct linux_winsize winsize;
	int32_t waiting;
	size_t moved;

	switch (request) {
	case TCGETS:
		return put(io, &tty->termios, sizeof(tty->termios));
	case TCSETSF:
		flush_input(tty);
		return set_termios(tty, io);
	case TCSETS:
	case TCSETSW:
		return set_termios(tty, io);
	case TIOCGWINSZ:
		return put(io, &tty->winsize, sizeof(tty->winsize));
	case TIOCSWINSZ:
		if (user_io_get(io, &winsize, sizeof(winsize), &moved) != OK || moved != sizeof(winsize))
			return -EFAULT;
		tty_set_size(tty, winsize.rows, winsize.columns);
		return 0;
	case FIONREAD:
		waiting = (int32_t)((tty->termios.lflag & ICANON ? tty->line : tty->head) - tty->tail);
		return put(io, &waiting, sizeof(waiting));
	case TIOCOUTQ:
		waiting = 0;
		return put(io, &waiting, sizeof(waiting));
	case TCFLSH:
		if (arg > TCIOFLUSH)
			return -EINVAL;
		if (arg != TCOFLUSH)
			flush_input(tty);
		return 0;
	case TCSBRK:
	case TCSBRKP:
		return 0; /* all output is out; a break has no line to go to */
	}
	return job_request(tty, request, arg, io);
}

static const struct file_ops tty_ops = {
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.queue = tty_queue,
};

static int open_tty(struct device *device, struct file *file)
{
	struct tty *tty = device->data;

	file->ops = &tty_ops;
	file->data = tty;
	file->properties = FILE_STREAM;
	if (tty->jobs && tty->jobs->opened && !(file->flags & O_NOCTTY))
		tty->jobs->opened(tty);
	return 0;
}

struct tty *tty_of(const struct file *file)
{
	return file->ops == &tty_ops ? file->data : NULL;
}

int tty_init(struct tty *tty, const char *name, uint64_t number,
	     void (*write)(struct tty *tty, const char *text, size_t size), void *data)
{
	*tty = (struct tty){
		.device = { .name = name, .number = number, .open = open_tty, .data = tty },
		.write = write,
		.data = data,
		.termios = default_termios,
		.winsize = { 25, 80, 0, 0 },
	};
	return device_register(&tty->device);
}

void tty_set_size(struct tty *tty, unsigned rows, unsigned columns)
{
	bool news = tty->winsize.rows != rows || tty->winsize.columns != columns;
	uint64_t flags = store_interrupts_off();

	tty->winsize.rows = (uint16_t)rows;
	tty->winsize.columns = (uint16_t)columns;
	if (news)
		tty_signal(tty, TTY_SIGWINCH);
	store_interrupts_restore(flags);
}

static int open_console(struct device *device, struct file *file)
{
	(void)device;
	return console ? open_tty(&console->device, file) : -ENXIO;
}

static int open_own(struct device *device, struct file *file)
{
	struct tty *tty = own_tty ? own_tty() : console;

	(void)device;
	return tty ? open_tty(&tty->device, file) : -ENXIO;
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
