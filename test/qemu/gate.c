/*
 * A UEFI program that stands where a boot file stands when OVMF is done, says so on the serial port, and waits.
 * The tests save QEMU's state there (saved.py). A QEMU that starts from the saved state has another -kernel and
 * -append: the program sees the new command line and starts the new file as OVMF would have.
 *
 * Reads both from QEMU's fw_cfg device (QEMU's docs/specs/fw_cfg.txt): what OVMF knows is the first QEMU's.
 */
#include <efi.h>

#include "kernel/arch/cpu.h"
#include "kernel/lib/string.h"

#define COM1           0x3f8
#define COM1_STATUS    (COM1 + 5)
#define COM1_EMPTY     0x20 /* the transmitter can take a byte */
#define DMA_PORT       0x514
#define DMA_ERROR      0x01u
#define DMA_READ       0x02u
#define DMA_SELECT     0x08u
#define DMA_ITEM_SHIFT 16

/* QEMU hands a -kernel over in two parts, as Linux's setup code and the rest. */
enum item {
	KERNEL_SIZE = 0x08,
	KERNEL_DATA = 0x11,
	CMDLINE_SIZE = 0x14,
	CMDLINE_DATA = 0x15,
	SETUP_SIZE = 0x17,
	SETUP_DATA = 0x18,
};

/* The device reads this structure; every field is big-endian. */
struct dma {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

struct file {
	EFI_BOOT_SERVICES *boot;
	uint8_t *content;
	UINTN size;
	CHAR16 *options;
	UINTN options_size;
};

/* The command line that means: wait. saved.py has both texts. */
static const char closed[] = "gate=closed";
static const char here[] = "gate: waiting\n";

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system);

static void read_item(enum item item, void *to, uint32_t bytes)
{
	volatile struct dma dma;
	uint64_t at = (uint64_t)&dma;

	dma.control = __builtin_bswap32((uint32_t)item << DMA_ITEM_SHIFT | DMA_SELECT | DMA_READ);
	dma.length = __builtin_bswap32(bytes);
	dma.address = __builtin_bswap64((uint64_t)to);
	cpu_out32(DMA_PORT, __builtin_bswap32((uint32_t)(at >> 32)));
	cpu_out32(DMA_PORT + 4, __builtin_bswap32((uint32_t)at));
	while (__builtin_bswap32(dma.control) & ~DMA_ERROR)
		cpu_pause();
}

static uint32_t read_number(enum item item)
{
	uint32_t number = 0;

	read_item(item, &number, sizeof(number));
	return number;
}

static void say(const char *text)
{
	for (; *text; text++) {
		while (!(cpu_in8(COM1_STATUS) & COM1_EMPTY))
			cpu_pause();
		cpu_out8(COM1, (uint8_t)*text);
	}
}

/* The command line counts with its NUL. */
static void wait_for_another_command_line(void)
{
	char text[sizeof(closed)];

	for (;;) {
		if (read_number(CMDLINE_SIZE) != sizeof(closed))
			return;
		read_item(CMDLINE_DATA, text, sizeof(text));
		if (memcmp(text, closed, sizeof(closed)) != 0)
			return;
		cpu_pause();
	}
}

static EFI_STATUS read_file(struct file *file)
{
	uint32_t setup = read_number(SETUP_SIZE), rest = read_number(KERNEL_SIZE);
	EFI_STATUS status;

	file->size = (UINTN)setup + rest;
	status = file->boot->AllocatePool(EfiBootServicesData, file->size, (void **)&file->content);
	if (EFI_ERROR(status))
		return status;
	read_item(SETUP_DATA, file->content, setup);
	read_item(KERNEL_DATA, file->content + setup, rest);
	return EFI_SUCCESS;
}

/* OVMF's options are one UTF-16 unit for each byte, NUL included; none at all for an empty command line. */
static EFI_STATUS read_options(struct file *file)
{
	uint32_t size = read_number(CMDLINE_SIZE);
	char *text;
	EFI_STATUS status;

	if (size <= 1)
		return EFI_SUCCESS;
	status = file->boot->AllocatePool(EfiBootServicesData, size * (sizeof(CHAR16) + 1), (void **)&file->options);
	if (EFI_ERROR(status))
		return status;
	text = (char *)(file->options + size);
	read_item(CMDLINE_DATA, text, size);
	for (uint32_t i = 0; i < size; i++)
		file->options[i] = (uint8_t)text[i];
	file->options_size = size * sizeof(CHAR16);
	return EFI_SUCCESS;
}

/* The new image says that it comes from where this program comes from: OVMF's directory of fw_cfg files. */
static EFI_STATUS start(EFI_HANDLE self, struct file *file)
{
	EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *own, *image;
	EFI_HANDLE handle;
	EFI_STATUS status;

	status = file->boot->LoadImage(FALSE, self, NULL, file->content, file->size, &handle);
	if (EFI_ERROR(status))
		return status;
	status = file->boot->HandleProtocol(self, &guid, (void **)&own);
	if (!EFI_ERROR(status))
		status = file->boot->HandleProtocol(handle, &guid, (void **)&image);
	if (EFI_ERROR(status))
		return status;
	image->DeviceHandle = own->DeviceHandle;
	image->FilePath = own->FilePath;
	image->LoadOptions = file->options;
	image->LoadOptionsSize = (UINT32)file->options_size;
	return file->boot->StartImage(handle, NULL, NULL);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
	struct file file = { .boot = system->BootServices };
	EFI_STATUS status;

	say(here);
	wait_for_another_command_line();
	status = read_file(&file);
	if (!EFI_ERROR(status))
		status = read_options(&file);
	return EFI_ERROR(status) ? status : start(handle, &file);
}
