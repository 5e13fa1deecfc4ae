/*
 * The keyboard: the meaning of scan codes, and the driver against a model of the controller. The driver's source is
 * compiled into this file with its port accesses turned to the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/cpu.h"
#include "kernel/sync/lock.h"

static uint8_t model_in(uint16_t port);
static void model_out(uint16_t port, uint8_t value);

static uint64_t model_take(struct lock *lock);
static void model_release(struct lock *lock, uint64_t flags);

#define cpu_in8  model_in
#define cpu_out8 model_out
#undef lock_take
#define lock_take    model_take
#define lock_release model_release
#include "kernel/dev/keyboard.c"
#undef cpu_in8
#undef cpu_out8
#undef lock_take
#undef lock_release

/* ---- scan codes ---- */

static struct keymap fresh;

/* These codes, from a keyboard at rest, make this text. */
static void expect_text(const char *codes, size_t count, const char *expected)
{
	struct keymap keys = fresh;
	char text[128] = "";

	for (size_t i = 0; i < count; i++) {
		char bytes[KEYMAP_BYTES];
		size_t made = keymap_feed(&keys, codes[i], bytes);

		assert_true(made <= KEYMAP_BYTES);
		strncat(text, bytes, made);
	}
	assert_string_equal(text, expected);
}

#define EXPECT(codes, text) expect_text(codes, sizeof(codes) - 1, text)

static void rows_of_keys(void **state)
{
	(void)state;
	EXPECT("\x02\x82\x03\x0b\x0c\x0d", "120-=");
	EXPECT("\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b", "qwertyuiop[]");
	EXPECT("\x1e\x1f\x20\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2b", "asdfghjkl;'`\\");
	EXPECT("\x2c\x2d\x2e\x2f\x30\x31\x32\x33\x34\x35\x39", "zxcvbnm,./ ");
	EXPECT("\x01\x0e\x0f\x1c", "\033\177\t\r");
	/* The key next to the left Shift of other layouts, and codes without a key. */
	EXPECT("\x56\x7f\x54\x46", "");
}

static void shift_control_and_locks(void **state)
{
	(void)state;
	EXPECT("\x2a\x1e\xaa\x1e", "Aa");
	EXPECT("\x36\x02\x28\x2b\xb6\x02", "!\"|1");
	EXPECT("\x2a\x36\xaa\x1e\xb6\x1e", "Aa"); /* both shifts, one let go */
	EXPECT("\x3a\xba\x1e\x02\x2a\x1e\x02\xaa\x3a\xba\x1e", "A1a!a");
	EXPECT("\x3a\x3a\x3a\x3a\xba\x1e", "A"); /* Caps Lock held down */
	EXPECT("\x1d\x2e\x9d\x2e", "\003c");
	EXPECT("\xe0\x1d\x16\xe0\x9d\x16", "\025u");
	EXPECT("\x1d\x02\x1c\x9d", "1\r"); /* no control character of that name */
}

static void arrows_and_keypad(void **state)
{
	(void)state;
	EXPECT("\xe0\x48\xe0\xc8\xe0\x50\xe0\x4d\xe0\x4b", "\033[A\033[B\033[C\033[D");
	EXPECT("\xe0\x47\xe0\x4f\xe0\x53\xe0\x49\xe0\x51\xe0\x52", "\033[H\033[F\033[3~\033[5~\033[6~\033[2~");
	EXPECT("\x48\x4a\x4e\x37\x4c", "\033[A-+*");
	EXPECT("\x45\xc5\x48\x4c\x53\x45\xc5\x48", "85.\033[A");
	EXPECT("\x45\xc5\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa\x1e", "\033[Aa"); /* number lock's false shifts */
	EXPECT("\xe0\x1c\xe0\x35\x2a\xe0\x35", "\r//");
	EXPECT("\xe0\x38\xe0\xb8\xe0\x5b\xe0\xdb\xe0\x5d\xe0\x37", ""); /* Alt alone, logo keys, PrintScreen */
	EXPECT("\xe1\x1d\x45\xe1\x9d\xc5\x1e\x48", "a\033[A");          /* Pause is neither Control nor Num Lock */
}

