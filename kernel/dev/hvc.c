/*
 * Drives a virtio console: text waits in a queue, as it does for a serial port, and goes out one buffer at a time; the
 * device writes what is typed to buffers that are lent to it. Registers and buffers are mapped only in the kernel
 * context.
 */
#include "kernel/dev/hvc.h"

#include "kernel/dev/port_queue.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial_choice.h"
#include "kernel/dev/virtio/virtio_pci.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/space/context.h"
#include "kernel/sync/lock.h"

#define DEVICE_CONSOLE     0x1043
#define DEVICE_CONSOLE_OLD 0x1003 /* a console that also has the interface of before virtio 1.0 */

enum { TYPED = 0, SENT = 1 }; /* the queues of the console port */

/* The frame of buffers: TYPED_BUFFERS for what is typed, and behind them one for what is sent. */
#define TYPED_BUFFERS 8
#define TYPED_SIZE    128
#define SENT_OFFSET   2048
#define SENT_SIZE     2048

#define PATIENCE_NS   NS_PER_S       /* how long a writer waits for a device that takes nothing, until queues_text */
#define LAST_WORDS_NS (3 * NS_PER_S) /* how long hvc_end_queue() waits for a device that takes nothing */

/* Guard, where a field says nothing else: hvc_lock. */
static struct {
	struct virtio device;
	struct virtqueue queues[VIRTIO_QUEUES];
	struct dma_page buffers;
	struct port_queue text; /* what waits to be sent */
	bool present;           /* the device runs */
	bool busy;              /* the device has the buffer of text */
	bool queues_text;       /* writers do not wait for the device */
	bool wedged;            /* a wait timed out: text is lost until the device has taken something */
	bool is_awaited;        /* somebody waits for room, or for all text to be sent */
	uint64_t progress_ns;   /* when the device last took text */
	/* The typed buffer being read: its descriptor, the next byte's offset, its size. at == length: no buffer. */
	unsigned slot;
	uint32_t at, length;
	void (*wake)(void); /* fixed after boot */
	void (*take)(void); /* fixed after boot */
} hvc;

static bool leads; /* see hvc_leads(). Fixed after boot */

/* Guards `hvc`. The serial ports' lock has the same rank, since neither driver calls the other one. */
static struct lock hvc_lock = LOCK_INITIAL(LOCK_SERIAL);

bool hvc_present(void)
{
	return hvc.present;
}

bool hvc_leads(void)
{
	return leads && hvc.present;
}

/* Use the device no more, since it has written nonsense to its queues. The caller holds hvc_lock. */
static void give_up(void)
{
	hvc.present = hvc.busy = false;
	port_queue_lose(&hvc.text);
}

/* Lend the device a buffer for what is typed. The caller holds hvc_lock, in the kernel context. */
static void lend(unsigned slot)
{
	virtqueue_lend(&hvc.queues[TYPED], slot, dma_add(hvc.buffers.at, slot * TYPED_SIZE).raw, TYPED_SIZE);
}

/*
 * Take back the buffer of text, and send the next one if there is text. The caller holds hvc_lock, in the kernel
 * context.
 */
static void move(void)
{
	char *bytes = (char *)hvc.buffers.bytes + SENT_OFFSET;
	uint32_t size = 0, length;
	unsigned slot;

	if (!hvc.present)
		return;
	if (virtqueue_take(&hvc.queues[SENT], &slot, &length)) {
		hvc.busy = hvc.wedged = false;
		hvc.progress_ns = clock_monotonic_ns();
	}
	if (hvc.queues[SENT].broken || hvc.queues[TYPED].broken) {
		give_up();
		return;
	}
	if (hvc.busy || !port_queue_sends(&hvc.text))
		return;
	while (size < SENT_SIZE && port_queue_sends(&hvc.text))
		bytes[size++] = port_queue_take(&hvc.text);
	virtqueue_send(&hvc.queues[SENT], 0, dma_add(hvc.buffers.at, SENT_OFFSET).raw, size);
	hvc.busy = true;
	hvc.progress_ns = clock_monotonic_ns();
	virtio_notify(&hvc.device, SENT);
}

