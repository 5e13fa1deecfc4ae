/*
 * What USB devices say: descriptors, keyboards' reports; and the rings of xHCI controllers. Sound ones, and hostile
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/dev/keymap.h"
#include "kernel/dev/usb/hid_keys.h"
#include "kernel/dev/usb/usb_descriptors.h"
#include "kernel/dev/usb/xhci_ring.h"

/* ---- descriptors ---- */

static const uint8_t device_descriptor[] = { 18, 1, 0, 2, 0, 0, 0, 64, 0x6d, 0x04, 0x1c, 0xc3, 0, 0x64, 1, 2, 0, 1 };

/* A keyboard with a second interface for its media keys, as many are. */
static const uint8_t keyboard[] = {
	9, 2, 59,   0, 2, 1, 0,   0xa0, 50,                                      /* configuration 1 */
	9, 4, 0,    0, 1, 3, 1,   1,    0,  9, 0x21, 0x10, 1, 0, 1, 0x22, 65, 0, /* boot keyboard, its HID descriptor */
	7, 5, 0x81, 3, 8, 0, 10,                                                 /* endpoint 1 in */
	9, 4, 1,    0, 1, 3, 0,   0,    0,  9, 0x21, 0x10, 1, 0, 1, 0x22, 90, 0, /* media keys */
	7, 5, 0x82, 3, 4, 0, 255,
};

static void identities(void **state)
{
	uint8_t bytes[18];
	struct usb_identity id;

	(void)state;
	assert_null(usb_read_identity(device_descriptor, 18, &id));
	assert_int_equal(id.vendor, 0x046d);
	assert_int_equal(id.product, 0xc31c);
	for (size_t size = 0; size < 18; size++)
		assert_string_equal(usb_read_identity(device_descriptor, size, &id),
				    "a device descriptor that is too short");
	memcpy(bytes, device_descriptor, 18);
	bytes[1] = 2;
	assert_string_equal(usb_read_identity(bytes, 18, &id), "another descriptor instead of the device's");
	bytes[1] = 1;
	bytes[17] = 0;
	assert_string_equal(usb_read_identity(bytes, 18, &id), "no configuration");
}

static struct usb_configuration read_configuration(const uint8_t *bytes, size_t size)
{
	struct usb_configuration c;

	assert_null(usb_read_configuration(bytes, size, &c));
	return c;
}

static void keyboards(void **state)
{
	struct usb_configuration c = read_configuration(keyboard, sizeof(keyboard));
	uint8_t bytes[sizeof(keyboard)];

	(void)state;
	assert_int_equal(sizeof(keyboard), 59);
	assert_int_equal(c.kind, USB_KEYBOARD);
	assert_int_equal(c.value, 1);
	assert_int_equal(c.interface, 0);
	assert_int_equal(c.in.number, 1);
	assert_int_equal(c.in.packet, 8);
	assert_int_equal(c.in.interval, 10);
	/* No boot protocol: a game pad, say. */
	memcpy(bytes, keyboard, sizeof(bytes));
	bytes[15] = 0;
	assert_int_equal(read_configuration(bytes, sizeof(bytes)).kind, USB_OTHER_KEYS);
	/* A boot mouse. */
	bytes[15] = 1;
	bytes[16] = 2;
	assert_int_equal(read_configuration(bytes, sizeof(bytes)).kind, USB_OTHER_KEYS);
	/* Another setting of an interface does not count: it would have to be selected. */
	bytes[16] = 1;
	bytes[12] = 1;
	assert_int_equal(read_configuration(bytes, sizeof(bytes)).kind, USB_OTHER_KEYS);
	/* The keyboard comes second. */
	bytes[12] = 0;
	bytes[16] = 2;
	bytes[40] = bytes[41] = 1;
	c = read_configuration(bytes, sizeof(bytes));
	assert_int_equal(c.kind, USB_KEYBOARD);
	assert_int_equal(c.interface, 1);
	assert_int_equal(c.in.number, 2);
	assert_int_equal(c.in.packet, 4);
}