static void function_keys_and_modifiers(void **state)
{
	(void)state;
	EXPECT("\x3b\x3c\x3d\x3e", "\033OP\033OQ\033OR\033OS");
	EXPECT("\x3f\x40\x41\x42\x43\x44\x57\x58", "\033[15~\033[17~\033[18~\033[19~\033[20~\033[21~\033[23~\033[24~");
	EXPECT("\x2a\x3b\x3f\xaa\x3b", "\033[1;2P\033[15;2~\033OP");
	EXPECT("\x1d\xe0\x4d\xe0\xcd\xe0\x53\x9d\xe0\x4d", "\033[1;5C\033[3;5~\033[C");
	EXPECT("\x1d\x38\x2a\x58", "\033[24;8~"); /* the longest there is */
	EXPECT("\x38\xe0\x48\xb8\xe0\x48", "\033[1;3A\033[A");
	EXPECT("\x0f\x2a\x0f\xaa", "\t\033[Z");
}

static void alt_and_control(void **state)
{
	(void)state;
	EXPECT("\x38\x30\xb8\x30", "\033bb");
	EXPECT("\xe0\x38\x21\xe0\xb8\x21", "\033ff"); /* the right one too */
	EXPECT("\x38\x2a\x30\xaa\x0e\x1c\x01", "\033B\033\177\033\r\033\033");
	EXPECT("\x1d\x38\x2e", "\033\003");
	EXPECT("\x1d\x04\x05\x06\x07\x08\x09\x0a", "\033\034\035\036\037\1779");
	EXPECT("\x1d\x1a\x2b\x1b\x35\x0e", "\033\034\035\037\b");
	for (const char *codes = "\x39\x03\x29"; *codes; codes++) {
		struct keymap keys = { .left_control = true };
		char bytes[KEYMAP_BYTES] = "x";

		/* Control and space, 2 or `: the character that C's strings cannot hold. */
		assert_int_equal(keymap_feed(&keys, *codes, bytes), 1);
		assert_int_equal(bytes[0], '\0');
	}
}

static void programs_choose_what_arrows_send(void **state)
{
	struct keymap keys = { .application = true };
	char bytes[KEYMAP_BYTES + 1] = "";

	(void)state;
	assert_int_equal(keymap_feed(&keys, 0x48, bytes), 3);
	assert_string_equal(bytes, "\033OA");
	assert_int_equal(keymap_feed(&keys, 0x4f, bytes), 3);
	assert_string_equal(bytes, "\033OF");
	assert_int_equal(keymap_feed(&keys, 0x49, bytes), 4);
	assert_string_equal(bytes, "\033[5~");
	keys.left_shift = true;
	assert_int_equal(keymap_feed(&keys, 0x48, bytes), 6);
	assert_string_equal(bytes, "\033[1;2A");
}

static void any_codes_are_survived(void **state)
{
	struct keymap keys = fresh;
	unsigned int seed = 7;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char bytes[KEYMAP_BYTES];

		seed = seed * 1103515245 + 12345;
		assert_true(keymap_feed(&keys, seed >> 16, bytes) <= KEYMAP_BYTES);
	}
}

/* ---- the controller ---- */

static struct model {
	bool absent, silent; /* silent: takes commands, answers none */
	bool no_keyboard;
	uint8_t config;
	uint8_t command; /* that waits for its byte */
	bool keyboard_off, mouse_off;
	bool handler;     /* there is one for IRQ 1 */
	uint64_t guarded; /* depth: it does not come */
	const char *late; /* codes of keys pressed whenever the keyboard may send */
	struct {
		uint8_t byte, status;
	} output[64];
	size_t output_read, output_count;
	uint8_t to_keyboard[8];
	size_t to_keyboard_count;
	uint64_t accesses;
} model;

