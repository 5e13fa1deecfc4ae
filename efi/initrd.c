/*
 * Reads initial file systems that are not part of the boot file: the one that a boot manager offers by LoadFile2, under
 * the GUID that Linux's EFI stub uses; or, if there is none, the files that the initrd= words of the command line name,
 * from the volume of the boot file. All go into one block of the firmware's memory, each to the start of a page, so
 * that the kernel can use them in place. Under Secure Boot they are ignored, since no signature covers them. The
 * section .initrd is not read here.
 */
#include "efi/load_options.h"
#include "efi/loader.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/string.h"
#include "paging/layout.h"

#define PATH_MOST   510                 /* units of UTF-16 in a path */
#define NAME_ROOM   (3 * PATH_MOST + 4) /* bytes for PATH_MOST + 1 units, up to three in UTF-8 for each, and the NUL */
#define REASON_MOST 200                 /* the most bytes that a message has besides the file's name */
_Static_assert(NAME_ROOM + REASON_MOST <= MESSAGE_MOST, "a message has the whole name, and what is behind it");
/* Bytes of one read: some firmware cannot read a large file in one call. */
#define READ_MOST (1u << 20)
/* Room for EFI_FILE_INFO, which ends with the file's name. */
#define INFO_MOST (sizeof(EFI_FILE_INFO) + PATH_MOST * sizeof(CHAR16))

static const EFI_GUID load_file2 = { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };
static const EFI_GUID file_system = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
static const EFI_GUID file_info = EFI_FILE_INFO_ID;

/* The device path under which boot managers offer an initrd: LINUX_EFI_INITRD_MEDIA_GUID, then the end. */
static const struct {
	VENDOR_DEVICE_PATH vendor;
	EFI_DEVICE_PATH end;
} offer = {
	{ { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { sizeof(VENDOR_DEVICE_PATH), 0 } },
	  { 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } } },
	{ END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(EFI_DEVICE_PATH), 0 } },
};

/*
 * Allocate `size` bytes for info.initrd_outside. `size` comes from firmware or a file system, and may be any number. On
 * an error nothing is allocated.
 */
static EFI_STATUS take_block(struct loader *l, uint64_t size)
{
	EFI_PHYSICAL_ADDRESS start = 0;
	EFI_STATUS status = EFI_OUT_OF_RESOURCES;

	if (size < HHDM_SIZE)
		status = FIRMWARE(l, l->boot->AllocatePages(AllocateAnyPages, EfiLoaderData,
							    align_up(size, PAGE_SIZE) / PAGE_SIZE, &start));
	if (EFI_ERROR(status))
		return loader_fail(l, EFI_OUT_OF_RESOURCES, "no memory for an initrd of %llu bytes",
				   (unsigned long long)size);
	l->info.initrd_outside = paddr(start);
	l->info.initrd_outside_size = size;
	return EFI_SUCCESS;
}

void loader_free_initrd(struct loader *l)
{
	if (l->info.initrd_outside_size)
		l->boot->FreePages(l->info.initrd_outside.raw,
				   align_up(l->info.initrd_outside_size, PAGE_SIZE) / PAGE_SIZE);
	l->info.initrd_outside_size = 0;
}

/* Return the protocol by which a boot manager offers an initrd, or NULL. */
static EFI_LOAD_FILE_PROTOCOL *find_offer(struct loader *l)
{
	EFI_GUID guid = load_file2;
	EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)&offer;
	EFI_LOAD_FILE_PROTOCOL *protocol = NULL;
	EFI_HANDLE handle;

	if (EFI_ERROR(FIRMWARE(l, l->boot->LocateDevicePath(&guid, &path, &handle))) ||
	    EFI_ERROR(FIRMWARE(l, l->boot->HandleProtocol(handle, &guid, (void **)&protocol))))
		return NULL;
	return protocol;
}

/*
 * Take the archive that the boot manager offers (UEFI 2.10, "EFI_LOAD_FILE2_PROTOCOL.LoadFile()"): ask for its size,
 * then for its bytes.
 */
