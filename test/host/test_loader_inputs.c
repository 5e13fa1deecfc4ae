/*
 * What the loader takes from the firmware beside memory: its command line and the kernel's inputs, from a firmware that
 * is made here, sound or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "efi/loader.h"
#include "efi/trampoline.h"

#define PIECES 4

/* For tables.c, which is linked too: the page that the loader jumps from. */
const char trampoline_page[4096] __attribute__((aligned(4096)));

/* ---- the firmware ---- */

static struct {
	EFI_SYSTEM_TABLE system;
	EFI_BOOT_SERVICES boot;
	EFI_RUNTIME_SERVICES runtime;
	EFI_LOADED_IMAGE image;
	EFI_CONFIGURATION_TABLE tables[PIECES];
	EFI_GRAPHICS_OUTPUT_PROTOCOL gop;
	EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION mode_info;
	EFI_RNG_PROTOCOL rng;
	bool has_gop, has_rng, has_shell, has_memory, secure;
	EFI_STATUS rng_status;
} firmware;

static struct loader loader;
static char complaint[256];

EFI_STATUS loader_fail(struct loader *l, EFI_STATUS status, const char *format, ...)
{
	va_list args;

	(void)l;
	va_start(args, format);
	vsnprintf(complaint, sizeof(complaint), format, args);
	va_end(args);
	return status;
}

