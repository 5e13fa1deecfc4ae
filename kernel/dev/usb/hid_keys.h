/*
 * Turns the reports of a USB keyboard in boot protocol (HID 1.11, "Boot Interface Descriptors") into the codes that a
 * PS/2 keyboard sends for the same keys: scan code set 1, which kernel/dev/keymap.h translates.
 */
#pragma once

#include "paging/types.h"

#define HID_REPORT 8 /* bytes of a report: modifiers, a reserved one, up to six keys */

/* Most bytes that one report gives: 8 modifiers, 6 keys released and 6 pressed, each a code with a prefix. */
#define HID_CODES 40

/* The keys of one keyboard that are down; all zero: none is. Guard: that of the structure around it. */
struct hid_keys {
	uint8_t modifiers; /* a bit for each, as the report has them */
	uint8_t keys[6];   /* usages (numbers of keys), 0 for none */
	uint8_t last;      /* the usage that went down last, and repeats while it is down; 0: none repeats */
};

/*
 * Take a report of `size` bytes, write the scan codes of what has changed to `ret`, and return how many there are. A
 * report that is too short, or says that more keys are down than it can name, gives none and changes nothing.
 */
size_t hid_keys_report(struct hid_keys *keys, const uint8_t *report, size_t size, uint8_t ret[HID_CODES]);

/* Write the codes of the key that repeats. Returns their number; 0: none repeats. */
size_t hid_keys_repeat(const struct hid_keys *keys, uint8_t ret[HID_CODES]);

/* Write the codes that release all keys, for a keyboard that is gone. Returns their number. */
size_t hid_keys_release(struct hid_keys *keys, uint8_t ret[HID_CODES]);
