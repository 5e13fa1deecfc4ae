/*
 * ioctl(2) of a terminal: modes, sizes, the amounts of input and output that wait, and, by tty->jobs, the requests
 * about sessions and process groups.
 */
#include "kernel/fs/content_memory.h"
#include "kernel/fs/tty_internal.h"
#include "kernel/lib/string.h"
#include "kernel/mm/user/user_io.h"

#define SERIAL_MINOR 64 /* minor number of ttyS0 */

static void flush_input(struct tty *tty)
{
	uint64_t flags = lock_take(&tty->lock);

	tty_drop_input(tty);
	lock_release(&tty->lock, flags);
}

/*
 * Get the modes that a request sets: struct termios, or the older struct termio, which leaves some modes as they are.
 */
static enum status get_modes(const struct tty *tty, unsigned request, struct user_io *io, struct linux_termios *ret)
{
	const struct linux_termios *old = &tty->termios;
	struct linux_termio termio;
	enum status status;

	if (request <= TCSETSF)
		return user_io_get_all(io, ret, sizeof(*ret));
	status = user_io_get_all(io, &termio, sizeof(termio));
	*ret = *old;
	ret->iflag = (old->iflag & ~0xffffU) | termio.iflag;
	ret->oflag = (old->oflag & ~0xffffU) | termio.oflag;
	ret->cflag = (old->cflag & ~0xffffU) | termio.cflag;
	ret->lflag = (old->lflag & ~0xffffU) | termio.lflag;
	ret->line = termio.line;
	memcpy(ret->cc, termio.cc, sizeof(termio.cc));
	return status;
}

static int64_t set_termios(struct tty *tty, unsigned request, struct user_io *io)
{
	struct linux_termios termios, before;
	enum status status = get_modes(tty, request, io, &termios);
	uint64_t flags;

	if (status != OK)
		return copy_errno(status);
	if (request == TCSETSF || request == TCSETAF)
		flush_input(tty);
	flags = lock_take(&tty->lock);
	/* When ICANON changes, input that is already there becomes readable at once, even a line without its end. */
	if ((tty->termios.lflag ^ termios.lflag) & ICANON)
		tty->line = tty->head;
	before = tty->termios;
	tty->termios = termios;
	if (tty->port && tty->port->modes_set)
		tty->port->modes_set(tty, &before);
	if (!(termios.iflag & IXON))
		tty_give_order(tty, TTY_GO);
	wait_queue_wake(&tty->queue);
	lock_release(&tty->lock, flags);
	return 0;
}

static int64_t put(struct user_io *io, const void *value, size_t size)
{
	return copy_errno(user_io_put_all(io, value, size));
}

/* Do TCGETA. */
static int64_t put_termio(const struct tty *tty, struct user_io *io)
{
	const struct linux_termios *from = &tty->termios;
	struct linux_termio termio = { (uint16_t)from->iflag,
				       (uint16_t)from->oflag,
				       (uint16_t)from->cflag,
				       (uint16_t)from->lflag,
				       from->line,
				       { 0 } };

	memcpy(termio.cc, from->cc, sizeof(termio.cc));
	return put(io, &termio, sizeof(termio));
}

/* Do an ioctl about sessions and process groups, by tty->jobs. */
static int64_t job_request(struct tty *tty, unsigned request, uint64_t arg, struct user_io *io)
{
	int32_t value = 0;
	int error = 0;

	if (!tty->jobs || !tty->jobs->request)
		return -ENOTTY;
	if (request == TIOCSPGRP)
		error = copy_errno(user_io_get_all(io, &value, sizeof(value)));
	if (!error)
		error = tty->jobs->request(tty, request, arg, &value);
	if (error || (request != TIOCGPGRP && request != TIOCGSID))
		return error;
	return put(io, &value, sizeof(value));
}

/* Do TIOCGSERIAL. A terminal that is not a serial port returns -ENOTTY. */
static int64_t put_serial(const struct tty *tty, struct user_io *io)
{
	struct linux_serial serial = { .type = 4 };

	if (DEVICE_MAJOR(tty->device.number) != DEVICE_TTY_MAJOR || DEVICE_MINOR(tty->device.number) < SERIAL_MINOR)
		return -ENOTTY;
	serial.line = (int32_t)(tty->device.number - DEVICE_NUMBER(DEVICE_TTY_MAJOR, SERIAL_MINOR));
	return put(io, &serial, sizeof(serial));
}

/*
 * Return whether a request changes modes, input or output. A background process group that makes such a request is
 * stopped.
 */
static bool is_change(unsigned request)
{
	return (request >= TCSETS && request <= TCSETAF && request != TCGETA) || request == TCSBRK ||
	       request == TCSBRKP || request == TCFLSH || request == TCXONC;
}

/* Return whether a request waits until all written text has left the device. */
static bool is_drain(unsigned request)
{
	return request == TCSETSW || request == TCSETSF || request == TCSETAW || request == TCSETAF ||
	       request == TCSBRK || request == TCSBRKP;
}

