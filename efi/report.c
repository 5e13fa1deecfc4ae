/*
 * Prints the loader's messages, each in one line: on the firmware's console, and on the first serial port when the
 * firmware's console does not go there. Once ExitBootServices() has been tried, only the serial port is used. Nothing
 * is printed when all goes well, unless loglevel=7 asks for it: console output costs more than the rest of the loader.
 */
#include "efi/loader.h"
#include "kernel/arch/cpu.h"
#include "kernel/lib/format.h"

#define COM1      0x3f8
#define LINE_ROOM (sizeof("ankeos: \r\n") + MESSAGE_MOST)

EFI_STATUS loader_status(enum status status)
{
	switch (status) {
	case OK:
		return EFI_SUCCESS;
	case ERR_NO_MEMORY:
		return EFI_OUT_OF_RESOURCES;
	case ERR_NOT_FOUND:
		return EFI_NOT_FOUND;
	default:
		return EFI_LOAD_ERROR;
	}
}

/* Return whether this device path passes through a UART (UEFI 2.10, "UART Device Path"). */
static bool is_serial(EFI_DEVICE_PATH *node)
{
	for (; !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
		if (DevicePathNodeLength(node) < (int)sizeof(*node))
			return false;
		if (DevicePathType(node) == MESSAGING_DEVICE_PATH && DevicePathSubType(node) == MSG_UART_DP)
			return true;
	}
	return false;
}

/* The protocol with which EDK II marks each device that ConOut writes to. */
static const EFI_GUID console_out_device = {
	0xd3b36f2c, 0xd551, 0x11d4, { 0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d }
};

/* Return whether the firmware's console reaches a serial port by itself: then the loader does not write to the port. */
static bool console_is_serial(struct loader *l)
{
	EFI_GUID tag = console_out_device, path_guid = DEVICE_PATH_PROTOCOL;
	EFI_HANDLE *handles = NULL;
	UINTN count = 0;
	bool found = false;

	if (EFI_ERROR(l->boot->LocateHandleBuffer(ByProtocol, &tag, NULL, &count, &handles)))
		return false;
	for (UINTN i = 0; i < count && !found; i++) {
		EFI_DEVICE_PATH *path;

		if (!EFI_ERROR(l->boot->HandleProtocol(handles[i], &path_guid, (void **)&path)))
			found = is_serial(path);
	}
	l->boot->FreePool(handles);
	return found;
}

/*
 * Write to the first serial port. The wait for each byte is limited: an absent port reads 0xff, so it is ready at once,
 * and a broken one delays the loader only a little.
 */
static void serial_write(const char *text)
{
	for (; *text; text++) {
		for (int tries = 0; tries < 100000 && !(cpu_in8(COM1 + 5) & 0x20); tries++)
			;
		cpu_out8(COM1, (uint8_t)*text);
	}
}

static void write_line(struct loader *l, const char *format, va_list args)
{
	char line[LINE_ROOM];
	CHAR16 wide[LINE_ROOM];
	size_t n;

	n = format_s(line, sizeof(line) - 2, "ankeos: ");
	format_v(line + n, sizeof(line) - 2 - n, format, args);
	for (n = 0; line[n]; n++)
		;
	line[n++] = '\r';
	line[n++] = '\n';
	line[n] = '\0';
	if (l->exiting) {
		serial_write(line);
		return;
	}
	loader_stage_erase(l);
	for (size_t i = 0; i <= n; i++)
		wide[i] = (unsigned char)line[i] < 0x80 ? (CHAR16)line[i] : L'?';

	if (l->system->ConOut)
		l->system->ConOut->OutputString(l->system->ConOut, wide);
	if (!console_is_serial(l))
		serial_write(line);
}

EFI_STATUS loader_fail(struct loader *l, EFI_STATUS status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(l, format, args);
	va_end(args);
	return status;
}

void loader_talk(struct loader *l, const char *format, ...)
{
	uint64_t before = cpu_rdtsc();
	va_list args;

	if (!l->talk)
		return;
	va_start(args, format);
	write_line(l, format, args);
	va_end(args);
	l->firmware_ticks += cpu_rdtsc() - before;
}
