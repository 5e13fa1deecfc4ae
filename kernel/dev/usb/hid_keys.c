/*
 * Turns reports of USB keyboards into scan codes; see hid_keys.h. Keys have the numbers of the HID Usage Tables,
 * "Keyboard/Keypad Page".
 */
#include "kernel/dev/usb/hid_keys.h"

#include "kernel/lib/string.h"

#define REPORT_LEAST 3 /* modifiers, the reserved byte, and a key */
#define ROLL_OVER    1 /* what a report has in place of each key when more keys are down than it can name */
#define FIRST_KEY    4 /* the first number that stands for a key */

#define PREFIX   0xe0
#define RELEASED 0x80
/* Bit 8 of an entry below: the code comes behind the prefix. */
#define E(code) (0x100 | (code))

/* Scan codes by usage, from 4 on; 0: no code. */
/* clang-format off */
static const uint16_t codes[] = {
	/* 0x04: A to Z */
	0x1e, 0x30, 0x2e, 0x20, 0x12, 0x21, 0x22, 0x23, 0x17, 0x24, 0x25, 0x26, 0x32,
	0x31, 0x18, 0x19, 0x10, 0x13, 0x1f, 0x14, 0x16, 0x2f, 0x11, 0x2d, 0x15, 0x2c,
	/* 0x1e: 1 to 9, 0 */
	0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
	/*
	 * 0x28: Enter, Escape, Backspace, Tab, Space, -, =, [, ], \, the \ beside Enter, ;, ', `, comma, full stop, /
	 */
	0x1c, 0x01, 0x0e, 0x0f, 0x39, 0x0c, 0x0d, 0x1a, 0x1b, 0x2b, 0x2b, 0x27, 0x28, 0x29, 0x33, 0x34, 0x35,
	/* 0x39: Caps Lock, F1 to F12 */
	0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x44, 0x57, 0x58,
	/*
	 * 0x46: Print Screen, Scroll Lock, Pause (which gives no code), Insert, Home, Page Up, Delete, End, Page Down
	 */
	E(0x37), 0x46, 0, E(0x52), E(0x47), E(0x49), E(0x53), E(0x4f), E(0x51),
	/* 0x4f: Right, Left, Down, Up, Num Lock */
	E(0x4d), E(0x4b), E(0x50), E(0x48), 0x45,
	/* 0x54: of the keypad /, *, -, +, Enter, 1 to 9, 0, full stop */
	E(0x35), 0x37, 0x4a, 0x4e, E(0x1c), 0x4f, 0x50, 0x51, 0x4b, 0x4c, 0x4d, 0x47, 0x48, 0x49, 0x52, 0x53,
	/* 0x64: the key between Shift and Z, the menu key */
	0x56, E(0x5d),
};
/* clang-format on */

_Static_assert(sizeof(codes) / sizeof(codes[0]) == 0x66 - FIRST_KEY, "one code for each usage up to 0x65");

/* The modifiers by their bits: left Control, Shift, Alt and the logo, then the right ones. */
static const uint16_t modifier_codes[8] = { 0x1d, 0x2a, 0x38, E(0x5b), E(0x1d), 0x36, E(0x38), E(0x5c) };

static size_t put(uint16_t code, uint8_t released, uint8_t *to)
{
	size_t count = 0;

	if (!code)
		return 0;
	if (code & 0x100)
		to[count++] = PREFIX;
	to[count++] = (uint8_t)(code & 0xff) | released;
	return count;
}

static uint16_t code_of(uint8_t usage)
{
	return usage >= FIRST_KEY && usage - FIRST_KEY < (int)(sizeof(codes) / sizeof(codes[0]))
		       ? codes[usage - FIRST_KEY]
		       : 0;
}

static bool has(const uint8_t keys[6], uint8_t usage)
{
	for (int i = 0; i < 6; i++)
		if (keys[i] == usage)
			return true;
	return false;
}

/*
 * Set which keys are down, write the codes of those that have changed to `ret`, and return how many codes there are.
 * Keys that were released come first.
 */
static size_t change(struct hid_keys *keys, uint8_t modifiers, const uint8_t down[6], uint8_t *ret)
{
	uint8_t differ = keys->modifiers ^ modifiers;
	size_t count = 0;

	for (int i = 0; i < 6; i++) {
		uint8_t usage = keys->keys[i];

		if (!usage || has(down, usage))
			continue;
		count += put(code_of(usage), RELEASED, ret + count);
		if (usage == keys->last)
			keys->last = 0;
	}
	for (int i = 0; i < 8; i++)
		if (differ >> i & 1)
			count += put(modifier_codes[i], modifiers >> i & 1 ? 0 : RELEASED, ret + count);
	for (int i = 0; i < 6; i++) {
		if (!down[i] || has(keys->keys, down[i]))
			continue;
		count += put(code_of(down[i]), 0, ret + count);
		keys->last = down[i];
	}
	keys->modifiers = modifiers;
	memcpy(keys->keys, down, 6);
	return count;
}

size_t hid_keys_report(struct hid_keys *keys, const uint8_t *report, size_t size, uint8_t ret[HID_CODES])
{
	uint8_t down[6] = { 0 };

	if (size < REPORT_LEAST)
		return 0;
	for (size_t i = 2, n = 0; i < size && i < HID_REPORT; i++) {
		if (report[i] == ROLL_OVER)
			return 0;
		/* Take a key that is named twice once: otherwise it would be pressed twice. */
		if (report[i] >= FIRST_KEY && !has(down, report[i]))
			down[n++] = report[i];
	}
	return change(keys, report[0], down, ret);
}

size_t hid_keys_repeat(const struct hid_keys *keys, uint8_t ret[HID_CODES])
{
	return put(code_of(keys->last), 0, ret);
}

size_t hid_keys_release(struct hid_keys *keys, uint8_t ret[HID_CODES])
{
	static const uint8_t none[6];

	return change(keys, 0, none, ret);
}