static void hubs(void **state)
{
	static const uint8_t hub[] = { 9, 2, 25, 0, 1, 1, 0, 0xe0, 0, 9, 4, 0,  0,
				       1, 9, 0,  0, 0, 7, 5, 0x81, 3, 1, 0, 255 };
	uint8_t descriptor[] = { 9, 0x29, 4, 0, 0, 50, 0, 0, 0xff };
	unsigned ports = 0;

	(void)state;
	assert_int_equal(read_configuration(hub, sizeof(hub)).kind, USB_KIND_HUB);
	assert_null(usb_read_hub(descriptor, 9, &ports));
	assert_int_equal(ports, 4);
	assert_string_equal(usb_read_hub(descriptor, 6, &ports), "a hub descriptor that is too short");
	descriptor[2] = 0;
	assert_string_equal(usb_read_hub(descriptor, 9, &ports), "a hub without ports");
}

static void hostile_configurations(void **state)
{
	uint8_t bytes[sizeof(keyboard)];
	struct usb_configuration c;

	(void)state;
	/* Cut off anywhere: what is whole counts. */
	for (size_t size = 0; size < sizeof(keyboard); size++) {
		uint8_t *cut = malloc(size + 1);

		memcpy(cut, keyboard, size);
		if (size < 9)
			assert_non_null(usb_read_configuration(cut, size, &c));
		else
			assert_int_equal(read_configuration(cut, size).kind, size >= 34 ? USB_KEYBOARD : USB_NOTHING);
		free(cut);
	}
	memcpy(bytes, keyboard, sizeof(bytes));
	/* A descriptor of length 0 would be read for ever. */
	bytes[18] = 0;
	assert_string_equal(usb_read_configuration(bytes, sizeof(bytes), &c), "a descriptor of length 0 or 1");
	memcpy(bytes, keyboard, sizeof(bytes));
	/* An endpoint in front of all interfaces, and ones that make no sense. */
	bytes[10] = 5;
	assert_int_equal(read_configuration(bytes, 34).kind, USB_NOTHING);
	bytes[10] = 4;
	for (int i = 0; i < 4; i++) {
		static const struct {
			uint8_t at, value;
		} bad[] = { { 29, 0x01 }, { 29, 0x80 }, { 30, 2 }, { 31, 0 } };

		memcpy(bytes, keyboard, sizeof(bytes));
		bytes[bad[i].at] = bad[i].value;
		assert_int_not_equal(read_configuration(bytes, 34).kind, USB_KEYBOARD);
	}
}

/* ---- reports ---- */

static struct hid_keys keys;
static struct keymap keymap;
static char typed[256];

/* What a terminal gets for these codes. */
static void feed(const uint8_t *codes, size_t count)
{
	size_t size = strlen(typed);

	assert_true(count <= HID_CODES);
	for (size_t i = 0; i < count; i++)
		size += keymap_feed(&keymap, codes[i], typed + size);
	typed[size] = '\0';
}

static void report(uint8_t modifiers, const char *usages)
{
	uint8_t bytes[HID_REPORT] = { modifiers }, codes[HID_CODES];

	memcpy(bytes + 2, usages, strlen(usages));
	feed(codes, hid_keys_report(&keys, bytes, sizeof(bytes), codes));
}

static int begin(void **state)
{
	(void)state;
	keys = (struct hid_keys){ 0 };
	keymap = (struct keymap){ .extended = false };
	typed[0] = '\0';
	return 0;
}

static void characters(void **state)
{
	(void)state;
	for (char usage = 4; usage <= 0x38; usage++) {
		report(0, (char[]){ usage, 0 });
		report(0, "");
	}
	assert_string_equal(typed, "abcdefghijklmnopqrstuvwxyz1234567890\r\033\177\t -=[]\\\\;'`,./");
	typed[0] = '\0';
	for (char usage = 4; usage <= 0x38; usage++) {
		report(usage & 1 ? 0x02 : 0x20, (char[]){ usage, 0 }); /* left and right Shift */
		report(0, "");
	}
	assert_string_equal(typed, "ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()\r\033\177\033[Z _+{}||:\"~<>?");
}