/*
 * Return whether to call wake() now: somebody waits, and there is room for half of what may wait, or nothing left to
 * send, or no device any more. The caller holds hvc_lock.
 */
static bool is_news(void)
{
	const bool idle = !port_queue_text(&hvc.text) && !hvc.busy;

	if (!hvc.is_awaited || (hvc.present && !idle && port_queue_room(&hvc.text) < PORT_WRITES / 2))
		return false;
	hvc.is_awaited = hvc.present && !idle;
	return true;
}

static void move_on(void)
{
	context_token_t token = kernel_context_enter();
	uint64_t flags = lock_take(&hvc_lock);
	const bool was_present = hvc.present;
	bool news;

	move();
	news = is_news();
	lock_release(&hvc_lock, flags);
	kernel_context_leave(token);
	if (was_present && !hvc.present)
		log_err("hvc0: the device's queue makes no sense: left alone\n");
	if (news && hvc.wake)
		hvc.wake();
}

/* Send all text, and wait until the device has taken it. If it takes nothing for patience_ns, the text is lost. */
static void drain(uint64_t patience_ns)
{
	while (hvc.present && (hvc.busy || port_queue_sends(&hvc.text)) && !hvc.wedged) {
		uint64_t flags;

		move_on();
		flags = lock_take(&hvc_lock);
		if (hvc.busy && clock_monotonic_ns() - hvc.progress_ns >= patience_ns) {
			port_queue_lose(&hvc.text);
			hvc.wedged = true;
		}
		lock_release(&hvc_lock, flags);
		cpu_pause();
	}
}

/* ---- output ---- */

enum kind { MESSAGE, TEXT };

static void send(enum kind kind, const char *text, size_t size)
{
	uint64_t flags;

	if (!hvc.present)
		return;
	flags = lock_take(&hvc_lock);
	if (hvc.wedged)
		hvc.text.lost += port_lines(text, size);
	else if (kind == MESSAGE)
		port_queue_add_message(&hvc.text, text, size);
	else
		port_queue_add_text(&hvc.text, text, size);
	lock_release(&hvc_lock, flags);
	move_on();
	if (!hvc.queues_text)
		drain(PATIENCE_NS);
}

static void write_message(const char *text, size_t size)
{
	send(MESSAGE, text, size);
}

static struct log_sink sink = { .write = write_message }; /* guard: as for all sinks of log.c */

void hvc_write_raw(const char *text, size_t size)
{
	send(TEXT, text, size);
}

size_t hvc_room(void)
{
	uint64_t flags = lock_take(&hvc_lock);
	size_t room = PORT_WRITES;

	if (hvc.present && !hvc.wedged && port_queue_text(&hvc.text)) {
		hvc.is_awaited = true;
		room = port_queue_room(&hvc.text);
	}
	lock_release(&hvc_lock, flags);
	return room;
}

size_t hvc_waiting(void)
{
	return port_queue_text(&hvc.text);
}

bool hvc_is_idle(void)
{
	uint64_t flags = lock_take(&hvc_lock);
	const bool idle = !hvc.present || hvc.wedged || (!port_queue_text(&hvc.text) && !hvc.busy);

	if (!idle)
		hvc.is_awaited = true;
	lock_release(&hvc_lock, flags);
	return idle;
}

void hvc_stop(void)
{
	uint64_t flags = lock_take(&hvc_lock);

	hvc.text.stopped = hvc.queues_text;
	lock_release(&hvc_lock, flags);
}

void hvc_go(void)
{
	uint64_t flags = lock_take(&hvc_lock);

	hvc.text.stopped = false;
	lock_release(&hvc_lock, flags);
	move_on();
}

void hvc_drop(void)
{
	uint64_t flags = lock_take(&hvc_lock);

	port_queue_drop_text(&hvc.text);
	lock_release(&hvc_lock, flags);
	move_on();
}

