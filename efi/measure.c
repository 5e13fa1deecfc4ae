/*
 * Measured boot: extends the registers (PCRs) of a TPM by what the machine is about to start, as systemd-stub does it,
 * so that a secret can be sealed to this boot file. Without a TPM nothing happens.
 *
 *   PCR 11   each section of the boot file that decides what runs: its name, then its content
 *   PCR 12   the command line, if it came from LoadOptions in place of .cmdline
 *   PCR 9    archives that did not come with the boot file, with the tag that Linux's EFI stub gives them
 *
 * The firmware writes each of these into its event log. (TCG EFI Protocol Specification, "EFI_TCG2_PROTOCOL";
 * systemd-stub(7), "TPM PCR Notes")
 */
#include "efi/load_options.h"
#include "efi/loader.h"
#include "kernel/lib/string.h"

#define PCR_SECTIONS 11
#define PCR_OPTIONS  12
#define PCR_ARCHIVES 9

/* Types of events (TCG PC Client Platform Firmware Profile, "Event Types"). */
#define EVENT_TAG 6  /* the event's bytes are a struct tagged_event */
#define EVENT_IPL 13 /* the event's bytes are text in UTF-16 */

#define TCG2_VERSION 1 /* the version of struct tcg2_event's header */
/* The most bytes of an event's description in the log. Only the description is cut, not what is measured. */
#define DESCRIPTION_MOST (OPTIONS_MOST * sizeof(CHAR16))

/* "EFI_TCG2_EVENT": what the log keeps beside the digest. */
struct tcg2_event {
	uint32_t size; /* bytes of the whole event */
	uint32_t header_size;
	uint16_t header_version;
	uint32_t pcr;
	uint32_t type;
	uint8_t bytes[DESCRIPTION_MOST];
} __attribute__((packed));

/* Bytes of struct tcg2_event in front of its field `bytes`, and how many of these are its header. */
#define EVENT_FIXED  (sizeof(struct tcg2_event) - DESCRIPTION_MOST)
#define EVENT_HEADER (EVENT_FIXED - sizeof(uint32_t))

_Static_assert(EVENT_FIXED == 18, "TCG EFI Protocol Specification, \"EFI_TCG2_EVENT\"");

/* "BOOT_SERVICE_CAPABILITY", as far as it is read here. */
struct tcg2_capability {
	uint8_t size; /* in: bytes of the structure; out: how many of them the firmware has filled in */
	uint8_t versions[4];
	uint32_t hash_algorithms, log_formats;
	uint8_t present; /* a TPM is there */
	uint8_t rest[23];
};

/* "EFI_TCG2_PROTOCOL" up to the last function that is called here. */
struct tcg2 {
	EFI_STATUS(EFIAPI *get_capability)(struct tcg2 *self, struct tcg2_capability *capability);
	void *get_event_log;
	EFI_STATUS(EFIAPI *hash_log_extend_event)
	(struct tcg2 *self, uint64_t flags, EFI_PHYSICAL_ADDRESS data, uint64_t size, struct tcg2_event *event);
};

static const EFI_GUID tcg2_guid = { 0x607f766c, 0x7455, 0x42be, { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } };

/* Linux's event of an initial file system ("Linux initrd" and its number are those of Linux's EFI stub). */
struct tagged_event {
	uint32_t id;
	uint32_t size;
	char text[13];
};

static const struct tagged_event archives_event = { 0x8f3b22ec, sizeof(archives_event.text), "Linux initrd" };

/* Return the firmware's protocol if the machine has a TPM, otherwise NULL. */
static struct tcg2 *find_tpm(struct loader *l)
{
	EFI_GUID guid = tcg2_guid;
	struct tcg2_capability capability = { .size = sizeof(capability) };
	struct tcg2 *tpm = NULL;

	if (EFI_ERROR(FIRMWARE(l, l->boot->LocateProtocol(&guid, NULL, (void **)&tpm))) || !tpm ||
	    EFI_ERROR(FIRMWARE(l, tpm->get_capability(tpm, &capability))) || !capability.present)
		return NULL;
	return tpm;
}

