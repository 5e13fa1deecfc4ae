/*
 * The US keyboard in scan code set 1 (IBM, "PS/2 Hardware Interface Technical Reference", keyboard scan codes), and
 * what xterm sends for its keys ("XTerm Control Sequences", PC-style function keys). Tracks Shift, Control, Alt, Caps
 * Lock and Num Lock; touches no hardware.
 */
#include "kernel/dev/keymap.h"

#include "kernel/dev/keyboard_layout.h"
#include "kernel/lib/utf8.h"

#define RELEASED 0x80
#define ESC      '\033'

enum scan_code {
	KEY_TAB = 0x0f,
	KEY_CONTROL = 0x1d,
	KEY_LEFT_SHIFT = 0x2a,
	KEY_SLASH = 0x35,
	KEY_RIGHT_SHIFT = 0x36,
	KEY_ALT = 0x38,
	KEY_CAPS_LOCK = 0x3a,
	KEY_F1 = 0x3b,
	KEY_F10 = 0x44,
	KEY_NUMBER_LOCK = 0x45,
	KEY_KEYPAD_FIRST = 0x47,
	KEY_KEYPAD_LAST = 0x53,
	KEY_F11 = 0x57,
	KEY_F12 = 0x58,
	LOST_CODES = 0xff, /* the keyboard's buffer was full, and codes are lost; 0x00 in the untranslated set */
	PREFIX_EXTENDED = 0xe0,
	PREFIX_PAUSE = 0xe1,
	PAUSE_REST = 5, /* codes that follow PREFIX_PAUSE */
};

/* Characters by scan code, from 0 on. \033 is Escape, \177 Backspace; \0: a key without a character. */
#define PLAIN_KEYS "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 "
#define SHIFT_KEYS "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 "

static const char plain_keys[] = PLAIN_KEYS;
static const char shift_keys[] = SHIFT_KEYS;

_Static_assert(sizeof(PLAIN_KEYS) == sizeof(SHIFT_KEYS), "both layers have the same keys");
_Static_assert(sizeof(PLAIN_KEYS) == 0x3a + 1, "the last key is Space, 0x39");

/* A key that sends a sequence: ESC [ final or, if `final` is 0, ESC [ number ~. Both 0: the key sends nothing. */
struct function_key {
	char final;
	uint8_t number;
	bool single; /* send ESC O final when no modifier is held */
};

/* The keypad's keys, scan codes 0x47 to 0x53: their characters when Num Lock is on, their sequences when it is off. */
static const char keypad_digits[] = "789-456+1230.";
static const struct function_key keypad_keys[] = {
	{ 'H', 0, false }, { 'A', 0, false }, { 0, 5, false }, { 0, 0, false },   { 'D', 0, false },
	{ 0, 0, false },   { 'C', 0, false }, { 0, 0, false }, { 'F', 0, false }, { 'B', 0, false },
	{ 0, 6, false },   { 0, 2, false },   { 0, 3, false },
};

/* The sequences of F1 to F12. */
static const struct function_key function_keys[] = {
	{ 'P', 0, true }, { 'Q', 0, true }, { 'R', 0, true }, { 'S', 0, true }, { 0, 15, false }, { 0, 17, false },
	{ 0, 18, false }, { 0, 19, false }, { 0, 20, false }, { 0, 21, false }, { 0, 23, false }, { 0, 24, false },
};

static bool shift(const struct keymap *keymap)
{
	return keymap->left_shift || keymap->right_shift;
}

static bool control(const struct keymap *keymap)
{
	return keymap->left_control || keymap->right_control;
}

static bool alt(const struct keymap *keymap)
{
	return keymap->left_alt || keymap->right_alt;
}

static size_t put_number(uint8_t number, char *to)
{
	size_t count = 0;

	if (number >= 10)
		to[count++] = (char)('0' + number / 10);
	to[count++] = (char)('0' + number % 10);
	return count;
}

static size_t sequence(const struct keymap *keymap, const struct function_key *key, char ret_bytes[KEYMAP_BYTES])
{
	uint8_t modifiers = (uint8_t)(1 + shift(keymap) + 2 * alt(keymap) + 4 * control(keymap));
	size_t count = 0;

	if (!key->final && !key->number)
		return 0;
	ret_bytes[count++] = ESC;
	if (modifiers == 1 && key->final) {
		ret_bytes[count++] = key->single || keymap->application ? 'O' : '[';
		ret_bytes[count++] = key->final;
		return count;
	}
	ret_bytes[count++] = '[';
	count += put_number(key->final ? 1 : key->number, ret_bytes + count);
	if (modifiers != 1) {
		ret_bytes[count++] = ';';
		count += put_number(modifiers, ret_bytes + count);
	}
	ret_bytes[count++] = key->final ? key->final : '~';
	return count;
}

static void toggle(bool *lock, bool *held, bool down)
{
	if (down && !*held)
		*lock = !*lock;
	*held = down;
}