/* ---- input ---- */

/* Return the next byte, or -1. The caller holds hvc_lock, in the kernel context. */
static int read_byte(void)
{
	const volatile uint8_t *bytes = hvc.buffers.bytes;
	int byte = -1;

	if (!hvc.present)
		return -1;
	if (hvc.at == hvc.length) {
		if (!virtqueue_take(&hvc.queues[TYPED], &hvc.slot, &hvc.length))
			return -1;
		hvc.at = 0;
	}
	if (hvc.at < hvc.length)
		byte = bytes[hvc.slot * TYPED_SIZE + hvc.at++];
	if (hvc.at == hvc.length) {
		lend(hvc.slot);
		virtio_notify(&hvc.device, TYPED);
	}
	return byte;
}

int hvc_read(void)
{
	context_token_t token;
	uint64_t flags;
	int byte;

	if (!hvc.present)
		return -1;
	token = kernel_context_enter();
	flags = lock_take(&hvc_lock);
	byte = read_byte();
	lock_release(&hvc_lock, flags);
	kernel_context_leave(token);
	return byte;
}

void hvc_serve(void *unused)
{
	(void)unused;
	if (hvc.take)
		hvc.take();
	/* The queue of what is typed may have become broken: move_on() says so, and wakes who waits for the device. */
	move_on();
}

bool hvc_is_polled(void)
{
	return hvc.present && !hvc.device.has_interrupt;
}

void hvc_start_queue(void (*wake)(void), void (*take)(void))
{
	if (!hvc.present)
		return;
	hvc.wake = wake;
	hvc.take = take;
	hvc.queues_text = true;
}

void hvc_end_queue(void)
{
	hvc.queues_text = hvc.text.stopped = false;
	hvc.take = NULL;
	drain(LAST_WORDS_NS);
}

/* ---- the driver ---- */

/*
 * Return whether the function is a console, and the first one. A device that was given up counts, too: it may still
 * write to its buffers, so no other takes its place. hvc.text has rings from the first successful start on.
 */
static bool claims(const struct pci_function *f)
{
	return f->vendor == VIRTIO_VENDOR && (f->device == DEVICE_CONSOLE || f->device == DEVICE_CONSOLE_OLD) &&
	       !hvc.text.text;
}

static bool start(struct pci_function *f)
{
	char *rings = kmalloc(PORT_TEXT + PORT_MESSAGES);

	if (!rings || dma_page_alloc(false, &hvc.buffers) != OK) {
		pci_log(f, "hvc0: no memory");
		goto fail;
	}
	if (!virtio_start(&hvc.device, f, hvc_serve, hvc.queues))
		goto fail;
	hvc.text = (struct port_queue){ .text = rings, .messages = rings + PORT_TEXT };
	for (unsigned i = 0; i < TYPED_BUFFERS && i < hvc.queues[TYPED].size; i++)
		lend(i);
	virtio_notify(&hvc.device, TYPED);
	hvc.present = true;
	pci_log(f, "hvc0, a virtio console%s", hvc.device.has_interrupt ? "" : ", which is polled");
	return true;

fail:
	dma_page_free(&hvc.buffers);
	kfree(rings);
	return false;
}

/* Do nothing: the device may be a console until the machine's end, so it is not stopped. */
static void stop(struct pci_function *f)
{
	(void)f;
}

const struct pci_driver hvc_driver = { .name = "virtio_console", .claims = claims, .start = start, .stop = stop };

void hvc_find(const char *cmdline)
{
	const bool named = cmdline_names(cmdline, "console", "hvc0");
	char last[8] = "";

	if (!named && (serial_leading() || screen_present()))
		return;
	pci_start_driver(&hvc_driver);
	if (!hvc.present)
		return;
	for (const char *at = cmdline; cmdline_next(&at, "console", last, sizeof(last));)
		;
	leads = !named || strcmp(last, "hvc0") == 0;
	log_add_sink(&sink, LOG_REPLAY);
}
