/*
 * /dev/fb0: the screen's pixels, to read, to write and to map (fbdev, Linux's Documentation/fb/api.rst). There is one
 * mode, the one that the firmware has set.
 *
 * Only the kernel context maps the framebuffer, as all device memory: what programs read, write and map is a copy in
 * ordinary memory. A page of the copy is made when it is first touched, of what the screen shows there then. A page
 * that a program maps is read-only until the first write to it, which notes the page as changed; SHOW_NS later the task
 * that draws makes all changed pages read-only again and puts their bytes on the screen. So a page costs a fault for
 * each picture that changes it. The copy lasts as long as a file or a mapping of the device.
 *
 * Guard of all variables here that name none: tasks only, which the kernel does not preempt.
 */
#include "kernel/sys/fb_device.h"

#include "kernel/dev/screen.h"
#include "kernel/fs/device.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/mm/user/user_io.h"
#include "kernel/mm/user/user_pages.h"
#include "kernel/sys/fb_requests.h"
#include "kernel/sys/terminals.h"
#include "kernel/task/sched.h"

#define SHOW_NS   (20 * NS_PER_MS)
#define WORD_BITS 64

static struct framebuffer screen; /* fixed after boot */
static uint64_t size;             /* bytes of all rows. Fixed after boot */

static struct memory_object object; /* the memory object that programs map; its areas count in `references` */
static struct memory_object *copy;  /* the pixels, shared anonymous memory; NULL: there are no references */
static uint64_t *changed;           /* a bit for each page of the copy: set if it is to be put on the screen */
static size_t references;  /* how many references there are: one of each open file and area, and one while `waiting` */
static bool waiting;       /* the timer is started, or has fired and what is changed is not yet shown */
static volatile bool due;  /* the timer has fired. Atomic: an interrupt handler sets it */
static struct timer timer; /* guard: the lock of kernel/irq/timer.c */

static uint64_t page_count(void)
{
	return align_up(size, PAGE_SIZE) / PAGE_SIZE;
}

/* Return how many bytes of the page the framebuffer has: behind the last row's last pixel it need not have any. */
static size_t bytes_on_screen(uint64_t page)
{
	const uint64_t start = page * PAGE_SIZE, end = size - screen.pitch + screen.width * sizeof(uint32_t);

	if (start >= end)
		return 0;
	return end - start < PAGE_SIZE ? end - start : PAGE_SIZE;
}

/* ---- references ---- */

/* Take a reference; the first one makes the copy, which has no frames yet. Returns 0 or -ENOMEM. */
static int get(void)
{
	const uint64_t words = (page_count() + WORD_BITS - 1) / WORD_BITS;

	if (references) {
		references++;
		return 0;
	}
	changed = kzalloc(words * sizeof(*changed));
	if (!changed)
		return -ENOMEM;
	if (shared_memory_create(page_count(), &copy) != OK) {
		kfree(changed);
		return -ENOMEM;
	}
	references = 1;
	return 0;
}

/*
 * Drop a reference; the last one frees the copy. Not inlined: if this function were, two of its callers would have
 * equal code, and the compiler would merge them into one without line numbers, by which scripts/check-stack finds
 * calls.
 */
static __attribute__((noinline)) void put(void)
{
	if (--references)
		return;
	copy->ops->put(copy);
	copy = NULL;
	kfree(changed);
}

/* ---- pages of the copy: call in the kernel context ---- */

/*
 * Get the page's frame with a reference, as `frame` of struct memory_object_ops does. A new frame gets the pixels that
 * the screen shows there.
 */
static enum status get_page(uint64_t page, paddr_t *ret)
{
	const bool is_new = page < page_count() && !copy->ops->has(copy, page);
	enum status status = copy->ops->frame(copy, page, ret);

	if (status == OK && is_new)
		memcpy(hhdm_ptr(*ret), screen.pixels + page * PAGE_SIZE, bytes_on_screen(page));
	return status;
}

static void fire(struct timer *unused)
{
	(void)unused;
	due = true;
	terminals_draw_soon();
}

/* Note a page as changed, and start the timer after which it is shown, unless that is started. */
static void note_change(uint64_t page)
{
	changed[page / WORD_BITS] |= 1ULL << page % WORD_BITS;
	if (waiting)
		return;
	waiting = true;
	references++;
	timer.fire = fire;
	timer_start(&timer, time_add(clock_monotonic_ns(), SHOW_NS));
}

/* ---- putting pixels on the screen ---- */

/*
 * Take changed pages from *page on, as many as `ret` has room for, with references to their frames; *page advances. A
 * page that is written to from now on counts as changed again. A page whose frame cannot be had stays changed, and is
 * tried again later.
 */
static void take_changed(uint64_t *page, struct object_taken *ret)
{
	for (; *page < page_count() && ret->count < OBJECT_TAKEN_MOST; ++*page) {
		uint64_t *word = &changed[*page / WORD_BITS], bit = 1ULL << *page % WORD_BITS;
		paddr_t pa;

		if (!*word) {
			*page |= WORD_BITS - 1;
			continue;
		}
		if (!(*word & bit))
			continue;
		if (get_page(*page, &pa) != OK) {
			note_change(*page);
			continue;
		}
		*word &= ~bit;
		object_taken_add(ret, *page, pa);
	}
}

