/*
 * Chooses the command line: the firmware's LoadOptions if they are words for AnkeOS and Secure Boot is off, otherwise
 * the .cmdline section. Under Secure Boot LoadOptions are ignored because no signature covers them, while .cmdline is
 * signed. A flag in boot_info records why LoadOptions or .cmdline was ignored, and the kernel logs it. A profile that
 * LoadOptions choose counts under Secure Boot as well: each profile is a signed part of the file.
 */
#include "efi/load_options.h"
#include "efi/loader.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"

#define PATH_MOST 512

static const EFI_GUID global_variable = EFI_GLOBAL_VARIABLE;
static const EFI_GUID shell_parameters = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;

bool loader_secure_boot(struct loader *l)
{
	EFI_GUID guid = global_variable;
	UINT8 value = 0;
	UINTN size = sizeof(value);

	return !EFI_ERROR(FIRMWARE(l, l->system->RuntimeServices->GetVariable(L"SecureBoot", &guid, NULL, &size,
									      &value))) &&
	       value == 1;
}

/* Write the path of the loader's file on its volume to `to`, in UTF-8; "" when the firmware does not say. */
static void own_path(const struct loader *l, char *to, size_t room)
{
	const EFI_DEVICE_PATH *node = l->image->FilePath;
	size_t n = 0;

	to[0] = '\0';
	for (; node && !IsDevicePathEnd(node) && DevicePathNodeLength(node) >= (int)sizeof(*node);
	     node = NextDevicePathNode(node)) {
		size_t bytes = (size_t)DevicePathNodeLength(node) - sizeof(*node);

		if (DevicePathType(node) == MEDIA_DEVICE_PATH && DevicePathSubType(node) == MEDIA_FILEPATH_DP)
			n += options_utf8((const uint8_t *)(node + 1), bytes / sizeof(CHAR16), to + n, room - n);
	}
}

bool loader_in_shell(struct loader *l)
{
	EFI_GUID guid = shell_parameters;
	void *shell;

	return !EFI_ERROR(FIRMWARE(l, l->boot->HandleProtocol(l->handle, &guid, &shell)));
}

/*
 * Put the words of LoadOptions, without the program's name, at the start of l->options. Returns what kind of text they
 * are.
 */
static enum options_kind read_words(struct loader *l)
{
	char path[PATH_MOST];
	const char *words = l->options;
	enum options_kind kind;

	kind = options_to_text(l->image->LoadOptions, l->image->LoadOptionsSize, l->options, OPTIONS_MOST);
	if (kind != OPTIONS_TEXT)
		return kind;
	if (loader_in_shell(l))
		words = options_after_word(words);
	own_path(l, path, sizeof(path));
	words = options_after_profile(options_after_name(words, path), &l->profile);
	/* The words move within the buffer that `words` points into, so *words means nothing after this. */
	memmove(l->options, words, strlen(words) + 1);
	if (!l->options[0])
		return OPTIONS_EMPTY;
	return options_are_foreign(l->options) ? OPTIONS_FOREIGN : OPTIONS_TEXT;
}

/* Make LoadOptions the command line, or set the flag that says why not. */
static EFI_STATUS take_load_options(struct loader *l)
{
	static const uint64_t aside[] = {
		[OPTIONS_BINARY] = BOOT_OPTIONS_BINARY, [OPTIONS_FOREIGN] = BOOT_OPTIONS_FOREIGN
	};
	enum options_kind kind;

	if (EFI_ERROR(FIRMWARE(l, l->boot->AllocatePool(EfiLoaderData, OPTIONS_MOST, (void **)&l->options)))) {
		l->options = NULL;
		return loader_fail(l, EFI_OUT_OF_RESOURCES, "no memory for the command line, %d bytes", OPTIONS_MOST);
	}
	kind = read_words(l);
	if (kind != OPTIONS_EMPTY && loader_secure_boot(l)) {
		l->info.flags |= BOOT_SECURE;
	} else if (kind == OPTIONS_LONG) {
		return loader_fail(l, EFI_LOAD_ERROR, "command line longer than %d bytes: LoadOptions of %u bytes",
				   OPTIONS_MOST - 1, l->image->LoadOptionsSize);
	} else if (kind == OPTIONS_TEXT) {
		l->info.flags |= BOOT_OPTIONS;
		return EFI_SUCCESS;
	} else if (kind != OPTIONS_EMPTY) {
		l->info.flags |= aside[kind];
	}
	loader_free_options(l);
	return EFI_SUCCESS;
}

/*
 * Skip a byte order mark at the start of .cmdline. If .cmdline holds control characters, ignore all of it and set a
 * flag.
 */
static void check_section(struct loader *l)
{
	struct blob *text = &l->cmdline;

	if (text->size >= 3 && text->data[0] == 0xef && text->data[1] == 0xbb && text->data[2] == 0xbf) {
		text->data += 3;
		text->size -= 3;
	}
	for (uint64_t i = 0; i < text->size && text->data[i]; i++) {
		uint8_t c = text->data[i];

		if (c == 0x7f || (c < ' ' && c != '\t' && c != '\n' && c != '\r')) {
			l->info.flags |= BOOT_CMDLINE_BINARY;
			text->size = 0;
		}
	}
}

/* Find what the loader itself wants to know of the command line. */
static void search_words(struct loader *l, const char *text)
{
	char level[4] = "";

	cmdline_get(text, "loglevel", level, sizeof(level));
	l->talk = level[0] >= '7';
	/*
	 * Only search for the letters "initrd=", which is faster than splitting the text into words: initrd.c splits it
	 * if they are found.
	 */
	for (; *text && !l->initrd_named; text++)
		l->initrd_named = *text == 'i' && strncmp(text, "initrd=", 7) == 0;
}

EFI_STATUS loader_read_options(struct loader *l)
{
	return l->image->LoadOptions && l->image->LoadOptionsSize ? take_load_options(l) : EFI_SUCCESS;
}

EFI_STATUS loader_read_cmdline(struct loader *l)
{
	if (l->cmdline.size >= OPTIONS_MOST)
		return loader_fail(l, EFI_LOAD_ERROR, ".cmdline longer than %d bytes: %llu", OPTIONS_MOST - 1,
				   (unsigned long long)l->cmdline.size);
	check_section(l);
	/* The bytes of .cmdline need not end with NUL, so a copy is searched. */
	if (l->options) {
		search_words(l, l->options);
	} else if (l->cmdline.size) {
		char copy[OPTIONS_MOST];

		memcpy(copy, l->cmdline.data, l->cmdline.size);
		copy[l->cmdline.size] = '\0';
		search_words(l, copy);
	}
	return EFI_SUCCESS;
}

void loader_free_options(struct loader *l)
{
	if (l->options)
		l->boot->FreePool(l->options);
	l->options = NULL;
}

const char *loader_cmdline(const struct loader *l, uint64_t *ret_size)
{
	const char *text = l->options ? l->options : (const char *)l->cmdline.data;
	size_t most = l->options ? OPTIONS_MOST : l->cmdline.size;

	if (!text)
		text = "";
	*ret_size = strnlen(text, most);
	/* Drop the newline that objcopy and editors tend to put at the text's end. */
	while (*ret_size && (text[*ret_size - 1] == '\n' || text[*ret_size - 1] == '\r' || text[*ret_size - 1] == ' '))
		--*ret_size;
	return text;
}
