/*
 * Drives the keyboard controller, an 8042 or compatible (IBM, "PS/2 Hardware Interface Technical Reference"), and keeps
 * what was typed but not yet read. keymap.c translates the scan codes. Each wait ends after a limited time.
 */
#include "kernel/dev/keyboard.h"

#include "kernel/arch/cpu.h"
#include "kernel/dev/keyboard_layout.h"
#include "kernel/dev/keymap.h"
#include "kernel/sync/lock.h"

#define DATA    0x60
#define STATUS  0x64 /* when read */
#define COMMAND 0x64 /* when written */

#define STATUS_OUTPUT 0x01 /* a byte waits to be read */
#define STATUS_INPUT  0x02 /* the controller has not yet taken the last byte written */
#define STATUS_MOUSE  0x20 /* the byte that waits comes from the mouse */
#define STATUS_ERRORS 0xc0 /* parity error or time-out: the byte that waits is not data */
#define STATUS_ABSENT 0xff /* what an undriven bus reads as: no controller */

#define COMMAND_READ_CONFIG  0x20
#define COMMAND_WRITE_CONFIG 0x60
#define COMMAND_MOUSE_OFF    0xa7
#define COMMAND_KEYBOARD_OFF 0xad
#define COMMAND_KEYBOARD_ON  0xae

#define CONFIG_INTERRUPTS   0x03 /* the interrupts of keyboard and mouse */
#define CONFIG_KEYBOARD_IRQ 0x01
#define CONFIG_KEYBOARD_OFF 0x10
#define CONFIG_TRANSLATE    0x40 /* translate the keyboard's scan code set 2 to set 1 */

#define KEYBOARD_DEFAULTS 0xf6 /* scan code set 2, usual repeat rate */
#define KEYBOARD_SCAN     0xf4
#define KEYBOARD_ACK      0xfa

/*
 * How many times to read the status before giving up. A read takes about a microsecond on real machines; a keyboard
 * acknowledges within 20 ms.
 */
#define MOST_LOOKS 30000
/*
 * How many codes a keyboard keeps for the kernel before it loses those of further keys, also those of keys that are
 * released. A real keyboard then sends LOST_CODES (keymap.c); an emulator's sends nothing.
 */
#define KEYBOARD_HOLDS 16
/* More bytes than the buffers of controller and keyboard can hold together. */
#define MOST_STALE 32

/*
 * Held while a command is sent to the controller and its answer is read: the answer arrives at the same port as keys.
 */
static struct lock keyboard_lock = LOCK_INITIAL(LOCK_KEYBOARD);

static bool present;                                 /* a controller was found and answers. Fixed after boot */
static struct keyboard_layout layout;                /* guard: keyboard_lock */
static struct keymap keymap = { .layout = &layout }; /* guard: keyboard_lock */
static unsigned streak;                       /* codes taken since the controller had none; guard: keyboard_lock */
static char typed[MOST_STALE * KEYMAP_BYTES]; /* the bytes that keys have produced; guard: keyboard_lock */
static size_t typed_count,
	typed_read; /* how many bytes `typed` holds, and how many of these have been read; guard: keyboard_lock */

/* Wait until the status bits in `mask` equal `value`. Returns false when that takes too long. */
static bool wait_for(uint8_t mask, uint8_t value)
{
	for (uint32_t i = 0; i < MOST_LOOKS; i++) {
		if ((cpu_in8(STATUS) & mask) == value)
			return true;
		cpu_pause();
	}
	return false;
}

static bool put(uint16_t port, uint8_t value)
{
	if (!wait_for(STATUS_INPUT, 0))
		return false;
	cpu_out8(port, value);
	return true;
}

static bool get(uint8_t *ret_value)
{
	if (!wait_for(STATUS_OUTPUT, STATUS_OUTPUT))
		return false;
	*ret_value = cpu_in8(DATA);
	return true;
}

static void drop_stale(void)
{
	for (int i = 0; i < MOST_STALE && (cpu_in8(STATUS) & STATUS_OUTPUT); i++)
		(void)cpu_in8(DATA);
}

static bool controller_init(void)
{
	uint8_t config;

	/* Turn both devices off before asking for the configuration, so that the next byte is the answer. */
	if (!put(COMMAND, COMMAND_KEYBOARD_OFF) || !put(COMMAND, COMMAND_MOUSE_OFF))
		return false;
	drop_stale();
	if (!put(COMMAND, COMMAND_READ_CONFIG) || !get(&config))
		return false;
	config &= ~(CONFIG_INTERRUPTS | CONFIG_KEYBOARD_OFF);
	config |= CONFIG_TRANSLATE;
	return put(COMMAND, COMMAND_WRITE_CONFIG) && put(DATA, config) && put(COMMAND, COMMAND_KEYBOARD_ON);
}

/*
 * Send the keyboard a command. Returns false if no answer comes, which is no error: a keyboard may be plugged in later.
 */
static bool keyboard_command(uint8_t command)
{
	uint8_t answer;

	return put(DATA, command) && get(&answer) && answer == KEYBOARD_ACK;
}

