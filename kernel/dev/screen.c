/*
 * The machine's screen: one terminal on the framebuffer. Text that is written before the terminal exists is dropped.
 *
 * Interrupt handlers write too, when they echo what somebody types. So the terminal is changed and drawn under
 * screen_lock, which is released after each row. While programs run, a handler draws at most FEW_ROWS rows, which is
 * enough for a typed character. If more rows have changed, a task draws them.
 */
#include "kernel/dev/screen.h"

#include "kernel/dev/keyboard.h"
#include "kernel/dev/text_console.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/context.h"
#include "kernel/mm/space/mmio.h"
#include "kernel/sync/lock.h"

/*
 * Text is fed to the terminal in chunks of at most PIECE bytes, since interrupts are off meanwhile. A new chunk begins
 * at each ESC: the few bytes of an escape sequence may mean much work, for example clear the screen.
 */
#define PIECE 64
#define ESC   0x1b

#define BACKLOG 16384 /* bytes of the log that can wait for the terminal */

#define FEW_ROWS 2 /* the most rows that screen_show_few() draws itself when `later` is set */

static struct lock screen_lock = LOCK_INITIAL(LOCK_SCREEN);

static struct text_console console;                    /* guard: screen_lock */
static bool ready;                                     /* fixed after boot */
static bool held;                                      /* a program draws, not the terminal. Guard: screen_lock */
static void (*answer)(const char *bytes, size_t size); /* fixed after boot */
/*
 * The function that makes a task draw; NULL: changes are drawn at once. Written only before and after programs run, or
 * in a panic. Atomic: it is one word, so no reader sees half of it.
 */
static void (*later)(void);

/*
 * Text of the log that the terminal has not taken yet; see screen_defer(). Text that comes while some waits is added to
 * it, so that the order stays. Guard: screen_lock.
 */
static SCRATCH char backlog[BACKLOG];
static size_t backlog_at, backlog_end; /* the bytes [at, end) wait. Guard: screen_lock */
static bool deferring;                 /* screen_defer() was called. Guard: screen_lock */

enum status screen_memory_get(const struct boot_framebuffer *info, struct screen_memory *ret)
{
	struct screen_memory m = { .size = align_up(text_grid_size(info, &console_font), PAGE_SIZE) };
	enum status status;

	m.grid = kmalloc_aligned(m.size, PAGE_SIZE);
	if (!m.grid)
		return ERR_NO_MEMORY;
	status = mmio_map(info->pa, info->size, PROT_WC, &m.pixels);
	if (status == OK)
		*ret = m;
	else
		kfree(m.grid);
	return status;
}

void screen_memory_put(const struct screen_memory *m)
{
	mmio_unmap(m->pixels);
	kfree(m->grid);
}

enum status screen_start(const struct boot_framebuffer *info)
{
	struct screen_memory m;
	enum status status = screen_memory_get(info, &m);

	if (status != OK)
		return status;
	status = text_console_init(info, m.pixels, &console_font, m.grid, m.size, &console);
	ready = status == OK;
	if (!ready)
		screen_memory_put(&m);
	return status;
}

bool screen_present(void)
{
	return ready;
}

void screen_size(unsigned *ret_rows, unsigned *ret_columns)
{
	*ret_rows = ready ? console.grid.rows : 0;
	*ret_columns = ready ? console.grid.columns : 0;
}

void screen_set_reply(void (*reply)(const char *bytes, size_t size))
{
	answer = reply;
}

/* Pass the terminal's answers on as typed input. Do so without screen_lock, since echoing that input takes the lock. */
void screen_answer(void)
{
	char bytes[TEXT_REPLY];
	uint64_t flags;
	size_t size;

	if (!ready)
		return;
	flags = lock_take(&screen_lock);
	size = text_console_reply(&console, bytes);
	lock_release(&screen_lock, flags);
	if (size && answer)
		answer(bytes, size);
}

/* Return the length of the next chunk, which ends before the next ESC that is not its first byte. */
static size_t piece_of(const char *text, size_t size)
{
	size_t piece = 1;

	while (piece < size && piece < PIECE && text[piece] != ESC)
		piece++;
	return piece;
}