static void keys_with_sequences(void **state)
{
	(void)state;
	for (char usage = 0x3a; usage <= 0x65; usage++) {
		report(0, (char[]){ usage, 0 });
		report(0, "");
		if (usage == 0x45)
			assert_string_equal(typed, "\033OP\033OQ\033OR\033OS\033[15~\033[17~\033[18~\033[19~\033[20~"
						   "\033[21~\033[23~\033[24~");
		if (usage == 0x48)
			typed[0] = '\0';
		if (usage == 0x52)
			assert_string_equal(typed, "\033[2~\033[H\033[5~\033[3~\033[F\033[6~\033[C\033[D\033[B\033[A");
		if (usage == 0x53)
			typed[0] = '\0';
	}
	/* Num Lock, 0x53, is on since. */
	assert_true(keymap.number_lock);
	assert_string_equal(typed, "/*-+\r1234567890.");
}

static void several_keys_at_once(void **state)
{
	(void)state;
	report(0, "\x04");
	report(0, "\x04\x05");
	report(0, "\x05\x04\x06"); /* the order in a report means nothing */
	assert_string_equal(typed, "abc");
	report(1, "\x06"); /* Control stays down */
	report(1, "\x06\x04");
	assert_string_equal(typed, "abc\001");
	report(0, "");
	report(0, "\x04\x04\x04"); /* one key, named three times */
	assert_string_equal(typed, "abc\001a");
	/* More keys than a report can tell: nothing changes, none is let go. */
	report(0, "\x01\x01\x01\x01\x01\x01");
	report(0, "\x04");
	assert_string_equal(typed, "abc\001a");
	/* The longest report there is: all modifiers and keys change. */
	report(0xff, "\x49\x4a\x4b\x4c\x4d\x4e");
	report(0, "\x4f\x50\x51\x52\x58\x54");
}

static void keys_that_repeat(void **state)
{
	uint8_t codes[HID_CODES];

	(void)state;
	assert_int_equal(hid_keys_repeat(&keys, codes), 0);
	report(0, "\x04");
	report(0, "\x04\x4f"); /* Right, whose code has a prefix */
	assert_int_equal(hid_keys_repeat(&keys, codes), 2);
	assert_int_equal(codes[0], 0xe0);
	assert_int_equal(codes[1], 0x4d);
	/* A modifier repeats no key and stops none; a key that is let go does, even if another is down. */
	report(2, "\x04\x4f");
	assert_int_equal(hid_keys_repeat(&keys, codes), 2);
	report(0, "\x04");
	assert_int_equal(hid_keys_repeat(&keys, codes), 0);
}

/* A keyboard that is pulled out lets go of its keys. */
static void keys_are_released(void **state)
{
	uint8_t codes[HID_CODES];

	(void)state;
	report(0x22, "\x04\x05");
	assert_true(keymap.left_shift && keymap.right_shift);
	feed(codes, hid_keys_release(&keys, codes));
	assert_false(keymap.left_shift || keymap.right_shift);
	assert_int_equal(hid_keys_release(&keys, codes), 0);
	assert_int_equal(hid_keys_repeat(&keys, codes), 0);
}

static void short_reports(void **state)
{
	static const uint8_t bytes[HID_REPORT] = { 2, 0, 4, 5, 6, 7, 8, 9 };
	uint8_t codes[HID_CODES];

	(void)state;
	for (size_t size = 0; size < 3; size++)
		assert_int_equal(hid_keys_report(&keys, bytes, size, codes), 0);
	assert_int_equal(hid_keys_report(&keys, bytes, 3, codes), 2);
	assert_int_equal(hid_keys_report(&keys, bytes, 4, codes), 1);
	assert_int_equal(hid_keys_report(&keys, bytes, sizeof(bytes), codes), 4);
}

