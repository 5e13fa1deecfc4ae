/*
 * A firmware that is worse than the one it runs on: spoils what the words of its command line name, and then starts
 * \ankeos.efi of the same volume, as a boot manager does.
 *
 *   acpi       the ACPI tables lie in reserved memory
 *   fragments  5,000 descriptors of single pages
 *   runtime    runtime regions that no page table can hold, beside the sound ones
 *   special    memory that is RAM by its type, and must not be used
 *   high       RAM behind the direct map's end, and behind the CPU's physical addresses
 *   everything one reserved descriptor of the whole address space
 *   offer      \offered.cpio is offered as an initrd, by LoadFile2
 *   lie        an initrd is offered that ends before the size that it claims
 *   boot WORDS the boot file's LoadOptions
 */
#include <efi.h>
#include <efilib.h>
#include <stdint.h>

#define MIB             1048576ULL
#define GIB             (1024 * MIB)
#define TIB             (1024 * GIB)
#define PAGE            4096ULL
#define ADDED_MOST      16
#define FRAGMENTS       5000
#define HEADER          36
#define SPECIAL_PURPOSE 0x40000ULL

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system);

static EFI_MEMORY_DESCRIPTOR added[ADDED_MOST];
static UINTN added_count;
static BOOLEAN double_runtime;
static EFI_GET_MEMORY_MAP sound_memory_map;

static void add(UINT32 type, uint64_t start, uint64_t pages, uint64_t attribute)
{
	added[added_count++] = (EFI_MEMORY_DESCRIPTOR){
		.Type = type, .PhysicalStart = start, .NumberOfPages = pages, .Attribute = attribute
	};
}

/* The firmware's map with ours behind it, and its first runtime region a second time. */
static EFI_STATUS EFIAPI spoilt_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *step,
					   UINT32 *version)
{
	UINTN room = *size, more;
	EFI_STATUS status = uefi_call_wrapper(sound_memory_map, 5, size, map, key, step, version);
	uint8_t *end = (uint8_t *)map + *size;

	more = (added_count + double_runtime) * *step;
	if (status == EFI_BUFFER_TOO_SMALL) {
		*size += more;
		return status;
	}
	if (EFI_ERROR(status))
		return status;
	*size += more;
	if (room < *size)
		return EFI_BUFFER_TOO_SMALL;
	for (UINTN i = 0; i < added_count; i++, end += *step)
		CopyMem(end, &added[i], sizeof(added[i]));
	for (uint8_t *at = (uint8_t *)map; double_runtime && at < end; at += *step)
		if (((EFI_MEMORY_DESCRIPTOR *)at)->Attribute & EFI_MEMORY_RUNTIME) {
			CopyMem(end, at, *step);
			break;
		}
	return EFI_SUCCESS;
}

/* ---- ACPI tables elsewhere ---- */

static uint8_t *next_copy; /* in reserved pages */

static void seal(uint8_t *bytes, UINTN size, UINTN checksum)
{
	uint8_t sum = 0;

	bytes[checksum] = 0;
	for (UINTN i = 0; i < size; i++)
		sum += bytes[i];
	bytes[checksum] = -sum;
}

static uint8_t *copy_table(const uint8_t *table)
{
	uint32_t size = *(const uint32_t *)(table + 4);
	uint8_t *copy = next_copy;

	CopyMem(copy, (void *)table, size);
	next_copy += (size + 63) & ~63ULL;
	return copy;
}

