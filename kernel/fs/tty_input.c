/*
 * The line discipline: handles typed bytes and their echo, and converts a program's output (ONLCR). tty_input() holds
 * tty->lock while it calls the static functions here, since bytes may come from interrupt handlers; tty_output() also
 * runs without that lock, for a program's output.
 */
#include "kernel/fs/content_memory.h"
#include "kernel/fs/tty_internal.h"
#include "kernel/lib/wipe.h"

#define TAB 8

void tty_drop_input(struct tty *tty)
{
	tty->tail = tty->line = tty->head;
	memset(tty->ends, 0, sizeof(tty->ends));
	tty->literal = false;
	if (tty->port)
		tty->port->order(tty, TTY_DROP_INPUT);
}

void tty_signal(struct tty *tty, enum tty_signal_number signal)
{
	if (tty->jobs && tty->jobs->signal)
		tty->jobs->signal(tty, signal);
}

void tty_give_order(struct tty *tty, enum tty_order order)
{
	if (order == TTY_STOP || order == TTY_GO)
		tty->stopped = order == TTY_STOP;
	if (tty->port)
		tty->port->order(tty, order);
}

/* Update tty->column, the cursor's column, for `byte`, which is shown. */
static void move_column(struct tty *tty, uint8_t byte)
{
	if (byte == '\r' || byte == '\n')
		tty->column = 0;
	else if (byte == '\t')
		tty->column = (tty->column / TAB + 1) * TAB;
	else if (byte == '\b')
		tty->column -= tty->column ? 1 : 0;
	else if (byte >= ' ' && byte != 127 && (byte & 0xc0) != 0x80)
		tty->column++;
}

static void show(struct tty *tty, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		move_column(tty, (uint8_t)text[i]);
	if (size)
		tty->show(tty, text, size);
}

void tty_output(struct tty *tty, const char *text, size_t size)
{
	uint32_t oflag = tty->termios.oflag;
	_Alignas(8) char out[2 * TTY_PIECE];
	size_t count = 0;

	if (!(oflag & OPOST) || !size) {
		show(tty, text, size);
		return;
	}
	/* Call tty->show once for the whole text, not for each byte: the drivers take a lock in each call. */
	ASSERT(size <= TTY_PIECE);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n' && oflag & ONLCR)
			out[count++] = '\r';
		out[count++] = text[i] == '\r' && oflag & OCRNL ? '\n' : text[i];
	}
	show(tty, out, count);
	wipe(out, count);
}

/* Return whether the byte is echoed as ^X. */
static bool is_control(const struct tty *tty, uint8_t byte)
{
	return tty->termios.lflag & ECHOCTL && (byte < ' ' || byte == 127) && byte != '\t' && byte != '\n';
}

static void echo(struct tty *tty, uint8_t byte)
{
	char text[2] = { (char)byte };

	if (!(tty->termios.lflag & ECHO) &&
	    !(byte == '\n' && tty->termios.lflag & ECHONL && tty->termios.lflag & ICANON))
		return;
	if (is_control(tty, byte)) {
		text[0] = '^';
		text[1] = (char)(byte ^ 64);
		show(tty, text, 2);
	} else {
		tty_output(tty, text, 1);
	}
}

/* Return how many columns a byte other than a tab takes. */
static uint32_t width_of(const struct tty *tty, uint8_t byte)
{
	if (is_control(tty, byte))
		return 2;
	return byte >= ' ' && (byte & 0xc0) != 0x80;
}

/*
 * Return how many columns the tab at `position` of the line being typed takes. The columns are counted from the tab
 * before it, which ends at a multiple of TAB, or from the line's start: so erasing a whole line, tab by tab, looks at
 * each byte only once.
 */
static uint32_t tab_width(const struct tty *tty, uint32_t position)
{
	uint32_t column = 0, at = position;

	while (at != tty->line && tty->input[(at - 1) % TTY_INPUT] != '\t')
		column += width_of(tty, tty->input[--at % TTY_INPUT]);
	if (at == tty->line)
		column += tty->line_start;
	return TAB - column % TAB;
}

/*
 * Remove the last character of the line, with all bytes of its UTF-8 sequence, and erase its columns on the screen. The
 * number of columns is computed from the line, not from the cursor, which a program's output may have moved.
 */