static uint64_t model_take(struct lock *lock)
{
	assert_ptr_equal(lock, &keyboard_lock);
	return model.guarded++;
}

static void model_release(struct lock *lock, uint64_t flags)
{
	assert_ptr_equal(lock, &keyboard_lock);
	assert_int_equal(--model.guarded, flags);
}

static void model_output(uint8_t byte, uint8_t status)
{
	/* The handler takes it, whatever it is. */
	if (model.handler && model.config & 1 && !model.guarded)
		return;
	model.output[model.output_count].byte = byte;
	model.output[model.output_count++].status = status;
}

static uint8_t model_in(uint16_t port)
{
	bool full = model.output_read < model.output_count;

	model.accesses++;
	assert_true(port == 0x60 || port == 0x64);
	if (model.absent)
		return 0xff;
	if (port == 0x64)
		return full ? 0x01 | model.output[model.output_read].status : 0;
	return full ? model.output[model.output_read++].byte : 0;
}

static void model_command(uint8_t value)
{
	if (value == 0x20 && model.late && !model.keyboard_off)
		model_output(*model.late, 0);
	if (value == 0x20 && !model.silent)
		model_output(model.config, 0);
	else if (value == 0x60)
		model.command = value;
	else if (value == 0xa7)
		model.mouse_off = true;
	else if (value == 0xad || value == 0xae)
		model.keyboard_off = value == 0xad;
}

static void model_out(uint16_t port, uint8_t value)
{
	model.accesses++;
	assert_true(port == 0x60 || port == 0x64);
	if (model.absent)
		return;
	if (port == 0x64) {
		model_command(value);
	} else if (model.command == 0x60) {
		model.config = value;
		model.command = 0;
	} else {
		model.to_keyboard[model.to_keyboard_count++] = value;
		if (!model.no_keyboard)
			model_output(0xfa, 0);
	}
}

static void power_on(struct model machine)
{
	model = machine;
	present = false;
	streak = 0;
	keymap = fresh;
	typed_count = typed_read = 0;
	keyboard_init();
}

static void type(const char *codes, uint8_t status)
{
	while (*codes != '\0')
		model_output(*codes++, status);
}

static void expect_typed(const char *text)
{
	for (; *text != '\0'; text++)
		assert_int_equal(keyboard_read(), *text);
	assert_int_equal(keyboard_read(), -1);
}

static void the_controller_is_set_up(void **state)
{
	(void)state;
	power_on((struct model){ .config = 0x33, .output = { { 0x1e, 0 }, { 0x08, 0x20 } }, .output_count = 2 });
	assert_true(keyboard_present());
	assert_int_equal(model.config, 0x60); /* translation on, mouse clock as it was, no interrupts */
	assert_false(model.keyboard_off);
	assert_true(model.mouse_off);
	assert_int_equal(model.to_keyboard_count, 2);
	assert_memory_equal(model.to_keyboard, "\xf6\xf4", 2);
	expect_typed(""); /* what waited before belongs to the firmware */
}

static void keys_are_read_and_mouse_bytes_are_not(void **state)
{
	(void)state;
	power_on((struct model){ 0 });
	type("\x23\xa3", 0);
	type("\x1e\x1e\x1e", 0x20);
	type("\x1e", 0x80); /* parity error */
	type("\xe0\x48\xe0\xc8\x17", 0);
	expect_typed("h\033[Ai");
	type("\x1c", 0);
	expect_typed("\r");
}

