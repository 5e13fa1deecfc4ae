/*
 * An /init that asks the screen for as much work as 4 KiB of text can, in many ways, beside a neighbour that wakes up
 * five thousand times a second. Prints for how long the neighbour was kept from running, in microseconds, a line for
 * each way. After that somebody types lines on the keyboard while the screen scrolls. Run it with -icount, where time
 * is counted in instructions. At the end it draws a picture by /dev/fb0, and after each step waits for a line, typed by
 * somebody who has looked at the screen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KDSETMODE 0x4b3a
#define KDGETMODE 0x4b3b

enum { KD_TEXT, KD_GRAPHICS };

#define FBIOGET_VSCREENINFO 0x4600
#define FBIOPUT_VSCREENINFO 0x4601
#define FBIOGET_FSCREENINFO 0x4602
#define FBIOPAN_DISPLAY     0x4606
#define TRUE_COLOUR         2

/* Linux's structures of these names. */
struct fb_var_screeninfo {
	uint32_t xres, yres, xres_virtual, yres_virtual, xoffset, yoffset, bits_per_pixel, grayscale;
	struct {
		uint32_t offset, length, msb_right;
	} red, green, blue, transp;
	uint32_t rest[20];
};

struct fb_fix_screeninfo {
	char id[16];
	unsigned long smem_start;
	uint32_t smem_len, type, type_aux, visual;
	uint16_t steps[3];
	uint32_t line_length;
	unsigned long mmio_start;
	uint32_t rest[4];
};

#define MOST      4096
#define MUCH_TEXT (2 << 20)
#define TYPED     5 /* how many lines are typed */

static volatile long *longest; /* microseconds for which the neighbour did not run, at most; shared with it */
static int screen;

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void be_the_neighbour(void)
{
	const struct timespec pause = { 0, 200000 };
	long last = now_us();

	setpriority(PRIO_PROCESS, 0, -20);
	for (;;) {
		long now;

		nanosleep(&pause, NULL);
		now = now_us();
		if (now - last > *longest)
			*longest = now - last;
		last = now;
	}
}

/* Forget what has kept the neighbour from running so far. */
static void start(void)
{
	usleep(5000);
	*longest = 0;
}

static void tell(const char *name)
{
	usleep(5000);
	printf("kept: %ld by %s.\n", *longest, name);
	fflush(stdout);
}

static void repeat(const char *name, const char *sequence)
{
	static char text[MOST];
	size_t size = strlen(sequence), used = 0;

	for (; used + size <= sizeof(text); used += size)
		memcpy(text + used, sequence, size);
	dprintf(screen, "\033cA");
	start();
	if (write(screen, text, used) != (ssize_t)used)
		printf("not ok: %s is cut\n", name);
	tell(name);
}

/*
 * Make the terminal's own answer erase: the answer to ESC [ 6 n counts as typed, and ends with R, so let R be the key
 * that erases a character, after much text without the end of a line.
 */
static void erase_behind_much_text(void)
{
	static char text[MOST];
	struct termios old, new;

	tcgetattr(screen, &old);
	new = old;
	new.c_cc[VERASE] = 'R';
	tcsetattr(screen, TCSANOW, &new);
	memset(text, 'x', sizeof(text));
	for (long i = 0; i < MUCH_TEXT; i += MOST)
		if (write(screen, text, MOST) != MOST)
			printf("not ok: the text is cut\n");
	start();
	dprintf(screen, "\033[6n");
	tell("an erased character");
	tcflush(screen, TCIFLUSH);
	tcsetattr(screen, TCSANOW, &old);
}

static void take_lines(void)
{
	char text[100];

	for (int i = 0; i < 200; i++)
		dprintf(screen, "a line of text that somebody has written, number %d\r\n", i);
	start();
	printf("type\n");
	fflush(stdout);
	for (int i = 0; i < TYPED; i++)
		if (read(screen, text, sizeof(text)) <= 0)
			printf("not ok: nothing was typed\n");
	tell("typed lines");
}

static void must(bool is_so, const char *name)
{
	if (!is_so)
		printf("not ok: %s, error %d\n", name, errno);
}

/* Wait until what was drawn is on the screen, then until somebody who has looked at it types a line. */
static void let_see(const char *what)
{
	char text[100];

	usleep(100000);
	printf("%s\n", what);
	fflush(stdout);
	must(read(screen, text, sizeof(text)) > 0, "a line was typed");
}