static void erase(struct tty *tty)
{
	uint32_t lflag = tty->termios.lflag, width;
	bool tab;

	do
		tty->head--;
	while (tty->head != tty->line && (tty->input[tty->head % TTY_INPUT] & 0xc0) == 0x80);
	if (!(lflag & ECHO))
		return;
	if (!(lflag & ECHOE)) {
		echo(tty, tty->termios.cc[VERASE]);
		return;
	}
	tab = tty->input[tty->head % TTY_INPUT] == '\t';
	/* A tab shows as blanks: the cursor only goes back over it. Other characters are overwritten by a blank. */
	width = tab ? tab_width(tty, tty->head) : width_of(tty, tty->input[tty->head % TTY_INPUT]);
	for (; width && tty->column; width--)
		show(tty, tab ? "\b" : "\b \b", tab ? 1 : 3);
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

static void erase_word(struct tty *tty)
{
	while (tty->head != tty->line && is_blank(tty->input[(tty->head - 1) % TTY_INPUT]))
		erase(tty);
	while (tty->head != tty->line && !is_blank(tty->input[(tty->head - 1) % TTY_INPUT]))
		erase(tty);
}

static void erase_line(struct tty *tty)
{
	uint32_t lflag = tty->termios.lflag;

	if (lflag & ECHO && lflag & ECHOKE && lflag & ECHOE) {
		while (tty->head != tty->line)
			erase(tty);
		return;
	}
	tty->head = tty->line;
	echo(tty, tty->termios.cc[VKILL]);
	if (lflag & ECHOK)
		echo(tty, '\n');
}

/* Put a byte into the ring. Returns false when the ring is full. */
static bool store(struct tty *tty, uint8_t byte, bool end)
{
	/* The last free byte is kept for the end of a line, so that a full ring can still become a line to read. */
	if (tty->head - tty->tail >= TTY_INPUT - (end ? 0U : 1U)) {
		show(tty, "\a", 1);
		return false;
	}
	tty->input[tty->head % TTY_INPUT] = byte;
	tty_set_end(tty, tty->head, end);
	tty->head++;
	return true;
}

static void end_line(struct tty *tty, uint8_t byte)
{
	if (!store(tty, byte, true))
		return;
	tty->line = tty->head;
	wait_queue_wake(&tty->queue);
}

static bool is_cc(const struct tty *tty, int which, uint8_t byte)
{
	return byte && tty->termios.cc[which] == byte;
}

/*
 * Handle a byte for flow control (VSTART, VSTOP) or a signal. Returns false for any other byte: it is input, and with
 * IXANY it also lets stopped output go on.
 */
static bool take_command(struct tty *tty, uint8_t byte)
{
	const struct linux_termios *t = &tty->termios;
	enum tty_signal_number signal;

	if (t->iflag & IXON) {
		bool start = is_cc(tty, VSTART, byte);

		if (start || is_cc(tty, VSTOP, byte)) {
			tty_give_order(tty, start ? TTY_GO : TTY_STOP);
			if (start)
				wait_queue_wake(&tty->queue);
			return true;
		}
		if (t->iflag & IXANY && tty->stopped) {
			tty_give_order(tty, TTY_GO);
			wait_queue_wake(&tty->queue);
		}
	}
	if (!(t->lflag & ISIG))
		return false;
	if (is_cc(tty, VINTR, byte))
		signal = TTY_SIGINT;
	else if (is_cc(tty, VQUIT, byte))
		signal = TTY_SIGQUIT;
	else if (is_cc(tty, VSUSP, byte))
		signal = TTY_SIGTSTP;
	else
		return false;
	if (!(t->lflag & NOFLSH)) {
		tty_drop_input(tty);
		tty_give_order(tty, TTY_DROP);
	}
	tty_give_order(tty, TTY_GO);
	echo(tty, byte);
	tty_signal(tty, signal);
	wait_queue_wake(&tty->queue);
	return true;
}

static void reprint(struct tty *tty)
{
	echo(tty, tty->termios.cc[VREPRINT]);
	echo(tty, '\n');
	tty->line_start = tty->column;
	for (uint32_t at = tty->line; at != tty->head; at++)
		echo(tty, tty->input[at % TTY_INPUT]);
}

/* Take a byte in canonical mode: edit the line, or end it. */
static void edit(struct tty *tty, uint8_t byte)
{
	bool extended = tty->termios.lflag & IEXTEN;

	if (tty->head == tty->line)
		tty->line_start = tty->column;
	if (is_cc(tty, VERASE, byte)) {
		if (tty->head != tty->line)
			erase(tty);
	} else if (is_cc(tty, VKILL, byte)) {
		erase_line(tty);
	} else if (extended && is_cc(tty, VWERASE, byte)) {
		erase_word(tty);
	} else if (extended && is_cc(tty, VREPRINT, byte) && tty->termios.lflag & ECHO) {
		reprint(tty);
	} else if (extended && is_cc(tty, VLNEXT, byte)) {
		tty->literal = true;
	} else if (is_cc(tty, VEOF, byte)) {
		end_line(tty, TTY_EOF_MARK);
	} else if (byte == '\n' || is_cc(tty, VEOL, byte) || is_cc(tty, VEOL2, byte)) {
		echo(tty, byte);
		end_line(tty, byte);
	} else if (store(tty, byte, false)) {
		echo(tty, byte);
	}
}

static void take_byte(struct tty *tty, uint8_t byte)
{
	const struct linux_termios *t = &tty->termios;

	if (tty->literal) {
		tty->literal = false;
		if (store(tty, byte, false))
			echo(tty, byte);
		return;
	}
	if (t->iflag & ISTRIP)
		byte &= 0x7f;
	if (byte == '\r' && t->iflag & IGNCR)
		return;
	if (byte == '\r' && t->iflag & ICRNL)
		byte = '\n';
	else if (byte == '\n' && t->iflag & INLCR)
		byte = '\r';
	if (take_command(tty, byte))
		return;
	if (t->lflag & ICANON) {
		edit(tty, byte);
	} else if (store(tty, byte, false)) {
		echo(tty, byte);
		wait_queue_wake(&tty->queue);
	}
}

void tty_input(struct tty *tty, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	uint64_t flags = lock_take(&tty->lock);

	for (size_t i = 0; i < size; i++)
		take_byte(tty, from[i]);
	lock_release(&tty->lock, flags);
	if (tty->flush)
		tty->flush(tty);
	if (tty->answer)
		tty->answer(tty);
}

void tty_set_size(struct tty *tty, unsigned rows, unsigned columns)
{
	uint64_t flags = lock_take(&tty->lock);
	bool news = tty->winsize.rows != rows || tty->winsize.columns != columns;

	tty->winsize.rows = (uint16_t)rows;
	tty->winsize.columns = (uint16_t)columns;
	if (news)
		tty_signal(tty, TTY_SIGWINCH);
	lock_release(&tty->lock, flags);
}