/*
 * Extend register `pcr` by the digest of `size` bytes at `data`. The firmware logs an event of type `type`, with the
 * `count` bytes at `bytes`, cut to what fits, as its description.
 */
static EFI_STATUS extend(struct loader *l, struct tcg2 *tpm, uint32_t pcr, const void *data, uint64_t size,
			 uint32_t type, const void *bytes, size_t count)
{
	struct tcg2_event event;

	if (count > DESCRIPTION_MOST)
		count = DESCRIPTION_MOST;
	event.size = (uint32_t)(EVENT_FIXED + count);
	event.header_size = EVENT_HEADER;
	event.header_version = TCG2_VERSION;
	event.pcr = pcr;
	event.type = type;
	memcpy(event.bytes, bytes, count);
	return FIRMWARE(l, tpm->hash_log_extend_event(tpm, 0, (uintptr_t)data, size, &event));
}

/*
 * Measure the sections in the order of systemd-stub of Debian 12, whatever their order in the file. The kernel's
 * section counts under the name that systemd-measure --linux= gives it. Sections that are absent are not measured.
 */
static EFI_STATUS measure_sections(struct loader *l, struct tcg2 *tpm)
{
	static const struct {
		const char *section; /* eight bytes, as in the section table */
		const char *name;    /* as it is measured, with the NUL */
	} order[] = {
		{ ".kernel\0", ".linux" },  { ".osrel\0\0", ".osrel" }, { ".cmdline", ".cmdline" },
		{ ".initrd\0", ".initrd" }, { ".splash\0", ".splash" }, { ".dtb\0\0\0\0", ".dtb" },
		{ ".pcrpkey", ".pcrpkey" }, { ".profile", ".profile" },
	};
	EFI_STATUS status = EFI_SUCCESS;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && !EFI_ERROR(status); i++) {
		struct blob content = { NULL, 0 };
		const char *name = order[i].name;
		CHAR16 wide[9];
		size_t size = strlen(name) + 1;

		status = loader_section(l, order[i].section, &content);
		if (EFI_ERROR(status) || !content.data)
			continue;
		for (size_t at = 0; at < size; at++)
			wide[at] = (CHAR16)name[at];
		status = extend(l, tpm, PCR_SECTIONS, name, size, EVENT_IPL, wide, 2 * size);
		if (!EFI_ERROR(status))
			status = extend(l, tpm, PCR_SECTIONS, content.data, content.size, EVENT_IPL, wide, 2 * size);
	}
	return status;
}

/* Measure the command line, in UTF-16 with the NUL, as firmware passes it. */
static EFI_STATUS measure_options(struct loader *l, struct tcg2 *tpm)
{
	CHAR16 wide[OPTIONS_MOST];
	size_t units = options_utf16(l->options, wide, OPTIONS_MOST);
	size_t bytes = (units + 1) * sizeof(CHAR16);

	return extend(l, tpm, PCR_OPTIONS, wide, bytes, EVENT_IPL, wide, bytes);
}

static EFI_STATUS measure_archives(struct loader *l, struct tcg2 *tpm)
{
	return extend(l, tpm, PCR_ARCHIVES, (const void *)l->info.initrd_outside.raw, l->info.initrd_outside_size,
		      EVENT_TAG, &archives_event, offsetof(struct tagged_event, text) + archives_event.size);
}

void loader_measure(struct loader *l)
{
	struct tcg2 *tpm = find_tpm(l);
	EFI_STATUS status;

	if (!tpm)
		return;
	status = measure_sections(l, tpm);
	if (!EFI_ERROR(status) && l->options)
		status = measure_options(l, tpm);
	if (!EFI_ERROR(status) && l->info.initrd_outside_size)
		status = measure_archives(l, tpm);
	if (EFI_ERROR(status))
		(void)loader_fail(l, status, "TPM: not all is measured: 0x%llx", (unsigned long long)status);
	else
		l->info.flags |= BOOT_MEASURED;
}