/* ---- rings ---- */

#define RING_AT 0x1234567000ULL

static struct dma_page page(void)
{
	return (struct dma_page){ { RING_AT }, calloc(1, PAGE_SIZE) };
}

/* The other side of a ring: a controller that reads entries by their cycle bit, and follows the link. */
struct reader {
	const struct xhci_trb *entries;
	unsigned next;
	bool cycle;
};

static bool reader_take(struct reader *reader, struct xhci_trb *ret)
{
	*ret = reader->entries[reader->next];
	if ((ret->control & TRB_CYCLE) != reader->cycle)
		return false;
	reader->next++;
	if ((ret->control >> 10 & 0x3f) == TRB_LINK) {
		assert_int_equal(ret->parameter, RING_AT);
		assert_true(ret->control & TRB_TOGGLE);
		assert_int_equal(reader->next, XHCI_RING);
		reader->next = 0;
		reader->cycle = !reader->cycle;
		return reader_take(reader, ret);
	}
	return true;
}

static void rings_go_round(void **state)
{
	struct xhci_ring ring;
	struct reader reader;
	struct xhci_trb trb;
	uint64_t sent = 0, seen = 0;

	(void)state;
	xhci_ring_init(&ring, page());
	reader = (struct reader){ ring.page.bytes, 0, true };
	assert_int_equal(xhci_ring_place(&ring), RING_AT | 1);
	assert_false(reader_take(&reader, &trb));
	/* Batches of each size, so that the link is met with each distance between writer and reader. */
	for (unsigned batch = 1; batch < XHCI_RING - 1; batch++) {
		for (unsigned i = 0; i < batch; i++) {
			uint64_t place = xhci_ring_place(&ring);

			assert_int_equal(xhci_ring_put(&ring, sent++, 7, TRB_TYPE(TRB_NORMAL)).raw, place & ~1ULL);
		}
		while (reader_take(&reader, &trb)) {
			assert_int_equal(trb.parameter, seen++);
			assert_int_equal(trb.status, 7);
		}
		assert_int_equal(seen, sent);
	}
	free(ring.page.bytes);
}

static void events_go_round(void **state)
{
	struct xhci_events events;
	struct xhci_event event;
	struct xhci_trb *entries;
	unsigned next = 0, cycle = 1;

	(void)state;
	xhci_events_init(&events, page());
	entries = events.page.bytes;
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(xhci_events_place(&events).raw, RING_AT + 16 * next);
		assert_false(xhci_events_take(&events, &event));
		entries[next] = (struct xhci_trb){ i, XHCI_SHORT_PACKET << 24 | 0x123456,
						   TRB_TYPE(TRB_TRANSFER_EVENT) | 0xab1d0000 | cycle };
		assert_true(xhci_events_take(&events, &event));
		assert_int_equal(event.type, TRB_TRANSFER_EVENT);
		assert_int_equal(event.code, XHCI_SHORT_PACKET);
		assert_int_equal(event.slot, 0xab);
		assert_int_equal(event.endpoint, 0x1d);
		assert_int_equal(event.left, 0x123456);
		assert_int_equal(event.trb, i);
		if (++next == XHCI_RING) {
			next = 0;
			cycle ^= 1;
		}
	}
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities),
		cmocka_unit_test(keyboards),
		cmocka_unit_test(hubs),
		cmocka_unit_test(hostile_configurations),
		cmocka_unit_test_setup(characters, begin),
		cmocka_unit_test_setup(keys_with_sequences, begin),
		cmocka_unit_test_setup(several_keys_at_once, begin),
		cmocka_unit_test_setup(keys_that_repeat, begin),
		cmocka_unit_test_setup(keys_are_released, begin),
		cmocka_unit_test_setup(short_reports, begin),
		cmocka_unit_test(rings_go_round),
		cmocka_unit_test(events_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