static void move_acpi(EFI_SYSTEM_TABLE *system)
{
	static EFI_GUID guid = ACPI_20_TABLE_GUID;
	EFI_PHYSICAL_ADDRESS pages = 0;
	uint8_t *root = NULL, *xsdt;

	for (UINTN i = 0; i < system->NumberOfTableEntries; i++)
		if (CompareGuid(&system->ConfigurationTable[i].VendorGuid, &guid) == 0)
			root = system->ConfigurationTable[i].VendorTable;
	uefi_call_wrapper(BS->AllocatePages, 4, AllocateAnyPages, EfiReservedMemoryType, 64, &pages);
	next_copy = (uint8_t *)pages + 64;
	CopyMem((void *)pages, root, 36);
	root = (uint8_t *)pages;
	xsdt = copy_table(*(uint8_t **)(root + 24));
	for (uint8_t *at = xsdt + HEADER; at < xsdt + *(uint32_t *)(xsdt + 4); at += 8) {
		uint8_t *table = copy_table(*(uint8_t **)at);

		*(uint8_t **)at = table;
		if (*(uint32_t *)table == 0x50434146) { /* "FACP", whose DSDT moves too */
			uint8_t *dsdt = *(uint8_t **)(table + 140);

			dsdt = copy_table(dsdt ? dsdt : (uint8_t *)(uintptr_t) * (uint32_t *)(table + 40));
			*(uint8_t **)(table + 140) = dsdt;
			*(uint32_t *)(table + 40) = (uint32_t)(uintptr_t)dsdt;
			seal(table, *(uint32_t *)(table + 4), 9);
		}
	}
	seal(xsdt, *(uint32_t *)(xsdt + 4), 9);
	*(uint8_t **)(root + 24) = xsdt;
	*(uint32_t *)(root + 16) = 0;
	seal(root, 20, 8);
	seal(root, 36, 32);
	uefi_call_wrapper(BS->InstallConfigurationTable, 2, &guid, root);
}

static void fragment_memory(void)
{
	static const EFI_MEMORY_TYPE types[] = { EfiBootServicesData, EfiLoaderData };

	for (UINTN i = 0; i < FRAGMENTS; i++) {
		EFI_PHYSICAL_ADDRESS page = 0;

		uefi_call_wrapper(BS->AllocatePages, 4, AllocateAnyPages, types[i % 2], 1, &page);
	}
}

/* ---- an initrd from the boot manager ---- */

static UINT8 *offered; /* NULL: the offer is a lie */
static UINTN offered_size;

/* EFI_LOAD_FILE2_PROTOCOL.LoadFile() of UEFI 2.10. */
static EFI_STATUS EFIAPI load_offered(EFI_LOAD_FILE_PROTOCOL *self, EFI_DEVICE_PATH *path, BOOLEAN policy, UINTN *size,
				      VOID *buffer)
{
	(void)self;
	if (policy || !IsDevicePathEnd(path))
		return EFI_INVALID_PARAMETER;
	if (!buffer || *size < offered_size) {
		*size = offered_size;
		return EFI_BUFFER_TOO_SMALL;
	}
	if (!offered)
		return EFI_DEVICE_ERROR;
	CopyMem(buffer, offered, offered_size);
	*size = offered_size;
	return EFI_SUCCESS;
}

static void read_offered(EFI_LOADED_IMAGE *image)
{
	EFI_FILE_HANDLE root = LibOpenRoot(image->DeviceHandle), file = NULL;
	EFI_FILE_INFO *info;

	uefi_call_wrapper(root->Open, 5, root, &file, L"offered.cpio", EFI_FILE_MODE_READ, 0);
	info = LibFileInfo(file);
	offered_size = info->FileSize;
	offered = AllocatePool(offered_size);
	uefi_call_wrapper(file->Read, 3, file, &offered_size, offered);
}

/* Offer an initrd at the device path that Linux's EFI stub has made usual. */
static void offer(void)
{
	static EFI_GUID load_file2 = { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };
	static EFI_LOAD_FILE_PROTOCOL protocol = { load_offered };
	static struct {
		VENDOR_DEVICE_PATH vendor;
		EFI_DEVICE_PATH end;
	} path = {
		{ { MEDIA_DEVICE_PATH, MEDIA_VENDOR_DP, { sizeof(VENDOR_DEVICE_PATH), 0 } },
		  { 0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } } },
		{ END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(EFI_DEVICE_PATH), 0 } },
	};
	EFI_HANDLE handle = NULL;

	uefi_call_wrapper(BS->InstallMultipleProtocolInterfaces, 6, &handle, &DevicePathProtocol, &path, &load_file2,
			  &protocol, NULL);
}