/* Ask the framebuffer device for its mode, and check that requests which it refuses change nothing. */
static void ask_device(int file, struct fb_var_screeninfo *mode, struct fb_fix_screeninfo *fixed)
{
	struct fb_var_screeninfo other;
	char byte;

	must(!ioctl(file, FBIOGET_VSCREENINFO, mode) && !ioctl(file, FBIOGET_FSCREENINFO, fixed), "the mode");
	must(mode->bits_per_pixel == 32 && mode->red.length == 8 && fixed->visual == TRUE_COLOUR, "the colours");
	must(fixed->line_length >= mode->xres * 4 && fixed->smem_len == fixed->line_length * mode->yres, "the size");
	other = *mode;
	must(!ioctl(file, FBIOPUT_VSCREENINFO, &other) && !memcmp(&other, mode, sizeof(other)), "the same mode");
	must(!ioctl(file, FBIOPAN_DISPLAY, &other), "the same place");
	other.xres /= 2;
	must(ioctl(file, FBIOPUT_VSCREENINFO, &other) && errno == EINVAL, "another mode is refused");
	other.yoffset = 1;
	must(ioctl(file, FBIOPAN_DISPLAY, &other) && errno == EINVAL, "another place is refused");
	must(ioctl(file, TIOCGWINSZ, &other) && errno == ENOTTY, "it is no terminal");
	must(pread(file, &byte, 1, fixed->smem_len) == 0, "reading at the end");
	must(pwrite(file, &byte, 1, fixed->smem_len) < 0 && errno == ENOSPC, "writing at the end");
	must(ioctl(file, FBIOGET_VSCREENINFO, NULL) && errno == EFAULT, "no memory for the mode");
}

static uint32_t pixel(const struct fb_var_screeninfo *mode, uint32_t red, uint32_t green, uint32_t blue)
{
	return red << mode->red.offset | green << mode->green.offset | blue << mode->blue.offset;
}

/* Paint the left half of the picture red, and the right half blue. */
static void paint(uint32_t *picture, const struct fb_var_screeninfo *mode, size_t pitch)
{
	for (uint32_t y = 0; y < mode->yres; y++)
		for (uint32_t x = 0; x < mode->xres; x++)
			picture[y * (pitch / 4) + x] =
				x < mode->xres / 2 ? pixel(mode, 255, 0, 0) : pixel(mode, 0, 0, 255);
}

static void draw_a_picture(void)
{
	int file = open("/dev/fb0", O_RDWR), kind = -1;
	struct fb_var_screeninfo mode;
	struct fb_fix_screeninfo fixed;
	uint32_t *picture, *row, *own;
	size_t pitch;

	must(file >= 0, "/dev/fb0");
	ask_device(file, &mode, &fixed);
	pitch = fixed.line_length;
	picture = mmap(NULL, fixed.smem_len, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	must(picture != MAP_FAILED && own != MAP_FAILED, "mmap");
	must(!ioctl(screen, KDSETMODE, KD_GRAPHICS) && !ioctl(screen, KDGETMODE, &kind) && kind == KD_GRAPHICS,
	     "graphics");
	own[1] = 1;
	start();
	paint(picture, &mode, pitch);
	tell("a picture");
	dprintf(screen, "\033[Hhidden");
	let_see("painted");
	must(picture[0] == pixel(&mode, 255, 0, 0), "what was painted is read");
	/* Write again to pages that have been shown, by a mapping and by write(2). */
	picture[(mode.yres / 2) * (pitch / 4)] = pixel(&mode, 0, 255, 0);
	row = malloc(pitch);
	for (uint32_t x = 0; x < pitch / 4; x++)
		row[x] = pixel(&mode, 0, 255, 0);
	must(pwrite(file, row, pitch, 0) == (ssize_t)pitch, "write");
	must(picture[1] == row[1] && own[1] == 1, "a mapping sees it, and a private page does not");
	must(pread(file, row, 4, (long)(mode.yres / 2 * pitch)) == 4 && row[0] == row[1], "read");
	let_see("painted again");
	/* Paint right before the switch to text: the picture must not come over the text. */
	paint(picture, &mode, pitch);
	must(!ioctl(screen, KDSETMODE, KD_TEXT) && !ioctl(screen, KDGETMODE, &kind) && kind == KD_TEXT, "text");
	must(ioctl(screen, KDSETMODE, 4) && errno == EINVAL, "another kind");
	munmap(picture, fixed.smem_len);
	close(file);
	let_see("text");
}

int main(void)
{
	pid_t neighbour;

	longest = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	screen = open("/dev/tty0", O_RDWR | O_NOCTTY);
	neighbour = fork();
	if (neighbour == 0)
		be_the_neighbour();
	repeat("repeated characters", "\033[65535b");
	repeat("repeated characters that scroll", "x\033[65535b\n");
	repeat("erased screens", "\033[2J");
	repeat("erased screens in turns", "\033[7m\033[J\033[m\033[J");
	repeat("resets", "\033c");
	repeat("inserted rows", "\033[99L");
	repeat("deleted rows", "\033[99M");
	repeat("rows that scroll", "\033[99S");
	repeat("inserted characters", "\033[999@");
	repeat("ends of lines", "\n");
	repeat("screens of E", "\033#8");
	repeat("pages", "\033[?1049h\033[?1049l");
	repeat("text", "plain text that goes on and on ");
	erase_behind_much_text();
	take_lines();
	draw_a_picture();
	kill(neighbour, SIGKILL);
	waitpid(neighbour, NULL, 0);
	return 0;
}