/* Have the terminal take a piece of the backlog. Returns false when nothing waited. */
static bool catch_up_piece(void)
{
	uint64_t flags = lock_take(&screen_lock);
	bool waited = backlog_at < backlog_end;

	if (waited) {
		size_t piece = piece_of(backlog + backlog_at, backlog_end - backlog_at);

		text_console_feed(&console, &console.kernel, backlog + backlog_at, piece);
		backlog_at += piece;
	}
	if (backlog_at == backlog_end)
		backlog_at = backlog_end = 0;
	lock_release(&screen_lock, flags);
	return waited;
}

static void catch_up(void)
{
	while (catch_up_piece())
		;
}

/* Add text to the backlog. Returns false if the terminal is to take it now, or if there is no room for it. */
static bool put_off(const char *text, size_t size)
{
	uint64_t flags = lock_take(&screen_lock);
	bool later_on = (deferring || backlog_at < backlog_end) && size <= BACKLOG - backlog_end;

	if (later_on) {
		memcpy(backlog + backlog_end, text, size);
		backlog_end += size;
	}
	lock_release(&screen_lock, flags);
	return later_on;
}

void screen_defer(void)
{
	uint64_t flags = lock_take(&screen_lock);

	deferring = true;
	lock_release(&screen_lock, flags);
}

void screen_defer_end(void)
{
	uint64_t flags = lock_take(&screen_lock);

	deferring = false;
	lock_release(&screen_lock, flags);
}

static void feed(struct text_stream *stream, const char *text, size_t size)
{
	while (size) {
		size_t piece = piece_of(text, size);
		uint64_t flags = lock_take(&screen_lock);

		text_console_feed(&console, stream, text, piece);
		lock_release(&screen_lock, flags);
		text += piece;
		size -= piece;
	}
}

static bool show_row(void)
{
	uint64_t flags = lock_take(&screen_lock);
	bool drawn = !held && text_console_draw_row(&console);

	lock_release(&screen_lock, flags);
	return drawn;
}

bool screen_is_dirty(void)
{
	return ready && !held && (backlog_at < backlog_end || text_grid_is_dirty(&console.grid));
}

bool screen_show_until(bool (*stop)(void))
{
	context_token_t token;

	while (!held && ready && catch_up_piece())
		if (stop && stop())
			return screen_is_dirty();
	if (!screen_is_dirty())
		return false;
	/*
	 * The pixels are mapped only in the kernel context, the kernel's own page tables; the caller may have others
	 * loaded.
	 */
	token = kernel_context_enter();
	while (show_row() && !(stop && stop()))
		;
	kernel_context_leave(token);
	return screen_is_dirty();
}

void screen_show(void)
{
	(void)screen_show_until(NULL);
}

void screen_show_few(void)
{
	bool many = backlog_at < backlog_end || console.grid.dirty_end > console.grid.dirty + FEW_ROWS;

	if (later && !held && many)
		later();
	else
		screen_show();
}

void screen_show_later(void (*by)(void))
{
	later = by;
}

void screen_feed(const char *text, size_t size)
{
	if (!ready)
		return;
	catch_up();
	feed(&console.program, text, size);
	keyboard_set_application(console.application_cursor);
}

void screen_hold(void)
{
	uint64_t flags = lock_take(&screen_lock);

	held = ready;
	lock_release(&screen_lock, flags);
}

void screen_release(void)
{
	uint64_t flags;

	if (!held)
		return;
	flags = lock_take(&screen_lock);
	held = false;
	text_grid_redraw(&console.grid);
	lock_release(&screen_lock, flags);
}

bool screen_is_held(void)
{
	return held;
}

bool screen_framebuffer(struct framebuffer *ret)
{
	if (ready)
		*ret = console.grid.fb;
	return ready;
}

void screen_reset(void)
{
	uint64_t flags;

	if (!ready)
		return;
	screen_release();
	flags = lock_take(&screen_lock);
	backlog_at = backlog_end = 0;
	text_console_reset(&console);
	lock_release(&screen_lock, flags);
}

static void screen_write(const char *text, size_t size)
{
	if (!ready)
		return;
	if (!put_off(text, size)) {
		catch_up();
		feed(&console.kernel, text, size);
	}
	screen_show_few();
}

/*
 * The screen as a sink of the log: its function gets the text of each message. Guard: the same as for all sinks
 * (`sinks` in log.c).
 */
struct log_sink screen_sink = { .write = screen_write };