/* Handle Shift, Control, Alt, Caps Lock and Num Lock. Returns false when the key is none of these. */
static bool modifier(struct keymap *keymap, uint8_t key, bool down, bool extended)
{
	switch (key) {
	case KEY_CONTROL:
		*(extended ? &keymap->right_control : &keymap->left_control) = down;
		return true;
	case KEY_ALT:
		*(extended ? &keymap->right_alt : &keymap->left_alt) = down;
		return true;
	case KEY_LEFT_SHIFT:
	case KEY_RIGHT_SHIFT:
		/*
		 * Shift codes after the prefix 0xe0 do not mean that Shift was pressed: the keyboard sends them around
		 * the codes of arrow keys to cancel Num Lock.
		 */
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

/*
 * Return the character that a key gives while Control is held, as on terminals: Ctrl-C is 3; Control with a digit gives
 * the control characters that belong to no letter.
 */
static char with_control(char c)
{
	static const char digits[] = "\0\033\034\035\036\037\177"; /* for '2' to '8' */

	if (c >= '2' && c <= '8')
		return digits[c - '2'];
	switch (c) {
	case ' ':
		return '\0';
	case '/':
		return '\037';
	case '?':
		return '\177';
	case '\177':
		return '\b';
	default:
		return c >= '@' && c < '\177' ? c & 0x1f : c;
	}
}

static size_t character(const struct keymap *keymap, uint8_t key, bool extended, char ret_bytes[KEYMAP_BYTES])
{
	bool shifted = shift(keymap) && !extended;
	char c = plain_keys[key];
	size_t count = 0;

	if (c >= 'a' && c <= 'z')
		shifted ^= keymap->caps_lock;
	if (shifted)
		c = shift_keys[key];
	if (c == '\0')
		return 0;
	if (control(keymap))
		c = with_control(c);
	if (alt(keymap))
		ret_bytes[count++] = ESC;
	ret_bytes[count++] = c;
	return count;
}

/* Return what the loaded layout, if any, says of a key, with the modifiers that are held. */
static struct layout_key of_layout(const struct keymap *keymap, uint8_t key)
{
	const struct keyboard_layout *layout = keymap->layout;
	struct layout_key found = { 0, false, false };
	unsigned table = shift(keymap) ? LAYOUT_SHIFT : 0;

	if (!layout)
		return found;
	if (keymap->right_alt && keyboard_layout_has_altgr(layout))
		table |= LAYOUT_ALTGR;
	found = keyboard_layout_find(layout, table, key);
	if (found.letter && keymap->caps_lock)
		found = keyboard_layout_find(layout, table ^ LAYOUT_SHIFT, key);
	return found;
}

/* Write the bytes of a character of the loaded layout. */
static size_t layout_character(const struct keymap *keymap, uint32_t c, char ret_bytes[KEYMAP_BYTES])
{
	size_t count = 0;

	if (!c)
		return 0;
	if (control(keymap) && c < 0x80)
		c = (uint8_t)with_control((char)c);
	if (keymap->left_alt || (keymap->right_alt && !keyboard_layout_has_altgr(keymap->layout)))
		ret_bytes[count++] = ESC;
	return count + utf8_put(ret_bytes + count, c);
}

/* Write the bytes that a key sends when it goes down, and return their number. `key` is not a modifier or lock key. */
static size_t press(const struct keymap *keymap, uint8_t key, bool extended, char ret_bytes[KEYMAP_BYTES])
{
	static const struct function_key back_tab = { 'Z', 0, false };
	struct keymap unmodified = { .extended = false };
	struct layout_key loaded;

	if (key >= KEY_KEYPAD_FIRST && key <= KEY_KEYPAD_LAST) {
		char digit = keypad_digits[key - KEY_KEYPAD_FIRST];

		if (extended || !(keymap->number_lock || digit == '-' || digit == '+'))
			return sequence(keymap, &keypad_keys[key - KEY_KEYPAD_FIRST], ret_bytes);
		ret_bytes[0] = digit;
		return 1;
	}
	if (key >= KEY_F1 && key <= KEY_F10)
		return sequence(keymap, &function_keys[key - KEY_F1], ret_bytes);
	if (key == KEY_F11 || key == KEY_F12)
		return sequence(keymap, &function_keys[10 + key - KEY_F11], ret_bytes);
	if (key == KEY_TAB && shift(keymap))
		return sequence(&unmodified, &back_tab, ret_bytes);
	loaded = of_layout(keymap, key);
	if (loaded.known && !extended)
		return layout_character(keymap, loaded.character, ret_bytes);
	/* Of the extended keys whose codes are below the keypad's, only Enter and '/' have characters. */
	if (key >= sizeof(plain_keys) - 1 || (extended && key != KEY_SLASH && plain_keys[key] != '\r'))
		return 0;
	return character(keymap, key, extended, ret_bytes);
}

void keymap_release(struct keymap *keymap)
{
	*keymap = (struct keymap){
		.caps_lock = keymap->caps_lock,
		.number_lock = keymap->number_lock,
		.application = keymap->application,
		.layout = keymap->layout,
	};
}

size_t keymap_feed(struct keymap *keymap, uint8_t code, char ret_bytes[KEYMAP_BYTES])
{
	uint8_t key = code & ~RELEASED;
	bool extended = keymap->extended;

	if (code == LOST_CODES || code == 0) {
		keymap_release(keymap);
		return 0;
	}
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
	return press(keymap, key, extended, ret_bytes);
}