void keyboard_init(void)
{
	if (cpu_in8(STATUS) == STATUS_ABSENT || !controller_init())
		return;
	present = true;
	if (keyboard_command(KEYBOARD_DEFAULTS))
		(void)keyboard_command(KEYBOARD_SCAN);
}

bool keyboard_present(void)
{
	return present;
}

/* Take a byte from the controller, if one waits. Returns whether a byte was taken. */
static bool take_code(void)
{
	uint8_t status = cpu_in8(STATUS), code;

	if (status == STATUS_ABSENT || !(status & STATUS_OUTPUT)) {
		/*
		 * A real keyboard needs a millisecond between two codes. KEYBOARD_HOLDS codes without a pause come from
		 * an emulator's full queue, which may have lost the release of Shift among others: assume that no key
		 * is held.
		 */
		if (streak >= KEYBOARD_HOLDS)
			keymap_release(&keymap);
		streak = 0;
		return false;
	}
	code = cpu_in8(DATA);
	streak++;
	/* The damaged byte may have said that Shift was released: assume that no key is held. */
	if (status & STATUS_ERRORS)
		keymap_release(&keymap);
	else if (!(status & STATUS_MOUSE))
		typed_count += keymap_feed(&keymap, code, typed + typed_count);
	return true;
}

/* Take bytes from the controller until a key has produced something to read. Call when all of `typed` has been read. */
static void poll(void)
{
	typed_count = typed_read = 0;
	for (int i = 0; i < MOST_STALE && typed_count == 0 && take_code(); i++)
		;
}

/*
 * Take the key codes that wait at the controller, so that its next byte is the answer to a command. The bytes that
 * these keys produce are kept for keyboard_read() as long as `typed` has room. keymap sees all codes, so that it knows
 * which keys are held.
 */
static void keep_stale(void)
{
	if (typed_read == typed_count)
		typed_count = typed_read = 0;
	for (int i = 0; i < MOST_STALE && take_code(); i++)
		if (typed_count > sizeof(typed) - KEYMAP_BYTES)
			typed_count = sizeof(typed) - KEYMAP_BYTES;
}

int keyboard_read(void)
{
	uint64_t flags = lock_take(&keyboard_lock);
	int byte = -1;

	if (typed_read == typed_count && present)
		poll();
	if (typed_read < typed_count)
		byte = (uint8_t)typed[typed_read++];
	lock_release(&keyboard_lock, flags);
	return byte;
}

void keyboard_feed(const uint8_t *codes, size_t count)
{
	uint64_t flags = lock_take(&keyboard_lock);
	/* Keep the PS/2 keyboard's state for later, since it may be in the middle of a key of several codes. */
	bool extended = keymap.extended;
	uint8_t skip = keymap.skip;

	keymap.extended = false;
	keymap.skip = 0;
	if (typed_read == typed_count)
		typed_count = typed_read = 0;
	for (size_t i = 0; i < count; i++) {
		typed_count += keymap_feed(&keymap, codes[i], typed + typed_count);
		if (typed_count > sizeof(typed) - KEYMAP_BYTES)
			typed_count = sizeof(typed) - KEYMAP_BYTES;
	}
	keymap.extended = extended;
	keymap.skip = skip;
	lock_release(&keyboard_lock, flags);
}

uint8_t keyboard_leds(void)
{
	return (keymap.number_lock ? 1 : 0) | (keymap.caps_lock ? 2 : 0);
}

bool keyboard_set_key(unsigned table, unsigned key, uint16_t value)
{
	uint64_t flags = lock_take(&keyboard_lock);
	bool exists = keyboard_layout_set(&layout, table, key, value);

	lock_release(&keyboard_lock, flags);
	return exists;
}

void keyboard_set_application(bool on)
{
	keymap.application = on;
}

/*
 * Turn the controller's interrupts on or off. The controller's answer arrives at the same port as keys. So interrupts
 * and keyboard are off meanwhile: otherwise the interrupt handler could read the answer as a key, or this function a
 * key as the answer.
 */
static void set_interrupts(uint8_t wanted)
{
	uint64_t flags;
	uint8_t config;

	if (!present)
		return;
	flags = lock_take(&keyboard_lock);
	if (put(COMMAND, COMMAND_KEYBOARD_OFF)) {
		keep_stale();
		if (put(COMMAND, COMMAND_READ_CONFIG) && get(&config) && put(COMMAND, COMMAND_WRITE_CONFIG))
			(void)put(DATA, (uint8_t)((config & ~(CONFIG_INTERRUPTS | CONFIG_KEYBOARD_OFF)) | wanted));
		(void)put(COMMAND, COMMAND_KEYBOARD_ON);
	}
	lock_release(&keyboard_lock, flags);
}

void keyboard_interrupts_on(void)
{
	set_interrupts(CONFIG_KEYBOARD_IRQ);
}

void keyboard_interrupts_off(void)
{
	set_interrupts(0);
}