static EFI_STATUS take_offer(struct loader *l, EFI_LOAD_FILE_PROTOCOL *protocol)
{
	EFI_DEVICE_PATH *end = (EFI_DEVICE_PATH *)&offer.end;
	UINTN size = 0;
	EFI_STATUS status = FIRMWARE(l, protocol->LoadFile(protocol, end, FALSE, &size, NULL));

	if (!size)
		return EFI_SUCCESS;
	if (status != EFI_BUFFER_TOO_SMALL)
		return loader_fail(l, EFI_LOAD_ERROR, "the boot manager's initrd: no size: 0x%llx",
				   (unsigned long long)status);
	status = take_block(l, size);
	if (EFI_ERROR(status))
		return status;
	status = FIRMWARE(l, protocol->LoadFile(protocol, end, FALSE, &size, (void *)l->info.initrd_outside.raw));
	if (EFI_ERROR(status) || size > l->info.initrd_outside_size)
		return loader_fail(l, EFI_LOAD_ERROR, "the boot manager's initrd: %llu of %llu bytes: 0x%llx",
				   (unsigned long long)size, (unsigned long long)l->info.initrd_outside_size,
				   (unsigned long long)status);
	l->info.flags |= BOOT_INITRD_OFFERED;
	loader_talk(l, "initrd of %llu bytes from the boot manager", (unsigned long long)size);
	return EFI_SUCCESS;
}

/* Room for a path, for the two units of a character that makes it too long, and for the NUL. */
#define PATH_ROOM (PATH_MOST + 3)

/*
 * Write a path to `to` in UTF-16, with the firmware's backslashes in place of slashes. Returns false when the path is
 * longer than PATH_MOST units; `to` has its beginning then.
 */
static bool to_utf16(const char *from, CHAR16 to[PATH_ROOM])
{
	size_t n = options_utf16(from, to, PATH_ROOM);

	for (size_t i = 0; i < n; i++)
		if (to[i] == '/')
			to[i] = '\\';
	return n <= PATH_MOST;
}

/* Open a file that an initrd= word names. On success the caller closes *ret. */
static EFI_STATUS open_file(struct loader *l, EFI_FILE_HANDLE root, const char *name, EFI_FILE_HANDLE *ret,
			    uint64_t *ret_size)
{
	_Alignas(EFI_FILE_INFO) char info[INFO_MOST];
	EFI_GUID guid = file_info;
	CHAR16 path[PATH_ROOM];
	UINTN room = sizeof(info);
	EFI_STATUS status;

	if (!to_utf16(name, path))
		return loader_fail(l, EFI_INVALID_PARAMETER, "initrd=: more than %u UTF-16 units: %s", PATH_MOST, name);
	status = FIRMWARE(l, root->Open(root, ret, path, EFI_FILE_MODE_READ, 0));
	if (EFI_ERROR(status))
		return loader_fail(l, status, "initrd=%s: not on the volume of the boot file: 0x%llx", name,
				   (unsigned long long)status);
	status = FIRMWARE(l, (*ret)->GetInfo(*ret, &guid, &room, info));
	if (!EFI_ERROR(status) && ((EFI_FILE_INFO *)info)->Attribute & EFI_FILE_DIRECTORY)
		status = EFI_INVALID_PARAMETER;
	if (EFI_ERROR(status)) {
		FIRMWARE(l, (*ret)->Close(*ret));
		return loader_fail(l, status, "initrd=%s: no file with a size: 0x%llx", name,
				   (unsigned long long)status);
	}
	*ret_size = ((EFI_FILE_INFO *)info)->FileSize;
	return EFI_SUCCESS;
}

/* Read a file of `size` bytes to `to`, which is page-aligned, and clear what is left of its last page. */
static EFI_STATUS read_file(struct loader *l, EFI_FILE_HANDLE file, const char *name, uint8_t *to, uint64_t size)
{
	memset(to + size, 0, align_up(size, PAGE_SIZE) - size);
	for (uint64_t done = 0; done < size;) {
		UINTN piece = size - done < READ_MOST ? size - done : READ_MOST;
		EFI_STATUS status = FIRMWARE(l, file->Read(file, &piece, to + done));

		if (EFI_ERROR(status) || !piece)
			return loader_fail(l, EFI_LOAD_ERROR, "initrd=%s: read %llu of %llu bytes: 0x%llx", name,
					   (unsigned long long)done, (unsigned long long)size,
					   (unsigned long long)status);
		done += piece;
	}
	return EFI_SUCCESS;
}