static int check_request(struct file *file, unsigned request)
{
	struct tty *tty = file->data;
	int error = tty_is_hung_up(file) ? -EIO : is_change(request) ? tty_check_job(tty, true) : 0;

	if (error || !is_drain(request) || !tty->port)
		return error;
	return tty->port->is_idle(tty) ? 0 : -EAGAIN;
}

static int64_t put_waiting(const struct tty *tty, struct user_io *io)
{
	int32_t waiting = tty->port ? (int32_t)tty->port->waiting(tty) : 0;

	return put(io, &waiting, sizeof(waiting));
}

static void flush_output(struct tty *tty)
{
	uint64_t flags = lock_take(&tty->lock);

	tty_give_order(tty, TTY_DROP);
	lock_release(&tty->lock, flags);
	wait_queue_wake(&tty->queue);
}

/* Do TCXONC: stop or start output, or ask the device's side to stop or start sending. */
static int64_t control_flow(struct tty *tty, uint64_t action)
{
	const char stop = (char)tty->termios.cc[VSTOP], start = (char)tty->termios.cc[VSTART];
	uint64_t flags;

	if (action > TCION)
		return -EINVAL;
	flags = lock_take(&tty->lock);
	if (action == TCOOFF || action == TCOON)
		tty_give_order(tty, action == TCOOFF ? TTY_STOP : TTY_GO);
	else
		tty->show(tty, action == TCIOFF ? &stop : &start, 1);
	lock_release(&tty->lock, flags);
	wait_queue_wake(&tty->queue);
	return 0;
}

/* Do the requests about the keyboard. A terminal without a keyboard returns -ENOTTY. */
static int64_t keyboard_request(struct tty *tty, unsigned request, struct user_io *io)
{
	const uint8_t type = KB_101;
	struct linux_kbentry entry;
	int error;

	if (!tty->set_key)
		return -ENOTTY;
	if (request == KDGKBTYPE)
		return put(io, &type, sizeof(type));
	error = copy_errno(user_io_get_all(io, &entry, sizeof(entry)));
	return error ? error : tty->set_key(entry.table, entry.index, entry.value);
}

/* Do the requests about who draws on the screen. A terminal without a screen returns -ENOTTY. */
static int64_t screen_request(struct tty *tty, unsigned request, uint64_t arg, struct user_io *io)
{
	int32_t mode;

	if (!tty->set_graphics)
		return -ENOTTY;
	if (request == KDSETMODE)
		return arg > KD_TEXT1 ? -EINVAL : tty->set_graphics(tty, arg == KD_GRAPHICS);
	mode = tty->is_graphics(tty) ? KD_GRAPHICS : KD_TEXT;
	return put(io, &mode, sizeof(mode));
}

static int64_t do_request(struct tty *tty, unsigned request, uint64_t arg, struct user_io *io)
{
	struct linux_winsize winsize;
	int32_t waiting;
	int error;

	switch (request) {
	case TCGETS:
		return put(io, &tty->termios, sizeof(tty->termios));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set_termios(tty, request, io);
	case TCGETA:
		return put_termio(tty, io);
	case TIOCGWINSZ:
		return put(io, &tty->winsize, sizeof(tty->winsize));
	case TIOCSWINSZ:
		error = copy_errno(user_io_get_all(io, &winsize, sizeof(winsize)));
		if (!error)
			tty_set_size(tty, winsize.rows, winsize.columns);
		return error;
	case FIONREAD:
		waiting = (int32_t)tty_readable(tty);
		return put(io, &waiting, sizeof(waiting));
	case TIOCGSERIAL:
		return put_serial(tty, io);
	case KDGKBTYPE:
	case KDSKBENT:
		return keyboard_request(tty, request, io);
	case KDSETMODE:
	case KDGETMODE:
		return screen_request(tty, request, arg, io);
	case TIOCOUTQ:
		return put_waiting(tty, io);
	case TCFLSH:
		if (arg > TCIOFLUSH)
			return -EINVAL;
		if (arg != TCOFLUSH)
			flush_input(tty);
		if (arg != TCIFLUSH)
			flush_output(tty);
		return 0;
	case TCXONC:
		return control_flow(tty, arg);
	case TCSBRK:
	case TCSBRKP:
		return 0; /* check_request() has waited for the output; the drivers here cannot send a break */
	}
	return job_request(tty, request, arg, io);
}

int64_t tty_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	int error = check_request(file, request);

	return error ? error : do_request(file->data, request, arg, io);
}

/*
 * A master may ask for the session and the foreground group of its terminal, though this is not the caller's
 * controlling terminal. The modes that it reads and sets are the terminal's.
 */
int64_t tty_master_ioctl(struct tty *tty, unsigned request, uint64_t arg, struct user_io *io)
{
	int32_t value = request == TIOCGSID ? tty->session : tty->foreground;

	if (request == TIOCGSID && !value)
		return -ENOTTY;
	if (request == TIOCGPGRP || request == TIOCGSID)
		return put(io, &value, sizeof(value));
	return request == TIOCNOTTY ? -ENOTTY : do_request(tty, request, arg, io);
}