static BOOLEAN has_word(const CHAR16 *options, const CHAR16 *word)
{
	UINTN size = StrLen(word);

	for (; *options; options++)
		if (StrnCmp(options, word, size) == 0)
			return TRUE;
	return FALSE;
}

/* Make what follows " boot " the LoadOptions of the boot file. */
static void give_options(EFI_HANDLE kernel, const CHAR16 *words)
{
	EFI_LOADED_IMAGE *image = NULL;

	while (StrnCmp(words, L" boot ", 6) != 0)
		words++;
	uefi_call_wrapper(BS->HandleProtocol, 3, kernel, &LoadedImageProtocol, (void **)&image);
	image->LoadOptions = (void *)(words + 6);
	image->LoadOptionsSize = (UINT32)(StrSize(words + 6));
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
	EFI_LOADED_IMAGE *image = NULL;
	EFI_HANDLE kernel = NULL;
	const CHAR16 *words;
	EFI_STATUS status;

	InitializeLib(handle, system);
	uefi_call_wrapper(BS->HandleProtocol, 3, handle, &LoadedImageProtocol, (void **)&image);
	words = image->LoadOptions;
	if (has_word(words, L" acpi"))
		move_acpi(system);
	if (has_word(words, L" fragments"))
		fragment_memory();
	if (has_word(words, L" runtime")) {
		const uint64_t mmio = EFI_MEMORY_RUNTIME | EFI_MEMORY_UC;

		double_runtime = TRUE;
		add(EfiMemoryMappedIO, 0xfed40800, 1, mmio);
		add(EfiMemoryMappedIO, 1ULL << 48, 16, mmio);
		add(EfiMemoryMappedIO, ~0ULL << 12, 16, mmio);
		add(EfiMemoryMappedIO, 0xfed50000, ~0ULL, mmio);
	}
	if (has_word(words, L" special")) {
		add(EfiConventionalMemory, 128 * GIB, 256, EFI_MEMORY_WB | SPECIAL_PURPOSE);
		add(14, 129 * GIB, 512, EFI_MEMORY_WB);
		add(15, 130 * GIB, 768, EFI_MEMORY_WB);
		add(EfiConventionalMemory, 131 * GIB, 1024, EFI_MEMORY_UC);
	}
	if (has_word(words, L" high")) {
		add(EfiConventionalMemory, 17 * TIB, GIB / PAGE, EFI_MEMORY_WB);
		add(EfiConventionalMemory, 128 * TIB, GIB / PAGE, EFI_MEMORY_WB);
	}
	if (has_word(words, L" everything"))
		add(EfiReservedMemoryType, 0, 1ULL << 52, 0);
	if (added_count) {
		sound_memory_map = BS->GetMemoryMap;
		BS->GetMemoryMap = spoilt_memory_map;
	}
	if (has_word(words, L" offer"))
		read_offered(image);
	if (has_word(words, L" lie"))
		offered_size = 5000;
	if (offered_size)
		offer();
	status = uefi_call_wrapper(BS->LoadImage, 6, FALSE, handle,
				   FileDevicePath(image->DeviceHandle, L"\\ankeos.efi"), NULL, 0, &kernel);
	if (!EFI_ERROR(status) && has_word(words, L" boot "))
		give_options(kernel, words);
	if (!EFI_ERROR(status))
		status = uefi_call_wrapper(BS->StartImage, 3, kernel, NULL, NULL);
	BS->GetMemoryMap = added_count ? sound_memory_map : BS->GetMemoryMap;
	Print(L"hostile: %r\n", status);
	return status;
}
