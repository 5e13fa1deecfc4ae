/*
 * The US keyboard in scan code set 1 (IBM, "PS/2 Hardware Interface Technical Reference", keyboard scan codes).
 * Owns the meaning of keys and the state of shift, control and the locks; touches no hardware.
 */
#include "kernel/dev/keymap.h"

#define RELEASED 0x80

enum scan_code {
	KEY_CONTROL = 0x1d,
	KEY_LEFT_SHIFT = 0x2a,
	KEY_SLASH = 0x35,
	KEY_RIGHT_SHIFT = 0x36,
	KEY_CAPS_LOCK = 0x3a,
	KEY_NUMBER_LOCK = 0x45,
	KEY_KEYPAD_FIRST = 0x47,
	KEY_KEYPAD_LAST = 0x53,
	PREFIX_EXTENDED = 0xe0,
	PREFIX_PAUSE = 0xe1,
	PAUSE_REST = 5, /* codes that follow PREFIX_PAUSE */
};

/* By code, from 0. \033 is Escape, \177 Backspace; \0: no character of its own. */
#define PLAIN_KEYS "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 "
#define SHIFT_KEYS "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 "

static const char plain_keys[] = PLAIN_KEYS;
static const char shift_keys[] = SHIFT_KEYS;

_Static_assert(sizeof(PLAIN_KEYS) == sizeof(SHIFT_KEYS), "both layers have the same keys");
_Static_assert(sizeof(PLAIN_KEYS) == 0x3a + 1, "the last key is Space, 0x39");

/* The keypad, 0x47 to 0x53, with number lock and as what is printed below the digits. */
static const char keypad_digits[] = "789-456+1230.";
static const char keypad_sequences[][4] = {
	"H", "A", "5~", "", "D", "", "C", "", "F", "B", "6~", "2~", "3~",
};

static size_t sequence(const char *end, char ret_bytes[KEYMAP_BYTES])
{
	size_t count = 2;

	ret_bytes[0] = '\033';
	ret_bytes[1] = '[';
	while (*end != '\0')
		ret_bytes[count++] = *end++;
	return count > 2 ? count : 0;
}

static void toggle(bool *lock, bool *held, bool down)
{
	if (down && !*held)
		*lock = !*lock;
	*held = down;
}

/* Shift, control and the locks. Returns false when the key is none of them. */
static bool modifier(struct keymap *keymap, uint8_t key, bool down, bool extended)
{
	switch (key) {
	case KEY_CONTROL:
		*(extended ? &keymap->right_control : &keymap->left_control) = down;
		return true;
	case KEY_LEFT_SHIFT:
	case KEY_RIGHT_SHIFT:
		/* Behind 0xe0 these are no keys: the keyboard wraps them around arrows to undo number lock. */
		if (!extended)
			*(key == KEY_LEFT_SHIFT ? &keymap->left_shift : &keymap->right_shift) = down;
		return true;
	case KEY_CAPS_LOCK:
		toggle(&keymap->caps_lock, &keymap->caps_down, down);
		return true;
	case KEY_NUMBER_LOCK:
		toggle(&keymap->number_lock, &keymap->number_down, down);
		return true;
	default:
		return false;
	}
}

static size_t keypad(const struct keymap *keymap, uint8_t key, bool extended, char ret_bytes[KEYMAP_BYTES])
{
	char digit = keypad_digits[key - KEY_KEYPAD_FIRST];

	if (!extended && (keymap->number_lock || digit == '-' || digit == '+')) {
		ret_bytes[0] = digit;
		return 1;
	}
	return sequence(keypad_sequences[key - KEY_KEYPAD_FIRST], ret_bytes);
}

static char character(const struct keymap *keymap, uint8_t key)
{
	bool shift = keymap->left_shift || keymap->right_shift;
	char c = plain_keys[key];

	if (c >= 'a' && c <= 'z')
		shift ^= keymap->caps_lock;
	if (shift)
		c = shift_keys[key];
	if (keymap->left_control || keymap->right_control)
		c = c >= '@' && c < '\177' ? c & 0x1f : c; /* as terminals do: Ctrl-C is 3 */
	return c;
}

size_t keymap_feed(struct keymap *keymap, uint8_t code, char ret_bytes[KEYMAP_BYTES])
{
	uint8_t key = code & ~RELEASED;
	bool extended = keymap->extended;

	if (keymap->skip != 0) {
		keymap->skip--;
		return 0;
	}
	if (code == PREFIX_PAUSE) {
		keymap->skip = PAUSE_REST;
		return 0;
	}
	keymap->extended = code == PREFIX_EXTENDED;
	if (keymap->extended || modifier(keymap, key, !(code & RELEASED), extended) || (code & RELEASED))
		return 0;
	if (key >= KEY_KEYPAD_FIRST && key <= KEY_KEYPAD_LAST)
		return keypad(keymap, key, extended, ret_bytes);
	/* Of the extended keys below the keypad only its Enter and '/' make characters. */
	if (key >= sizeof(plain_keys) - 1 || (extended && key != KEY_SLASH && plain_keys[key] != '\r'))
		return 0;
	ret_bytes[0] = extended ? plain_keys[key] : character(keymap, key);
	return ret_bytes[0] != '\0';
}