/*
 * Go through the initrd= words. If info.initrd_outside has no block yet, add up the sizes of the files, each of which
 * takes whole pages; if it has one, read the files into it. If a file has grown meanwhile and does not fit into the
 * block, that is an error.
 */
static EFI_STATUS each_file(struct loader *l, EFI_FILE_HANDLE root, const char *words, uint64_t *ret_bytes)
{
	char name[NAME_ROOM];
	uint64_t bytes = 0;
	EFI_STATUS status = EFI_SUCCESS;

	while (!EFI_ERROR(status) && cmdline_next(&words, "initrd", name, sizeof(name))) {
		const uint64_t block = l->info.initrd_outside_size;
		EFI_FILE_HANDLE file;
		uint64_t size = 0;

		status = open_file(l, root, name, &file, &size);
		if (EFI_ERROR(status))
			return status;
		if (size >= HHDM_SIZE || (block && align_up(size, PAGE_SIZE) > block - bytes))
			status = loader_fail(l, EFI_LOAD_ERROR, "initrd=%s: a size of %llu bytes", name,
					     (unsigned long long)size);
		else if (block)
			status = read_file(l, file, name, (uint8_t *)l->info.initrd_outside.raw + bytes, size);
		else
			loader_talk(l, "initrd=%s, %llu bytes", name, (unsigned long long)size);
		FIRMWARE(l, file->Close(file));
		bytes += align_up(size, PAGE_SIZE);
		if (bytes >= HHDM_SIZE)
			return loader_fail(l, EFI_OUT_OF_RESOURCES, "initrd=%s: too many bytes in all", name);
	}
	*ret_bytes = bytes;
	return status;
}

static EFI_STATUS take_files(struct loader *l, const char *words)
{
	EFI_GUID guid = file_system;
	EFI_FILE_IO_INTERFACE *volume = NULL;
	EFI_FILE_HANDLE root;
	uint64_t bytes = 0;
	EFI_STATUS status;

	status = FIRMWARE(l, l->boot->HandleProtocol(l->image->DeviceHandle, &guid, (void **)&volume));
	if (!EFI_ERROR(status))
		status = FIRMWARE(l, volume->OpenVolume(volume, &root));
	if (EFI_ERROR(status))
		return loader_fail(l, status, "initrd=: the boot file came from no volume with files: 0x%llx",
				   (unsigned long long)status);
	status = each_file(l, root, words, &bytes);
	if (!EFI_ERROR(status) && bytes)
		status = take_block(l, bytes);
	if (!EFI_ERROR(status) && bytes) {
		status = each_file(l, root, words, &bytes);
		/*
		 * A file may have become shorter since its size was read: fill the rest of the block with zeros, which
		 * are valid padding after an archive.
		 */
		if (!EFI_ERROR(status))
			memset((uint8_t *)l->info.initrd_outside.raw + bytes, 0, l->info.initrd_outside_size - bytes);
	}
	FIRMWARE(l, root->Close(root));
	if (!EFI_ERROR(status) && bytes)
		l->info.flags |= BOOT_INITRD_FILES;
	return status;
}

EFI_STATUS loader_read_initrd(struct loader *l)
{
	EFI_LOAD_FILE_PROTOCOL *protocol = find_offer(l);
	char words[OPTIONS_MOST];
	uint64_t size;
	const char *text;

	if (!protocol && !l->initrd_named)
		return EFI_SUCCESS;
	if (loader_secure_boot(l)) {
		l->info.flags |= BOOT_INITRD_SECURE;
		return EFI_SUCCESS;
	}
	if (protocol)
		return take_offer(l, protocol);
	text = loader_cmdline(l, &size);
	memcpy(words, text, size);
	words[size] = '\0';
	return take_files(l, words);
}
