/*
 * Stores and looks up what keys stand for, by Linux's values: a type in the upper byte, or a Unicode character.
 */
#include "kernel/dev/keyboard_layout.h"

#define TABLES_OF_LINUX 256
#define NO_KEY          0x200  /* K_HOLE: the key gives nothing */
#define UNICODE         0xf000 /* a value of at least 0x1000 is a Unicode character, XOR this */
#define ALTGR           0x0701 /* K_ALTGR: the key is AltGr */
#define KEY_RIGHT_ALT   100    /* KEY_RIGHTALT: Linux's number of the right Alt key, whose scan code has a prefix */

enum key_type { TYPE_LATIN = 0, TYPE_DEAD = 5, TYPE_LETTER = 11 };

bool keyboard_layout_set(struct keyboard_layout *layout, unsigned table, unsigned key, uint16_t value)
{
	if (key >= LAYOUT_KEYS || table >= TABLES_OF_LINUX)
		return false;
	if (table >= LAYOUT_TABLES)
		return true;
	layout->values[table][key] = value + 1U;
	return true;
}

bool keyboard_layout_has_altgr(const struct keyboard_layout *layout)
{
	const uint32_t right_alt = layout->values[0][KEY_RIGHT_ALT];

	if (right_alt)
		return right_alt == ALTGR + 1;
	for (unsigned table = LAYOUT_ALTGR; table < LAYOUT_TABLES; table++)
		for (unsigned key = 0; key < LAYOUT_KEYS; key++)
			if (layout->values[table][key] && layout->values[table][key] != NO_KEY + 1)
				return true;
	return false;
}

struct layout_key keyboard_layout_find(const struct keyboard_layout *layout, unsigned table, unsigned key)
{
	/*
	 * The characters of dead keys, in their order in Linux's keyboard.h. A dead key gives its accent as a
	 * character, since accents are not combined with letters here.
	 */
	static const uint16_t accents[] = { '`', 0xb4, '^', '~', 0xa8, 0xb8 };
	struct layout_key result = { 0, false, true };
	uint32_t value = layout->values[table][key], low;

	if (!value)
		return (struct layout_key){ 0, false, false };
	value--;
	low = value & 0xff;
	if (value >= 0x1000) {
		result.character = value ^ UNICODE;
		return result;
	}
	switch (value >> 8) {
	case TYPE_LETTER:
		result.letter = true;
		result.character = low;
		break;
	case TYPE_LATIN:
		result.character = low;
		break;
	case TYPE_DEAD:
		result.character = low < sizeof(accents) / sizeof(accents[0]) ? accents[low] : 0;
		break;
	default:
		/* Function keys, locks and the like are as on a US keyboard. */
		result.known = value == NO_KEY;
		break;
	}
	return result;
}
