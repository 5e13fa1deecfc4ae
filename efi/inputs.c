/*
 * Collects what the kernel wants to know of the firmware beside the memory map: framebuffer, ACPI, SMBIOS, the
 * attributes of the runtime regions, entropy. Each of these may be absent; none is changed.
 */
#include "efi/loader.h"

static const EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
static const EFI_GUID rng_guid = EFI_RNG_PROTOCOL_GUID;
static const EFI_GUID acpi1_guid = ACPI_TABLE_GUID;
static const EFI_GUID acpi2_guid = ACPI_20_TABLE_GUID;
static const EFI_GUID smbios2_guid = SMBIOS_TABLE_GUID;
static const EFI_GUID smbios3_guid = SMBIOS3_TABLE_GUID;
/* The GUID of EFI_MEMORY_ATTRIBUTES_TABLE (UEFI 2.10), which gnu-efi does not define. */
static const EFI_GUID attributes_guid = {
	0xdcfa911d, 0x26eb, 0x469f, { 0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20 }
};

static bool same_guid(const EFI_GUID *a, const EFI_GUID *b)
{
	uint64_t x[2], y[2];

	/* Compare two words, which the builtin loads inline: a call of memcpy() would cost more than the comparison. */
	__builtin_memcpy(x, a, sizeof(x));
	__builtin_memcpy(y, b, sizeof(y));
	return x[0] == y[0] && x[1] == y[1];
}

/*
 * Return whether each channel is one run of bits, and none overlaps: otherwise the mode makes no sense, and the kernel
 * would refuse the framebuffer.
 */
static bool channels_sound(const EFI_PIXEL_BITMASK *mask)
{
	const uint32_t channels[] = { mask->RedMask, mask->GreenMask, mask->BlueMask };
	uint32_t seen = 0;

	for (int i = 0; i < 3; i++) {
		uint32_t lowest = channels[i] & -channels[i];

		if (!channels[i] || channels[i] & (channels[i] + lowest) || channels[i] & seen)
			return false;
		seen |= channels[i];
	}
	return true;
}

static void set_channel(uint32_t mask, uint8_t *shift, uint8_t *bits)
{
	*shift = (uint8_t)__builtin_ctz(mask);
	*bits = (uint8_t)(32 - __builtin_clz(mask) - __builtin_ctz(mask));
}

/*
 * Describe the framebuffer in l->info, as the screen's mode says (UEFI 2.10, "EFI_GRAPHICS_OUTPUT_PROTOCOL"). A mode
 * with PixelBltOnly has no framebuffer.
 */
static void read_framebuffer(struct loader *l)
{
	struct boot_framebuffer *fb = &l->info.framebuffer;
	EFI_GUID guid = gop_guid;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = NULL;
	EFI_STATUS status;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
	EFI_PIXEL_BITMASK mask = { 0x0000ff, 0x00ff00, 0xff0000, 0 };

	status = FIRMWARE(l, l->boot->LocateProtocol(&guid, NULL, (void **)&gop));
	if (EFI_ERROR(status) || !gop || !gop->Mode || !gop->Mode->Info)
		return;
	mode = gop->Mode->Info;
	if (mode->PixelFormat == PixelBlueGreenRedReserved8BitPerColor) {
		mask.RedMask = 0xff0000;
		mask.BlueMask = 0x0000ff;
	} else if (mode->PixelFormat == PixelBitMask) {
		mask = mode->PixelInformation;
		if (!channels_sound(&mask))
			return;
	} else if (mode->PixelFormat != PixelRedGreenBlueReserved8BitPerColor) {
		return;
	}
	/* A framebuffer into which its own mode does not fit is ignored. */
	if (!gop->Mode->FrameBufferBase || gop->Mode->FrameBufferBase >> 52 || gop->Mode->FrameBufferSize >> 48 ||
	    !mode->HorizontalResolution || !mode->VerticalResolution ||
	    mode->PixelsPerScanLine < mode->HorizontalResolution ||
	    gop->Mode->FrameBufferSize / 4 / mode->VerticalResolution < mode->PixelsPerScanLine)
		return;
	fb->pa = paddr(gop->Mode->FrameBufferBase);
	fb->size = gop->Mode->FrameBufferSize;
	fb->width = mode->HorizontalResolution;
	fb->height = mode->VerticalResolution;
	fb->pitch = mode->PixelsPerScanLine * 4;
	set_channel(mask.RedMask, &fb->red_shift, &fb->red_bits);
	set_channel(mask.GreenMask, &fb->green_shift, &fb->green_bits);
	set_channel(mask.BlueMask, &fb->blue_shift, &fb->blue_bits);
}

/* Find the tables (UEFI 2.10, "Configuration Table"); of two versions the newer one is used, whichever comes first. */
static void read_tables(struct loader *l)
{
	struct boot_info *info = &l->info;

	for (UINTN i = 0; i < l->system->NumberOfTableEntries; i++) {
		const EFI_CONFIGURATION_TABLE *t = &l->system->ConfigurationTable[i];
		paddr_t pa = paddr((uintptr_t)t->VendorTable);

		if (same_guid(&t->VendorGuid, &acpi2_guid) ||
		    (same_guid(&t->VendorGuid, &acpi1_guid) && !info->rsdp.raw)) {
			info->rsdp = pa;
		} else if (same_guid(&t->VendorGuid, &smbios3_guid)) {
			info->smbios = pa;
			info->smbios_major = 3;
		} else if (same_guid(&t->VendorGuid, &smbios2_guid) && !info->smbios.raw) {
			info->smbios = pa;
			info->smbios_major = 2;
		} else if (same_guid(&t->VendorGuid, &attributes_guid)) {
			info->efi_attributes = pa;
		}
	}
}

/* Get entropy from the firmware (UEFI 2.10, "EFI_RNG_PROTOCOL.GetRNG()"). */
static void read_seed(struct loader *l)
{
	EFI_GUID guid = rng_guid;
	EFI_RNG_PROTOCOL *rng = NULL;
	EFI_STATUS status;

	status = FIRMWARE(l, l->boot->LocateProtocol(&guid, NULL, (void **)&rng));
	if (EFI_ERROR(status) || !rng)
		return;
	if (!EFI_ERROR(FIRMWARE(l, rng->GetRNG(rng, NULL, sizeof(l->info.seed), l->info.seed))))
		l->info.seed_size = sizeof(l->info.seed);
}

void loader_read_inputs(struct loader *l)
{
	l->info.efi_system_table = paddr((uintptr_t)l->system);
	read_framebuffer(l);
	read_tables(l);
	read_seed(l);
}
