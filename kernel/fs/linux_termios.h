/*
 * Linux's constants and structures of terminals on x86-64: termios(3), ioctl_tty(2).
 */
#pragma once

#include "paging/types.h"

enum linux_control_character {
	VINTR,
	VQUIT,
	VERASE,
	VKILL,
	VEOF,
	VTIME,
	VMIN,
	VSWTC,
	VSTART,
	VSTOP,
	VSUSP,
	VEOL,
	VREPRINT,
	VDISCARD,
	VWERASE,
	VLNEXT,
	VEOL2,
};

#define TERMIOS_CC 19

/* struct termios as the kernel's ioctls have it; the C library's is longer. */
struct linux_termios {
	uint32_t iflag;
	uint32_t oflag;
	uint32_t cflag;
	uint32_t lflag;
	uint8_t line;
	uint8_t cc[TERMIOS_CC];
};

_Static_assert(sizeof(struct linux_termios) == 36, "Linux's struct ktermios without speeds");

#define TERMIO_CC 8

/* The older struct termio, of TCGETA and TCSETA: the lower half of each set of flags, and fewer characters. */
struct linux_termio {
	uint16_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[TERMIO_CC];
};

_Static_assert(sizeof(struct linux_termio) == 18, "Linux's struct termio");

struct linux_winsize {
	uint16_t rows, columns;
	uint16_t x_pixels, y_pixels;
};

/* The argument of KDSKBENT. */
struct linux_kbentry {
	uint8_t table, index;
	uint16_t value;
};

/* The argument of KDSETMODE. As on Linux 2 and 3 mean KD_TEXT, too. */
enum linux_kd_mode { KD_TEXT, KD_GRAPHICS, KD_TEXT0, KD_TEXT1 };

#define KB_101 2 /* the answer to KDGKBTYPE */

enum linux_iflag {
	IGNBRK = 01,
	BRKINT = 02,
	ISTRIP = 040,
	INLCR = 0100,
	IGNCR = 0200,
	ICRNL = 0400,
	IXON = 02000,
	IXANY = 04000,
	IMAXBEL = 020000,
	IUTF8 = 040000
};
enum linux_oflag { OPOST = 01, OLCUC = 02, ONLCR = 04, OCRNL = 010, ONOCR = 020, ONLRET = 040 };
enum linux_cflag { B38400 = 017, CS8 = 060, CREAD = 0200, HUPCL = 02000 };
enum linux_lflag {
	ISIG = 01,
	ICANON = 02,
	ECHO = 010,
	ECHOE = 020,
	ECHOK = 040,
	ECHONL = 0100,
	NOFLSH = 0200,
	TOSTOP = 0400,
	ECHOCTL = 01000,
	ECHOPRT = 02000,
	ECHOKE = 04000,
	IEXTEN = 0100000,
};

enum linux_tty_request {
	TCGETS = 0x5401,
	TCSETS = 0x5402,
	TCSETSW = 0x5403,
	TCSETSF = 0x5404,
	TCGETA = 0x5405,
	TCSETA = 0x5406,
	TCSETAW = 0x5407,
	TCSETAF = 0x5408,
	TCSBRK = 0x5409,
	TCXONC = 0x540a,
	TCFLSH = 0x540b,
	TIOCSCTTY = 0x540e,
	TIOCGPGRP = 0x540f,
	TIOCSPGRP = 0x5410,
	TIOCOUTQ = 0x5411,
	TIOCGWINSZ = 0x5413,
	TIOCSWINSZ = 0x5414,
	FIONREAD = 0x541b, /* also of pipes and of inotify's files: how many bytes can be read */
	TIOCGSERIAL = 0x541e,
	TIOCPKT = 0x5420,
	KDGKBTYPE = 0x4b33, /* ioctl_console(2): which keyboard the terminal has */
	KDSETMODE = 0x4b3a, /* who draws on the screen: enum linux_kd_mode */
	KDGETMODE = 0x4b3b,
	KDSKBENT = 0x4b47, /* what a key stands for: struct linux_kbentry */
	TIOCNOTTY = 0x5422,
	TCSBRKP = 0x5425,
	TIOCGSID = 0x5429,
	TIOCGPTPEER = 0x5441,
	TIOCSPTLCK = 0x40045431,
	TIOCSIG = 0x40045436,
	TIOCGPTN = 0x80045430,
	TIOCGPKT = 0x80045438,
	TIOCGPTLCK = 0x80045439,
};

/* struct serial_struct, of which programs use only these fields. */
struct linux_serial {
	int32_t type; /* 4: a 16550A */
	int32_t line; /* the port's number, as in its name */
	uint32_t port;
	int32_t irq;
	int32_t rest[14];
};

_Static_assert(sizeof(struct linux_serial) == 72, "Linux's struct serial_struct");

enum linux_flush { TCIFLUSH, TCOFLUSH, TCIOFLUSH };
enum linux_flow { TCOOFF, TCOON, TCIOFF, TCION };
