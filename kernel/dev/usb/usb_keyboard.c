/*
 * Serves USB keyboards in boot protocol: turns reports into scan codes, repeats a key that is held, and sets the LEDs
 * of Caps Lock and Num Lock, which all keyboards share.
 */
#include "kernel/dev/usb/usb_device.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"

/* Requests to the interface (HID 1.11, "Class-Specific Requests"). */
#define TYPE_INTERFACE 0x21
#define SET_REPORT     9
#define SET_IDLE       10
#define SET_PROTOCOL   11
#define REPORT_OUTPUT  (2 << 8)
#define PROTOCOL_BOOT  0

/* How long a key is held until it repeats, and the time between repeats: the defaults of PS/2 keyboards. */
#define REPEAT_FIRST_NS (500 * 1000 * 1000ULL)
#define REPEAT_NS       (92 * 1000 * 1000ULL)

#define LEDS_UNKNOWN 0xff

uint8_t usb_leds; /* guard: usb_lock */

/* Pass scan codes to the layers above, which say what LEDs are to be on. The caller holds usb_lock. */
static void pass_on(const uint8_t *codes, size_t count)
{
	uint8_t leds;

	if (!count)
		return;
	leds = usb_host->keys(codes, count);
	if (leds != usb_leds) {
		usb_leds = leds;
		usb_wake();
	}
}

/* Pass on the code of the key that is held once more. The timer calls this with interrupts off. */
static void repeat(struct timer *timer)
{
	struct usb_device *device = (struct usb_device *)((char *)timer - offsetof(struct usb_device, repeat));
	uint64_t flags = lock_take(&usb_lock);
	uint8_t codes[HID_CODES];
	size_t count = hid_keys_repeat(&device->keys, codes);

	pass_on(codes, count);
	if (count)
		timer_start(timer, time_add(clock_monotonic_ns(), REPEAT_NS));
	lock_release(&usb_lock, flags);
}

void usb_keyboard_take(struct usb_device *device, const uint8_t *bytes, size_t size)
{
	uint8_t codes[HID_CODES], before = device->keys.last;

	pass_on(codes, hid_keys_report(&device->keys, bytes, size, codes));
	if (!device->keys.last)
		(void)timer_cancel(&device->repeat);
	else if (device->keys.last != before)
		timer_start(&device->repeat, time_add(clock_monotonic_ns(), REPEAT_FIRST_NS));
}

void usb_keyboard_end(struct usb_device *device)
{
	uint8_t codes[HID_CODES];

	(void)timer_cancel(&device->repeat);
	pass_on(codes, hid_keys_release(&device->keys, codes));
}

static bool request(struct usb_device *device, uint8_t which, uint16_t value, uint16_t size)
{
	return usb_control(device, (struct usb_request){ .type = TYPE_INTERFACE,
							 .request = which,
							 .value = value,
							 .index = device->configuration.interface,
							 .size = size }) >= 0;
}

bool usb_keyboard_start(struct usb_device *device)
{
	uint64_t flags;

	device->repeat.fire = repeat;
	device->leds = LEDS_UNKNOWN;
	if (!usb_device_configure(device) || !request(device, SET_PROTOCOL, PROTOCOL_BOOT, 0))
		return false;
	/* Ask for reports only when something changes. Many keyboards refuse, which does no harm. */
	(void)request(device, SET_IDLE, 0, 0);
	flags = lock_take(&usb_lock);
	usb_ask(device);
	lock_release(&usb_lock, flags);
	return true;
}

void usb_keyboard_look(struct usb_device *device)
{
	uint8_t leds = __atomic_load_n(&usb_leds, __ATOMIC_RELAXED);

	if (leds == device->leds)
		return;
	/* Note the LEDs as set even before asking: a keyboard that refuses has no LEDs, and is not asked again. */
	device->leds = leds;
	*(uint8_t *)device->buffer.bytes = leds;
	(void)request(device, SET_REPORT, REPORT_OUTPUT, 1);
}