/* A full keyboard may have lost the release of Shift: it does not stick. A held Shift before that is Shift. */
static void no_shift_sticks(void **state)
{
	(void)state;
	power_on((struct model){ 0 });
	type("\x2a", 0);
	expect_typed("");
	type("\x1e", 0);
	expect_typed("A");
	type("\x2a\x1e\x9e\x1e\x9e\x1e\x9e\x1e\x9e\x1e\x9e\x1e\x9e\x1e\x9e\x1e", 0);
	expect_typed("AAAAAAAA");
	type("\x1e", 0);
	expect_typed("a");
}

static void no_controller_is_no_harm(void **state)
{
	(void)state;
	power_on((struct model){ .absent = true });
	assert_false(keyboard_present());
	assert_int_equal(model.accesses, 1);
	assert_int_equal(keyboard_read(), -1);
	assert_int_equal(model.accesses, 1);
	power_on((struct model){ .silent = true });
	assert_false(keyboard_present());
	assert_in_range(model.accesses, MOST_LOOKS, MOST_LOOKS + 100);
	assert_int_equal(keyboard_read(), -1);
}

static void interrupts_go_on_and_off(void **state)
{
	(void)state;
	power_on((struct model){ .config = 0x33 });
	model.handler = true;
	model.late = "\x9c"; /* Enter is let go */
	keyboard_interrupts_on();
	assert_int_equal(model.config, 0x61);
	assert_false(model.keyboard_off);
	type("\x1e", 0);
	keyboard_interrupts_off();
	assert_int_equal(model.config, 0x60);
	assert_false(model.keyboard_off);
	type("\x26\x1f", 0);
	expect_typed("ls");
}

/* What keyboard and controller hold back, 16 codes, is not lost when interrupts are turned on or off meanwhile. */
static void ten_thousand_keys_come_whole(void **state)
{
	static char expected[2 * 10000 + 1], got[sizeof(expected)];
	static const char *const chords[] = { "\x2a\x1e\x9e\xaa", "\x30\xb0", "\x36\x2e\xb6\xae", "\x20\xa0" };
	unsigned int seed = 3;
	size_t count = 0;
	int byte;

	(void)state;
	power_on((struct model){ .config = 0x33 });
	for (int i = 0; i < 10000; i++) {
		unsigned which = (seed = seed * 1103515245 + 12345) >> 16;

		type(chords[which % 4], 0);
		expected[i] = "AbCd"[which % 4];
		if (which / 4 % 8 == 0)
			keyboard_interrupts_on();
		else if (which / 4 % 8 == 1)
			keyboard_interrupts_off();
		if (model.output_count - model.output_read < 12 && which / 32 % 2)
			continue;
		while ((byte = keyboard_read()) >= 0)
			got[count++] = (char)byte;
		model.output_read = model.output_count = 0;
	}
	while ((byte = keyboard_read()) >= 0)
		got[count++] = (char)byte;
	assert_string_equal(got, expected);
}

/* A code that says that some were lost, or one that is damaged: no Shift sticks, and Caps Lock stays as it was. */
static void lost_codes_let_keys_go(void **state)
{
	(void)state;
	EXPECT("\x3a\xba\x2a\x1e\xff\x1e\x02", "aA1");
	EXPECT("\x1d\x38\xe0\xff\x1e", "a");
	power_on((struct model){ 0 });
	type("\x2a\x1e", 0);
	type("\xaa", 0x80);
	type("\x1e", 0);
	expect_typed("Aa");
}

static void a_keyboard_may_come_later(void **state)
{
	(void)state;
	power_on((struct model){ .no_keyboard = true });
	assert_true(keyboard_present());
	assert_true(model.accesses < 2 * MOST_LOOKS);
	expect_typed("");
	type("\xaa\x26\x1f", 0); /* self-test passed; keys */
	expect_typed("ls");
}

/* The bytes that a key sends, as a text. */
static void expect_key(struct keymap *keys, uint8_t key, const char *text)
{
	char bytes[KEYMAP_BYTES];
	size_t count = keymap_feed(keys, key, bytes);

	assert_int_equal(count, strlen(text));
	assert_memory_equal(bytes, text, count);
}

