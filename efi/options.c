/*
 * The command line: the firmware's LoadOptions when there are any and Secure Boot is off, else the
 * .cmdline section. A signature covers .cmdline but not LoadOptions, hence the condition.
 */
#include "efi/loader.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"

#define OPTIONS_MOST 4096 /* bytes of UTF-8, the NUL included */

static const EFI_GUID global_variable = EFI_GLOBAL_VARIABLE;
static const EFI_GUID shell_parameters = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;

static bool secure_boot(struct loader *l)
{
	EFI_GUID guid = global_variable;
	UINT8 value = 0;
	UINTN size = sizeof(value);

	return !EFI_ERROR(FIRMWARE(l, l->system->RuntimeServices->GetVariable(L"SecureBoot", &guid, NULL, &size,
									      &value))) &&
	       value == 1;
}

/* Bytes of UTF-8 that one UTF-16 unit becomes; surrogates, which no option needs, become '?'. */
static size_t put_utf8(char *to, CHAR16 c)
{
	if (c >= 0xd800 && c < 0xe000)
		c = '?';
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	to[0] = (char)(0xe0 | c >> 12);
	to[1] = (char)(0x80 | (c >> 6 & 63));
	to[2] = (char)(0x80 | (c & 63));
	return 3;
}

/*
 * Is this text, or the binary data that some boot managers put into a boot option? Keys and paths begin with ASCII,
 * and no text has control characters or what Unicode says is no character.
 */
static bool is_text(const CHAR16 *options, size_t size)
{
	size_t i, units = size / sizeof(*options);

	if (!units || size % sizeof(*options) || options[0] >= 0x7f)
		return false;
	for (i = 0; i < units && options[i]; i++)
		if ((options[i] < ' ' && options[i] != '\t') || (options[i] >= 0x7f && options[i] < 0xa0) ||
		    options[i] >= 0xfffe)
			return false;
	return i > 0;
}

/* Booting from the network, OVMF gives the name of the file that it fetched, and nothing else. */
static bool is_file_name(const CHAR16 *options, size_t units)
{
	static const CHAR16 suffix[] = L".efi";
	size_t end = 0, most = sizeof(suffix) / sizeof(suffix[0]) - 1;

	while (end < units && options[end] && options[end] != ' ')
		end++;
	if (end < most || (end < units && options[end]))
		return false;
	for (size_t i = 0; i < most; i++)
		if ((options[end - most + i] | ' ') != suffix[i])
			return false;
	return true;
}

/* The UEFI shell puts the file's own name first: skip that word. */
static size_t skip_program_name(const CHAR16 *options, size_t units)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < units && options[i] && (quoted || options[i] != ' '); i++)
		if (options[i] == '"')
			quoted = !quoted;
	while (i < units && options[i] == ' ')
		i++;
	return i;
}

static EFI_STATUS take_load_options(struct loader *l)
{
	const CHAR16 *options = l->image->LoadOptions;
	size_t units = l->image->LoadOptionsSize / sizeof(*options);
	EFI_GUID guid = shell_parameters;
	void *shell;
	size_t start = 0, n = 0;

	if (!EFI_ERROR(FIRMWARE(l, l->boot->HandleProtocol(l->handle, &guid, &shell))))
		start = skip_program_name(options, units);
	if (start >= units || !options[start] || is_file_name(options + start, units - start))
		return EFI_SUCCESS;
	if (EFI_ERROR(FIRMWARE(l, l->boot->AllocatePool(EfiLoaderData, OPTIONS_MOST, (void **)&l->options)))) {
		l->options = NULL;
		return loader_fail(l, EFI_OUT_OF_RESOURCES, "no memory for the command line, %d bytes", OPTIONS_MOST);
	}
	for (size_t i = start; i < units && options[i]; i++) {
		if (n + 4 > OPTIONS_MOST)
			return loader_fail(l, EFI_LOAD_ERROR, "command line longer than %d bytes: %zu UTF-16 units",
					   OPTIONS_MOST - 1, units - start);
		n += put_utf8(l->options + n, options[i]);
	}
	l->options[n] = '\0';
	l->info.flags |= BOOT_OPTIONS;
	return EFI_SUCCESS;
}

EFI_STATUS loader_read_options(struct loader *l)
{
	const CHAR16 *options = l->image->LoadOptions;
	EFI_STATUS status = EFI_SUCCESS;
	char level[4] = "";

	if (l->cmdline.size >= OPTIONS_MOST)
		return loader_fail(l, EFI_LOAD_ERROR, ".cmdline longer than %d bytes: %llu", OPTIONS_MOST - 1,
				   (unsigned long long)l->cmdline.size);
	if (options && is_text(options, l->image->LoadOptionsSize)) {
		if (secure_boot(l))
			l->info.flags |= BOOT_SECURE;
		else
			status = take_load_options(l);
	}
	if (EFI_ERROR(status))
		return status;
	/* .cmdline's bytes need not end with NUL, so a copy is what gets searched. */
	if (l->options) {
		cmdline_get(l->options, "loglevel", level, sizeof(level));
	} else if (l->cmdline.size) {
		char copy[OPTIONS_MOST];

		memcpy(copy, l->cmdline.data, l->cmdline.size);
		copy[l->cmdline.size] = '\0';
		cmdline_get(copy, "loglevel", level, sizeof(level));
	}
	l->talk = level[0] >= '7';
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
	/* objcopy and editors like to end the text with a new line. */
	while (*ret_size && (text[*ret_size - 1] == '\n' || text[*ret_size - 1] == ' '))
		--*ret_size;
	return text;
}