static bool same_guid(const EFI_GUID *a, EFI_GUID b)
{
	return memcmp(a, &b, sizeof(b)) == 0;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *registration, void **ret)
{
	(void)registration;
	if (firmware.has_gop && same_guid(guid, (EFI_GUID)EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID))
		*ret = &firmware.gop;
	else if (firmware.has_rng && same_guid(guid, (EFI_GUID)EFI_RNG_PROTOCOL_GUID))
		*ret = &firmware.rng;
	else
		return EFI_NOT_FOUND;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret)
{
	(void)handle;
	(void)guid;
	*ret = NULL;
	return firmware.has_shell ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE type, UINTN size, void **ret)
{
	(void)type;
	if (!firmware.has_memory)
		return EFI_OUT_OF_RESOURCES;
	*ret = malloc(size);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *block)
{
	free(block);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_variable(CHAR16 *name, EFI_GUID *guid, UINT32 *attributes, UINTN *size, void *value)
{
	(void)name;
	(void)guid;
	(void)attributes;
	*size = 1;
	*(UINT8 *)value = firmware.secure;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_rng(EFI_RNG_PROTOCOL *rng, EFI_RNG_ALGORITHM *algorithm, UINTN size, UINT8 *to)
{
	(void)rng;
	(void)algorithm;
	if (!firmware.rng_status)
		memset(to, 0x5a, size);
	return firmware.rng_status;
}

/* A firmware with a sound framebuffer of 640x480 and memory, and nothing else. */
static int make_firmware(void **state)
{
	(void)state;
	memset(&firmware, 0, sizeof(firmware));
	memset(&loader, 0, sizeof(loader));
	complaint[0] = '\0';
	firmware.system.BootServices = &firmware.boot;
	firmware.system.RuntimeServices = &firmware.runtime;
	firmware.system.ConfigurationTable = firmware.tables;
	firmware.boot.LocateProtocol = locate_protocol;
	firmware.boot.HandleProtocol = handle_protocol;
	firmware.boot.AllocatePool = allocate_pool;
	firmware.boot.FreePool = free_pool;
	firmware.runtime.GetVariable = get_variable;
	firmware.rng.GetRNG = get_rng;
	firmware.has_gop = firmware.has_memory = true;
	firmware.gop.Mode = &firmware.mode;
	firmware.mode.Info = &firmware.mode_info;
	firmware.mode.FrameBufferBase = 0x80000000;
	firmware.mode.FrameBufferSize = 640 * 480 * 4;
	firmware.mode_info = (EFI_GRAPHICS_OUTPUT_MODE_INFORMATION){
		.HorizontalResolution = 640,
		.VerticalResolution = 480,
		.PixelsPerScanLine = 640,
		.PixelFormat = PixelBlueGreenRedReserved8BitPerColor,
	};
	loader.system = &firmware.system;
	loader.boot = &firmware.boot;
	loader.image = &firmware.image;
	return 0;
}

static int end_firmware(void **state)
{
	(void)state;
	loader_free_options(&loader);
	assert_null(loader.options);
	return 0;
}

/* ---- framebuffer ---- */

static const struct boot_framebuffer *read_framebuffer(void)
{
	loader.info = (struct boot_info){ 0 };
	loader_read_inputs(&loader);
	return &loader.info.framebuffer;
}

static void expect_channels(const struct boot_framebuffer *fb, unsigned red, unsigned green, unsigned blue,
			    unsigned bits)
{
	assert_int_equal(fb->pa.raw, 0x80000000);
	assert_int_equal(fb->width, 640);
	assert_int_equal(fb->height, 480);
	assert_int_equal(fb->pitch, 2560);
	assert_int_equal(fb->red_shift, red);
	assert_int_equal(fb->green_shift, green);
	assert_int_equal(fb->blue_shift, blue);
	assert_int_equal(fb->red_bits, bits);
	assert_int_equal(fb->green_bits, bits);
	assert_int_equal(fb->blue_bits, bits);
}

static void framebuffer_formats(void **state)
{
	(void)state;
	expect_channels(read_framebuffer(), 16, 8, 0, 8);
	firmware.mode_info.PixelFormat = PixelRedGreenBlueReserved8BitPerColor;
	expect_channels(read_framebuffer(), 0, 8, 16, 8);
	firmware.mode_info.PixelFormat = PixelBitMask;
	firmware.mode_info.PixelInformation = (EFI_PIXEL_BITMASK){ 0x3ff00000, 0xffc00, 0x3ff, 0xc0000000 };
	expect_channels(read_framebuffer(), 20, 10, 0, 10);
	firmware.mode_info.PixelFormat = PixelBltOnly;
	assert_int_equal(read_framebuffer()->pa.raw, 0);
	firmware.has_gop = false;
	assert_int_equal(read_framebuffer()->pa.raw, 0);
}

static void unsound_channels(void **state)
{
	static const EFI_PIXEL_BITMASK masks[] = {
		{ 0, 0xff00, 0xff, 0 },         /* no red */
		{ 0xff0000, 0xff00, 0, 0 },     /* no blue */
		{ 0xf0f000, 0xf00, 0xff, 0 },   /* red in two pieces */
		{ 0xff0000, 0x1ff00, 0xff, 0 }, /* green in red */
		{ 0xff0000, 0xff00, 0x1ff, 0 }, /* blue in green */
	};

	(void)state;
	firmware.mode_info.PixelFormat = PixelBitMask;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		firmware.mode_info.PixelInformation = masks[i];
		assert_int_equal(read_framebuffer()->pa.raw, 0);
		assert_int_equal(read_framebuffer()->width, 0);
	}
}

static void framebuffer_that_does_not_fit(void **state)
{
	(void)state;
	firmware.mode.FrameBufferSize--;
	assert_int_equal(read_framebuffer()->pa.raw, 0);
	firmware.mode.FrameBufferSize++;
	assert_int_not_equal(read_framebuffer()->pa.raw, 0);
	firmware.mode_info.PixelsPerScanLine = 639;
	assert_int_equal(read_framebuffer()->pa.raw, 0);
	firmware.mode_info.PixelsPerScanLine = 640;
	firmware.mode_info.VerticalResolution = 0;
	assert_int_equal(read_framebuffer()->pa.raw, 0);
	firmware.mode_info.VerticalResolution = 480;
	firmware.mode.FrameBufferBase = 1ULL << 52;
	assert_int_equal(read_framebuffer()->pa.raw, 0);
	firmware.mode.FrameBufferBase = 0;
	assert_int_equal(read_framebuffer()->pa.raw, 0);
}

/* ---- tables and entropy ---- */

static void add_table(EFI_GUID guid, uintptr_t at)
{
	firmware.tables[firmware.system.NumberOfTableEntries++] = (EFI_CONFIGURATION_TABLE){ guid, (void *)at };
}

static void newer_tables_win(void **state)
{
	(void)state;
	add_table((EFI_GUID)ACPI_20_TABLE_GUID, 0x2000);
	add_table((EFI_GUID)ACPI_TABLE_GUID, 0x1000);
	add_table((EFI_GUID)SMBIOS_TABLE_GUID, 0x3000);
	add_table((EFI_GUID)SMBIOS3_TABLE_GUID, 0x4000);
	loader_read_inputs(&loader);
	assert_int_equal(loader.info.rsdp.raw, 0x2000);
	assert_int_equal(loader.info.smbios.raw, 0x4000);
	assert_int_equal(loader.info.smbios_major, 3);
}

static void older_tables_do(void **state)
{
	(void)state;
	add_table((EFI_GUID)ACPI_TABLE_GUID, 0x1000);
	add_table((EFI_GUID)SMBIOS_TABLE_GUID, 0x3000);
	loader_read_inputs(&loader);
	assert_int_equal(loader.info.rsdp.raw, 0x1000);
	assert_int_equal(loader.info.smbios.raw, 0x3000);
	assert_int_equal(loader.info.smbios_major, 2);
}

static void entropy_may_be_absent(void **state)
{
	(void)state;
	loader_read_inputs(&loader);
	assert_int_equal(loader.info.seed_size, 0);
	firmware.has_rng = true;
	firmware.rng_status = EFI_DEVICE_ERROR;
	loader_read_inputs(&loader);
	assert_int_equal(loader.info.seed_size, 0);
	firmware.rng_status = EFI_SUCCESS;
	loader_read_inputs(&loader);
	assert_int_equal(loader.info.seed_size, sizeof(loader.info.seed));
	assert_int_equal(loader.info.seed[0], 0x5a);
}

/* ---- the command line ---- */

static const struct blob section = { (const uint8_t *)"from the section", 16 };

/* Read the options anew, from `units` units of UTF-16. */
static EFI_STATUS read_options(const CHAR16 *options, size_t bytes)
{
	EFI_STATUS status;

	loader_free_options(&loader);
	loader.info = (struct boot_info){ 0 };
	loader.cmdline = section;
	firmware.image.LoadOptions = (void *)options;
	firmware.image.LoadOptionsSize = (UINT32)bytes;
	status = loader_read_options(&loader);
	return status ? status : loader_read_cmdline(&loader);
}

static void expect_cmdline(const char *expected, uint64_t flags)
{
	uint64_t size;
	const char *text = loader_cmdline(&loader, &size);

	assert_int_equal(size, strlen(expected));
	assert_memory_equal(text, expected, size);
	assert_int_equal(loader.info.flags, flags);
}

#define EXPECT_OPTIONS(options, expected, flags)                                       \
	do {                                                                           \
		assert_int_equal(read_options(options, sizeof(options)), EFI_SUCCESS); \
		expect_cmdline(expected, flags);                                       \
	} while (0)

static void options_that_are_text(void **state)
{
	(void)state;
	EXPECT_OPTIONS(L"quiet init=none", "quiet init=none", BOOT_OPTIONS);
	assert_false(loader.talk);
	EXPECT_OPTIONS(L"loglevel=7", "loglevel=7", BOOT_OPTIONS);
	assert_true(loader.talk);
	/* Without a NUL at the end. */
	assert_int_equal(read_options(L"quiet", 4), EFI_SUCCESS);
	expect_cmdline("qu", BOOT_OPTIONS);
}

static void options_that_are_not(void **state)
{
	(void)state;
	assert_int_equal(read_options(NULL, 0), EFI_SUCCESS);
	expect_cmdline("from the section", 0);
	EXPECT_OPTIONS(L"", "from the section", 0);
	EXPECT_OPTIONS(L"  \r\n", "from the section", 0);
	EXPECT_OPTIONS(L"a\x01", "from the section", BOOT_OPTIONS_BINARY);
	EXPECT_OPTIONS(L"\u4e00z", "from the section", BOOT_OPTIONS_BINARY);
	EXPECT_OPTIONS(L"root=/dev/sdb3 init=/sbin/init rootwait ro", "from the section", BOOT_OPTIONS_FOREIGN);
	/* PXE: the name of the file that was fetched. */
	EXPECT_OPTIONS(L"/efi/BOOTX64.EFI", "from the section", 0);
	EXPECT_OPTIONS(L"BOOTX64.EFI quiet", "BOOTX64.EFI quiet", BOOT_OPTIONS);
}

static void options_from_the_shell(void **state)
{
	(void)state;
	firmware.has_shell = true;
	EXPECT_OPTIONS(L"BOOTX64.EFI  quiet", "quiet", BOOT_OPTIONS);
	EXPECT_OPTIONS(L"\"FS0:\\my dir\\BOOTX64.EFI\" quiet", "quiet", BOOT_OPTIONS);
	EXPECT_OPTIONS(L"BOOTX64.EFI", "from the section", 0);
	/* As many letters as the name and its blank have. */
	EXPECT_OPTIONS(L"BOOTX64.EFI console=tty0", "console=tty0", BOOT_OPTIONS);
}

/* A device path of two file nodes and an end: they are one path. */
static void options_after_the_files_name(void **state)
{
	static const uint16_t path[] = { 0x0404, 4 + 10, '\\', 'E', 'F', 'I', '\\', 0x0404, 4 + 24, 'm',    'y', ' ',
					 'k',    'e',    'r',  'n', 'e', 'l', '.',  'x',    0,      0xff7f, 4 };
	static const uint16_t endless[] = { 0x0404, 0 };

	(void)state;
	firmware.image.FilePath = (EFI_DEVICE_PATH *)path;
	EXPECT_OPTIONS(L"my kernel.x", "from the section", 0);
	EXPECT_OPTIONS(L"my kernel.x?mac=1", "from the section", 0);
	EXPECT_OPTIONS(L"/efi/MY KERNEL.X  quiet init=none", "quiet init=none", BOOT_OPTIONS);
	EXPECT_OPTIONS(L"my kernel.xyz", "my kernel.xyz", BOOT_OPTIONS);
	firmware.image.FilePath = (EFI_DEVICE_PATH *)endless;
	EXPECT_OPTIONS(L"my kernel.x", "my kernel.x", BOOT_OPTIONS);
}

static void sections_of_text(void **state)
{
	static const struct {
		const char *section, *expected;
		uint64_t flags;
	} cases[] = {
		{ "\xef\xbb\xbfquiet", "quiet", 0 },
		{ "\xef\xbb", "\xef\xbb", 0 },
		{ "quiet\r\n", "quiet", 0 },
		{ "a\tb\nc", "a\tb\nc", 0 },
		{ "a\x01"
		  "b",
		  "", BOOT_CMDLINE_BINARY },
		{ "a\x7f", "", BOOT_CMDLINE_BINARY },
		{ "n\xc3\xa4me", "n\xc3\xa4me", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		loader.info = (struct boot_info){ 0 };
		loader.cmdline = (struct blob){ (const uint8_t *)cases[i].section, strlen(cases[i].section) };
		assert_int_equal(loader_read_cmdline(&loader), EFI_SUCCESS);
		expect_cmdline(cases[i].expected, cases[i].flags);
	}
	/* What follows a NUL is not looked at. */
	loader.info = (struct boot_info){ 0 };
	loader.cmdline = (struct blob){ (const uint8_t *)"quiet\0\x01", 7 };
	assert_int_equal(loader_read_cmdline(&loader), EFI_SUCCESS);
	expect_cmdline("quiet", 0);
}

static void options_under_secure_boot(void **state)
{
	(void)state;
	firmware.secure = true;
	EXPECT_OPTIONS(L"init=none", "from the section", BOOT_SECURE);
	EXPECT_OPTIONS(L"a\x01", "from the section", BOOT_SECURE);
	EXPECT_OPTIONS(L"BOOTX64.EFI", "from the section", 0);
	EXPECT_OPTIONS(L"", "from the section", 0);
}

static void options_that_are_refused(void **state)
{
	static CHAR16 much[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(much) / sizeof(much[0]); i++)
		much[i] = 'x';
	assert_int_equal(read_options(much, sizeof(much)), EFI_LOAD_ERROR);
	assert_string_equal(complaint, "command line longer than 4095 bytes: LoadOptions of 10000 bytes");
	firmware.has_memory = false;
	assert_int_equal(read_options(L"quiet", 10), EFI_OUT_OF_RESOURCES);
	assert_string_equal(complaint, "no memory for the command line, 4096 bytes");
	loader.cmdline.size = 4096;
	assert_int_equal(loader_read_cmdline(&loader), EFI_LOAD_ERROR);
	assert_string_equal(complaint, ".cmdline longer than 4095 bytes: 4096");
}

static void options_that_choose_a_profile(void **state)
{
	(void)state;
	EXPECT_OPTIONS(L"@2", "from the section", 0);
	assert_int_equal(loader.profile, 2);
	EXPECT_OPTIONS(L"@13  quiet", "quiet", BOOT_OPTIONS);
	assert_int_equal(loader.profile, 13);
	loader.profile = 0;
	EXPECT_OPTIONS(L"@12345", "@12345", BOOT_OPTIONS);
	EXPECT_OPTIONS(L"@", "@", BOOT_OPTIONS);
	EXPECT_OPTIONS(L"@1x", "@1x", BOOT_OPTIONS);
	EXPECT_OPTIONS(L"quiet @1", "quiet @1", BOOT_OPTIONS);
	assert_int_equal(loader.profile, 0);
	/* A signature covers each profile, so one may be chosen, but no words. */
	firmware.secure = true;
	EXPECT_OPTIONS(L"@1 quiet", "from the section", BOOT_SECURE);
	assert_int_equal(loader.profile, 1);
}

/* ---- sections ---- */

struct section {
	const char *name;
	uint32_t address, size;
};

/* The headers of a PE file with these sections; all that they have is virtual. */
static EFI_STATUS find_sections(const struct section *sections, size_t count)
{
	static uint8_t pe[0x10000];
	uint16_t half = (uint16_t)count;
	uint32_t start = 64;

	memset(pe, 0, sizeof(pe));
	memcpy(pe, "MZ", 2);
	memcpy(pe + 0x3c, &start, 4);
	memcpy(pe + 64, "PE\0\0", 4);
	memcpy(pe + 64 + 6, &half, 2);
	for (size_t i = 0; i < count; i++) {
		uint8_t *at = pe + 64 + 24 + 40 * i;

		memcpy(at, sections[i].name, strlen(sections[i].name));
		memcpy(at + 8, &sections[i].size, 4);
		memcpy(at + 12, &sections[i].address, 4);
	}
	firmware.image.ImageBase = pe;
	firmware.image.ImageSize = sizeof(pe);
	loader.kernel = loader.initrd = loader.cmdline = (struct blob){ NULL, 0 };
	return loader_find_sections(&loader);
}

#define FIND(...) \
	find_sections((const struct section[]){ __VA_ARGS__ }, sizeof((const struct section[]){ __VA_ARGS__ }) / 16)

_Static_assert(sizeof(struct section) == 16, "FIND counts them");

static void sections_that_are_found(void **state)
{
	(void)state;
	assert_int_equal(FIND({ ".text", 0x1000, 0x800 }, { ".cmdline", 0x2000, 16 }, { ".kernel", 0x3000, 0x2000 }),
			 0);
	assert_int_equal(loader.kernel.size, 0x2000);
	assert_int_equal(loader.cmdline.size, 16);
	assert_null(loader.initrd.data);
	/* In any order, and neighbours without a gap. */
	assert_int_equal(FIND({ ".kernel", 0x3000, 0x2000 }, { ".initrd", 0x2000, 0x1000 }, { ".text", 0x5000, 1 }), 0);
	assert_int_equal(FIND({ ".text", 0x1000, 1 }), EFI_NOT_FOUND);
	assert_int_equal(FIND({ ".kernel", 0xf000, 0x1001 }), EFI_LOAD_ERROR);
	assert_int_equal(FIND({ ".kernel", 0x1000, 1 }, { ".kernel", 0x2000, 1 }), EFI_LOAD_ERROR);
	assert_string_equal(complaint, "section .kernel is there twice");
}

static void sections_of_a_profile(void **state)
{
	(void)state;
	for (loader.profile = 0; loader.profile < 3; loader.profile++) {
		EFI_STATUS status =
			FIND({ ".kernel", 0x1000, 10 }, { ".cmdline", 0x2000, 1 }, { ".profile", 0x3000, 1 },
			     { ".cmdline", 0x4000, 2 }, { ".profile", 0x5000, 1 }, { ".initrd", 0x6000, 3 });

		assert_int_equal(status, loader.profile < 2 ? EFI_SUCCESS : EFI_NOT_FOUND);
		if (EFI_ERROR(status))
			break;
		assert_int_equal(loader.kernel.size, 10);
		assert_int_equal(loader.cmdline.size, loader.profile ? 1 : 2);
		assert_int_equal(loader.initrd.size, loader.profile ? 3 : 0);
	}
	assert_string_equal(complaint, "profile @2: this file has 2, and counts from 0");
	/* A section may be there once in the base and once in a profile; two in one profile are an error. */
	loader.profile = 0;
	assert_int_equal(FIND({ ".kernel", 0x1000, 10 }, { ".profile", 0x3000, 1 }, { ".cmdline", 0x4000, 2 },
			      { ".cmdline", 0x5000, 2 }),
			 EFI_LOAD_ERROR);
	assert_string_equal(complaint, "section .cmdline is there twice");
}

static void sections_that_overlap(void **state)
{
	(void)state;
	assert_int_equal(FIND({ ".cmdline", 0x2000, 0x1001 }, { ".kernel", 0x3000, 0x2000 }), EFI_LOAD_ERROR);
	assert_string_equal(complaint, "sections .cmdline and .kernel overlap at 0x3000");
	assert_int_equal(FIND({ ".kernel", 0x3000, 0x2000 }, { ".text", 0x1000, 1 }, { ".initrd", 0x2000, 0x1001 }),
			 EFI_LOAD_ERROR);
	assert_string_equal(complaint, "sections .kernel and .initrd overlap at 0x3000");
	assert_int_equal(FIND({ ".kernel", 0x3000, 0x2000 }, { ".text", 0x4000, 1 }), EFI_LOAD_ERROR);
	assert_string_equal(complaint, "sections .kernel and .text overlap at 0x4000");
	assert_int_equal(FIND({ ".a", 0x1000, UINT32_MAX }, { ".kernel", 0x3000, 1 }), EFI_LOAD_ERROR);
	assert_string_equal(complaint, "sections .a and .kernel overlap at 0x3000");
}

/* ---- time to read ---- */

static struct {
	SIMPLE_INPUT_INTERFACE in;
	unsigned pending, created, closed, waits, events, answer; /* keys, and what was called how often */
	uint64_t time;
} console;

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY notify, void *ctx, EFI_EVENT *ret)
{
	(void)level, (void)notify, (void)ctx;
	assert_int_equal(type, EVT_TIMER);
	console.created++;
	*ret = &console.time;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event)
{
	assert_ptr_equal(event, &console.time);
	console.closed++;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_timer(EFI_EVENT event, EFI_TIMER_DELAY type, UINT64 time)
{
	assert_ptr_equal(event, &console.time);
	assert_int_equal(type, TimerRelative);
	console.time = time;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI wait_for_event(UINTN count, EFI_EVENT *events, UINTN *ret)
{
	assert_ptr_equal(events[0], &console.time);
	assert_true(count == 1 || events[1] == &console.in);
	assert_int_equal(console.pending, 0);
	console.waits++;
	console.events = (unsigned)count;
	console.pending = console.answer;
	*ret = console.answer;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_key(SIMPLE_INPUT_INTERFACE *in, EFI_INPUT_KEY *key)
{
	(void)in, (void)key;
	if (!console.pending)
		return EFI_NOT_READY;
	console.pending--;
	return EFI_SUCCESS;
}

static void let_read(unsigned pending, unsigned answer)
{
	memset(&console, 0, sizeof(console));
	console.pending = pending;
	console.answer = answer;
	console.in = (SIMPLE_INPUT_INTERFACE){ .ReadKeyStroke = read_key, .WaitForKey = &console.in };
	firmware.boot.CreateEvent = create_event;
	firmware.boot.CloseEvent = close_event;
	firmware.boot.SetTimer = set_timer;
	firmware.boot.WaitForEvent = wait_for_event;
	loader_let_read(&loader);
	assert_int_equal(console.created, console.closed);
}

static void a_failure_can_be_read(void **state)
{
	(void)state;
	firmware.system.ConIn = &console.in;
	/* Keys that were typed before are none; the one that ends the wait is taken, and not left to the boot manager. */
	for (unsigned answer = 0; answer < 2; answer++) {
		let_read(3, answer);
		assert_int_equal(console.waits, 1);
		assert_int_equal(console.events, 2);
		assert_int_equal(console.time, 3 * 10000000);
		assert_int_equal(console.pending, 0);
	}
	firmware.system.ConIn = NULL;
	let_read(0, 0);
	assert_int_equal(console.waits, 1);
	assert_int_equal(console.events, 1);
	firmware.has_shell = true;
	let_read(0, 0);
	assert_int_equal(console.waits, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make_firmware, end_firmware)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(framebuffer_formats),       TEST(unsound_channels),         TEST(framebuffer_that_does_not_fit),
		TEST(newer_tables_win),          TEST(older_tables_do),          TEST(entropy_may_be_absent),
		TEST(options_that_are_text),     TEST(options_that_are_not),     TEST(options_from_the_shell),
		TEST(options_under_secure_boot), TEST(options_that_are_refused), TEST(options_after_the_files_name),
		TEST(sections_of_text),          TEST(sections_that_are_found),  TEST(sections_that_overlap),
		TEST(a_failure_can_be_read),     TEST(sections_of_a_profile),    TEST(options_that_choose_a_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