/* Keys of a German keyboard, with the values that loadkmap sets: characters, letters, AltGr, accents, holes. */
static void a_layout_can_be_loaded(void **state)
{
	static struct keyboard_layout german;
	struct keymap keys = { .layout = &german };

	(void)state;
	expect_key(&keys, 0x15, "y");
	assert_true(keyboard_layout_set(&german, 0, 0x15, 0x0b00 | 'z'));
	assert_true(keyboard_layout_set(&german, 1, 0x15, 0x0b00 | 'Z'));
	assert_true(keyboard_layout_set(&german, 0, 0x1a, 0x0bfc));
	assert_true(keyboard_layout_set(&german, 0, 0x10, 0x0b00 | 'q'));
	assert_true(keyboard_layout_set(&german, 2, 0x10, '@'));
	assert_true(keyboard_layout_set(&german, 2, 0x12, 0xf000 ^ 0x20ac));
	assert_true(keyboard_layout_set(&german, 0, 0x0d, 0x0501));
	assert_true(keyboard_layout_set(&german, 0, 0x1b, 0x0200));
	assert_true(keyboard_layout_set(&german, 0, 0x56, '<'));
	assert_true(keyboard_layout_set(&german, 0, 0x1c, 0x0201));
	assert_true(keyboard_layout_set(&german, 4, 0x15, 0x001a));
	assert_false(keyboard_layout_set(&german, 0, 128, 'x'));
	expect_key(&keys, 0x15, "z");
	expect_key(&keys, 0x1a, "\xc3\xbc");
	expect_key(&keys, 0x0d, "\xc2\xb4");
	expect_key(&keys, 0x1b, "");
	expect_key(&keys, 0x56, "<");
	/* Enter is none of a layout's characters, and keys that were not set are as before. */
	expect_key(&keys, 0x1c, "\r");
	expect_key(&keys, 0x1e, "a");
	keys.left_shift = true;
	expect_key(&keys, 0x15, "Z");
	keys.caps_lock = true;
	expect_key(&keys, 0x15, "z");
	keys.left_shift = false;
	expect_key(&keys, 0x15, "Z");
	keys.caps_lock = false;
	keys.left_control = true;
	expect_key(&keys, 0x15, "\032");
	keys.left_control = false;
	keys.right_alt = true;
	expect_key(&keys, 0x10, "@");
	expect_key(&keys, 0x12, "\xe2\x82\xac");
	/* That the right Alt key is AltGr or another Alt is part of a layout: a US one has characters for it as well. */
	assert_true(keyboard_layout_set(&german, 0, 100, 0x0703));
	expect_key(&keys, 0x10, "\033q");
	assert_true(keyboard_layout_set(&german, 0, 100, 0x0701));
	expect_key(&keys, 0x10, "@");
	keys.right_alt = false;
	keys.left_alt = true;
	expect_key(&keys, 0x15, "\033z");
	keymap_release(&keys);
	expect_key(&keys, 0x15, "z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_layout_can_be_loaded),
		cmocka_unit_test(rows_of_keys),
		cmocka_unit_test(shift_control_and_locks),
		cmocka_unit_test(arrows_and_keypad),
		cmocka_unit_test(function_keys_and_modifiers),
		cmocka_unit_test(alt_and_control),
		cmocka_unit_test(programs_choose_what_arrows_send),
		cmocka_unit_test(any_codes_are_survived),
		cmocka_unit_test(the_controller_is_set_up),
		cmocka_unit_test(keys_are_read_and_mouse_bytes_are_not),
		cmocka_unit_test(no_shift_sticks),
		cmocka_unit_test(no_controller_is_no_harm),
		cmocka_unit_test(interrupts_go_on_and_off),
		cmocka_unit_test(ten_thousand_keys_come_whole),
		cmocka_unit_test(lost_codes_let_keys_go),
		cmocka_unit_test(a_keyboard_may_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