/*
 * Show some changed pages from *page on; *page advances. Their mappings are removed first, so that a later write faults
 * and notes the page as changed again. Until object_cut_end() the object should give out none of these pages
 * (memory_object.h). Here it may: a mapping that the cut misses was made by a write that has noted its page again.
 */
static void show_some(uint64_t *page)
{
	context_token_t token = kernel_context_enter();
	struct object_taken taken = { 0 };
	struct object_cut cut;

	take_changed(page, &taken);
	kernel_context_leave(token);
	object_cut_begin(&cut, &object, 0);
	cut.only = &taken;
	while (taken.count && object_cut_piece(&cut))
		task_yield();
	object_cut_end(&cut);
	token = kernel_context_enter();
	for (size_t i = 0; i < taken.count; i++) {
		const uint64_t at = taken.pages[i].page;

		memcpy(screen.pixels + at * PAGE_SIZE, hhdm_ptr(taken.pages[i].pa), bytes_on_screen(at));
		user_frame_put(taken.pages[i].pa);
	}
	kernel_context_leave(token);
}

void fb_device_show(void)
{
	if (!due)
		return;
	due = false;
	waiting = false;
	for (uint64_t page = 0; page < page_count(); task_yield())
		show_some(&page);
	put();
}

bool fb_device_wants_showing(void)
{
	return due;
}

void fb_device_hurry(void)
{
	if (!waiting)
		return;
	(void)timer_cancel(&timer);
	due = true;
}

void fb_device_end(void)
{
	fb_device_hurry();
	fb_device_show();
}

/* ---- the memory object ---- */

static enum status object_frame(struct memory_object *unused, uint64_t page, paddr_t *ret)
{
	(void)unused;
	return get_page(page, ret);
}

static enum status object_write_frame(struct memory_object *unused, uint64_t page, paddr_t *ret)
{
	enum status status = get_page(page, ret);

	(void)unused;
	if (status == OK)
		note_change(page);
	return status;
}

static void object_get(struct memory_object *unused)
{
	(void)unused;
	references++;
}

static void object_put(struct memory_object *unused)
{
	(void)unused;
	put();
}

static bool object_has(struct memory_object *unused, uint64_t page)
{
	(void)unused;
	return copy->ops->has(copy, page);
}

static bool object_is_long(const struct memory_object *unused)
{
	(void)unused;
	return references == 1 && copy->ops->is_long(copy);
}

/* ---- the file ---- */

/* Move bytes between a page of the copy and the program. Returns the status of the copy; *ret_moved is always set. */
static enum status move(struct user_io *io, uint64_t offset, bool write, size_t *ret_moved)
{
	const uint64_t page = offset / PAGE_SIZE, start = offset % PAGE_SIZE, left = size - offset;
	size_t bytes = io->left < PAGE_SIZE - start ? io->left : PAGE_SIZE - start;
	enum status status;
	paddr_t pa;

	if (bytes > left)
		bytes = left;
	*ret_moved = 0;
	status = get_page(page, &pa);
	if (status != OK)
		return status;
	if (write)
		status = user_io_get_bulk(io, (uint8_t *)hhdm_ptr(pa) + start, bytes, ret_moved);
	else
		status = user_io_put_bulk(io, (uint8_t *)hhdm_ptr(pa) + start, bytes, ret_moved);
	if (write && *ret_moved)
		note_change(page);
	user_frame_put(pa);
	return status;
}

static int64_t move_all(struct user_io *io, uint64_t *offset, bool write)
{
	context_token_t token = kernel_context_enter();
	enum status status = OK;
	uint64_t done = 0;
	size_t moved;

	while (io->left && *offset < size && status == OK) {
		status = move(io, *offset, write, &moved);
		*offset += moved;
		done += moved;
	}
	kernel_context_leave(token);
	return done ? (int64_t)done : copy_errno(status);
}

static int64_t fb_read(struct file *file, struct user_io *io, uint64_t *offset)
{
	(void)file;
	return move_all(io, offset, false);
}

static int64_t fb_write(struct file *file, struct user_io *io, uint64_t *offset)
{
	(void)file;
	if (*offset >= size && io->left)
		return *offset > size ? -EFBIG : -ENOSPC;
	return move_all(io, offset, true);
}

static int64_t fb_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io)
{
	(void)file;
	(void)arg;
	return fb_request(&screen, request, io);
}

static int fb_object(struct file *file, struct memory_object **ret)
{
	(void)file;
	*ret = &object;
	return 0;
}

static void fb_release(struct file *file)
{
	(void)file;
	put();
}

static const struct file_ops fb_ops = {
	.read = fb_read,
	.write = fb_write,
	.ioctl = fb_ioctl,
	.object = fb_object,
	.release = fb_release,
};

static int open_fb(struct device *device, struct file *file)
{
	int error = get();

	(void)device;
	if (error)
		return error;
	file->ops = &fb_ops;
	file->properties |= FILE_SEEKS;
	return 0;
}

void fb_device_init(void)
{
	static const struct memory_object_ops ops = {
		.frame = object_frame,
		.write_frame = object_write_frame,
		.get = object_get,
		.put = object_put,
		.has = object_has,
		.is_long = object_is_long,
	};
	/* Fixed after boot. */
	static struct device device = { .name = "fb0", .number = DEVICE_NUMBER(DEVICE_FB_MAJOR, 0), .open = open_fb };

	if (!screen_framebuffer(&screen))
		return;
	size = (uint64_t)screen.pitch * screen.height;
	object.ops = &ops;
	ASSERT(device_register(&device) == 0);
}
