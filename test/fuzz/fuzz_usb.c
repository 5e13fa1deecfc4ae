/*
 * What a USB device and its controller say: descriptors of any kind, a keyboard's reports, and a ring of events. The
 * first byte tells how much of the input is which.
 */
#include <string.h>

#include "kernel/dev/keymap.h"
#include "kernel/dev/usb/hid_keys.h"
#include "kernel/dev/usb/usb_descriptors.h"
#include "kernel/dev/usb/xhci_ring.h"
#include "test/fuzz/fuzz.h"

static void read_descriptors(const uint8_t *bytes, size_t size)
{
	struct usb_configuration c;
	struct usb_identity id;
	unsigned ports;

	if (!usb_read_identity(bytes, size, &id))
		FUZZ_EXPECT(size >= USB_DEVICE_SIZE && id.configurations);
	if (!usb_read_hub(bytes, size, &ports))
		FUZZ_EXPECT(ports && ports < 256);
	if (usb_read_configuration(bytes, size, &c))
		return;
	FUZZ_EXPECT(c.kind <= USB_KIND_HUB);
	if (c.kind == USB_KEYBOARD || c.kind == USB_KIND_HUB)
		FUZZ_EXPECT(c.in.number && c.in.number < 16 && c.in.packet && c.in.packet <= 1024 && c.in.interval);
}

/* Whatever is reported, and in pieces of whatever size: once all keys are let go, no modifier is down. */
static void read_reports(const uint8_t *bytes, size_t size)
{
	struct keymap keymap = { .extended = false };
	struct hid_keys keys = { 0 };
	uint8_t codes[HID_CODES];
	char typed[KEYMAP_BYTES];
	size_t count;

	while (size) {
		size_t piece = 1 + bytes[0] % 10;

		if (piece > size)
			piece = size;
		count = hid_keys_report(&keys, bytes, piece, codes);
		FUZZ_EXPECT(count <= HID_CODES);
		for (size_t i = 0; i < count; i++)
			(void)keymap_feed(&keymap, codes[i], typed);
		FUZZ_EXPECT(hid_keys_repeat(&keys, codes) <= 2);
		bytes += piece;
		size -= piece;
	}
	count = hid_keys_release(&keys, codes);
	FUZZ_EXPECT(count <= HID_CODES);
	for (size_t i = 0; i < count; i++)
		(void)keymap_feed(&keymap, codes[i], typed);
	FUZZ_EXPECT(!keymap.left_shift && !keymap.right_shift && !keymap.left_control && !keymap.right_control &&
		    !keymap.left_alt && !keymap.right_alt && !keymap.extended);
}

/* A ring never gives more events than it has entries, unless the controller goes on writing. */
static void read_events(const uint8_t *bytes, size_t size)
{
	struct dma_page page = { { 0x10000 }, calloc(1, PAGE_SIZE) };
	struct xhci_events events;
	struct xhci_event event;
	unsigned taken = 0;

	FUZZ_EXPECT(page.bytes);
	memcpy(page.bytes, bytes, size < PAGE_SIZE ? size : PAGE_SIZE);
	xhci_events_init(&events, page);
	while (xhci_events_take(&events, &event)) {
		FUZZ_EXPECT(event.type < 64 && event.endpoint < 32 && event.left < 1 << 24);
		FUZZ_EXPECT(++taken <= 2 * XHCI_RING);
		FUZZ_EXPECT(xhci_events_place(&events).raw - 0x10000 < PAGE_SIZE);
		/* What the ring's other side would be, all at once. */
		if (taken == 2 * XHCI_RING)
			break;
	}
	free(page.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first = size > 2 ? 1 + data[0] % (size - 2) : 0, rest = size - 1 - first;
	uint8_t *copy;

	if (size <= 2)
		return 0;
	copy = fuzz_copy(data + 1, first);
	read_descriptors(copy, first);
	free(copy);
	copy = fuzz_copy(data + 1 + first, rest);
	read_reports(copy, rest);
	read_events(copy, rest);
	free(copy);
	return 0;
}
