/*
 * Parses the contents of MADT, FADT, HPET, MCFG, SPCR and DBG2. Checks each length and each count before using it.
 */
#include "kernel/irq/acpi_parse.h"

/* ---- MADT (ACPI 6.5, "Multiple APIC Description Table") ---- */

enum madt_entry {
	MADT_CPU = 0,
	MADT_IO_APIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LOCAL_APIC_ADDRESS = 5,
	MADT_CPU_X2APIC = 9,
};

#define MADT_ENTRIES     44
#define MADT_PCAT_COMPAT 1
#define CPU_ENABLED      1
#define CPU_CAPABLE      2
#define CPU_NO_ID        0xff /* an APIC id of 8 bits that addresses all CPUs: an entry with it names no CPU */

static const char *add_cpu(uint32_t id, uint32_t flags, struct acpi_info *info)
{
	if (!(flags & CPU_ENABLED)) {
		info->cpus_absent += !!(flags & CPU_CAPABLE);
		return NULL;
	}
	/* Some firmware lists a CPU in entries of both kinds. */
	for (unsigned i = 0; i < info->cpu_id_count; i++)
		if (info->cpu_ids[i] == id)
			return NULL;
	info->cpus++;
	if (info->cpu_id_count == ACPI_CPUS)
		return "a CPU too many left out";
	info->cpu_ids[info->cpu_id_count++] = id;
	return NULL;
}

static const char *add_io_apic(const uint8_t *entry, struct acpi_info *info)
{
	if (info->io_apic_count == ACPI_IO_APICS)
		return "an I/O APIC too many left out";
	info->io_apics[info->io_apic_count++] = (struct acpi_io_apic){ .id = entry[2],
								       .pa = paddr(acpi_u32(entry + 4)),
								       .first_gsi = acpi_u32(entry + 8) };
	return NULL;
}

static const char *add_override(const uint8_t *entry, struct acpi_info *info)
{
	uint16_t flags = acpi_u16(entry + 8);

	/* Bus 0 is ISA, the only bus that is defined. */
	if (entry[2] != 0 || entry[3] > 15)
		return "an override of an interrupt that ISA has not left out";
	if (info->override_count == ACPI_OVERRIDES)
		return "an override too many left out";
	info->overrides[info->override_count++] = (struct acpi_override){
		.isa = entry[3],
		.gsi = acpi_u32(entry + 4),
		/*
		 * Bits 0-1 are the polarity: 0 as on ISA, 1 high, 3 low. Bits 2-3 are the trigger: 0 as on ISA, 1 edge,
		 * 3 level.
		 */
		.flags = ((flags & 3) == 3 ? ACPI_ACTIVE_LOW : 0) | ((flags >> 2 & 3) == 3 ? ACPI_LEVEL : 0),
	};
	return NULL;
}

/* Return the shortest length that an MADT entry of this type may have. */
static unsigned madt_least(uint8_t type)
{
	switch (type) {
	case MADT_CPU:
		return 8;
	case MADT_IO_APIC:
	case MADT_LOCAL_APIC_ADDRESS:
		return 12;
	case MADT_OVERRIDE:
		return 10;
	case MADT_CPU_X2APIC:
		return 16;
	default:
		return 2;
	}
}

static const char *madt_entry(const uint8_t *entry, struct acpi_info *info)
{
	switch (entry[0]) {
	case MADT_CPU:
		return entry[3] == CPU_NO_ID ? NULL : add_cpu(entry[3], acpi_u32(entry + 4), info);
	case MADT_CPU_X2APIC:
		return add_cpu(acpi_u32(entry + 4), acpi_u32(entry + 8), info);
	case MADT_IO_APIC:
		return add_io_apic(entry, info);
	case MADT_OVERRIDE:
		return add_override(entry, info);
	case MADT_LOCAL_APIC_ADDRESS:
		info->local_apic = paddr(acpi_u64(entry + 4));
		return NULL;
	default:
		return NULL;
	}
}

/*
 * Parse the MADT. An entry that makes no sense is listed as a fault and left out. After an entry of impossible length
 * all further entries are left out, too, since their beginning cannot be found.
 */
const char *acpi_parse_madt(struct acpi_table table, struct acpi_info *info)
{
	const char *wrong;

	if (table.size < MADT_ENTRIES)
		return "too short";
	info->local_apic = paddr(acpi_u32(table.bytes + 36));
	info->has_8259 = acpi_u32(table.bytes + 40) & MADT_PCAT_COMPAT;
	info->has_madt = true;
	for (uint32_t at = MADT_ENTRIES; at < table.size; at += table.bytes[at + 1]) {
		const uint8_t *entry = table.bytes + at;

		if (table.size - at < 2 || entry[1] < 2 || entry[1] > table.size - at) {
			acpi_note(info, table, "an entry of an impossible length, and what follows it, left out");
			return NULL;
		}
		wrong = entry[1] < madt_least(entry[0]) ? "an entry too short for its type left out"
							: madt_entry(entry, info);
		if (wrong)
			acpi_note(info, table, wrong);
	}
	return NULL;
}

/* ---- FADT (ACPI 6.5, "Fixed ACPI Description Table") ---- */

enum fadt_offset {
	FADT_DSDT = 40,
	FADT_SMI_COMMAND = 48,
	FADT_ACPI_ENABLE = 52,
	FADT_PM1A_EVENT = 56,
	FADT_PM1B_EVENT = 60,
	FADT_PM1A_CONTROL = 64,
	FADT_PM1B_CONTROL = 68,
	FADT_PM_TIMER = 76,
	FADT_PM1_EVENT_SIZE = 88,
	FADT_PM1_CONTROL_SIZE = 89,
	FADT_PM_TIMER_SIZE = 91,
	FADT_CENTURY = 108,
	FADT_FLAGS = 112,
	FADT_RESET = 116,
	FADT_RESET_VALUE = 128,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_EVENT = 148,
	FADT_X_PM1B_EVENT = 160,
	FADT_X_PM1A_CONTROL = 172,
	FADT_X_PM1B_CONTROL = 184,
	FADT_X_PM_TIMER = 208,
};

#define FADT_LEAST            116 /* bytes of ACPI 1.0's FADT */
#define FADT_RESET_SUPPORTED  (1u << 10)
#define FADT_HARDWARE_REDUCED (1u << 20)
#define GAS_SIZE              12

/* Return the Generic Address Structure at offset `at`; when the table is too short for it, one with address 0. */
static struct acpi_register register_at(struct acpi_table table, uint32_t at)
{
	const uint8_t *gas = table.bytes + at;

	if (table.size < at + GAS_SIZE)
		return (struct acpi_register){ 0 };
	return (struct acpi_register){ .space = gas[0], .bits = gas[1], .address = acpi_u64(gas + 4) };
}

/*
 * Return where a block of registers is. Later revisions of the FADT have a register structure for it at offset
 * `extended`. If that is missing or empty, use the fields of ACPI 1.0: a port number at offset `port` and a number of
 * bytes at offset `size`.
 */
static struct acpi_register block_at(struct acpi_table table, uint32_t extended, uint32_t port, uint32_t size)
{
	struct acpi_register r = register_at(table, extended);

	if (r.address)
		return r;
	return (struct acpi_register){ .space = ACPI_SPACE_IO,
				       .bits = (uint8_t)(table.bytes[size] * 8),
				       .address = acpi_u32(table.bytes + port) };
}

const char *acpi_parse_fadt(struct acpi_table table, struct acpi_info *info)
{
	uint32_t flags;

	if (table.size < FADT_LEAST)
		return "too short";
	flags = acpi_u32(table.bytes + FADT_FLAGS);
	if (acpi_u32(table.bytes + FADT_SMI_COMMAND) > UINT16_MAX)
		return "SMI_CMD is no port";
	info->smi_command = (uint16_t)acpi_u32(table.bytes + FADT_SMI_COMMAND);
	info->acpi_enable = table.bytes[FADT_ACPI_ENABLE];
	info->pm1a_event = block_at(table, FADT_X_PM1A_EVENT, FADT_PM1A_EVENT, FADT_PM1_EVENT_SIZE);
	info->pm1b_event = block_at(table, FADT_X_PM1B_EVENT, FADT_PM1B_EVENT, FADT_PM1_EVENT_SIZE);
	info->pm1a_control = block_at(table, FADT_X_PM1A_CONTROL, FADT_PM1A_CONTROL, FADT_PM1_CONTROL_SIZE);
	info->pm1b_control = block_at(table, FADT_X_PM1B_CONTROL, FADT_PM1B_CONTROL, FADT_PM1_CONTROL_SIZE);
	info->pm_timer = block_at(table, FADT_X_PM_TIMER, FADT_PM_TIMER, FADT_PM_TIMER_SIZE);
	info->century = table.bytes[FADT_CENTURY];
	info->hardware_reduced = flags & FADT_HARDWARE_REDUCED;
	if ((flags & FADT_RESET_SUPPORTED) && table.size > FADT_RESET_VALUE) {
		info->reset = register_at(table, FADT_RESET);
		info->reset_value = table.bytes[FADT_RESET_VALUE];
	}
	info->has_fadt = true;
	return NULL;
}

paddr_t acpi_dsdt_of(struct acpi_table fadt)
{
	uint64_t extended = fadt.size >= FADT_X_DSDT + 8 ? acpi_u64(fadt.bytes + FADT_X_DSDT) : 0;

	return paddr(extended ? extended : acpi_u32(fadt.bytes + FADT_DSDT));
}

/* ---- HPET (IA-PC HPET 1.0a, "The HPET Description Table"), MCFG (PCI Firmware 3.3, "MCFG Table") ---- */

#define HPET_SIZE    56
#define HPET_ADDRESS 40

const char *acpi_parse_hpet(struct acpi_table table, struct acpi_info *info)
{
	struct acpi_register r;

	if (table.size < HPET_SIZE)
		return "too short";
	r = register_at(table, HPET_ADDRESS);
	if (r.space != ACPI_SPACE_MEMORY || !r.address)
		return "not in memory";
	info->hpet = paddr(r.address);
	return NULL;
}

#define MCFG_ENTRIES 44
#define MCFG_ENTRY   16

const char *acpi_parse_mcfg(struct acpi_table table, struct acpi_info *info)
{
	if (table.size < MCFG_ENTRIES || (table.size - MCFG_ENTRIES) % MCFG_ENTRY)
		return "a wrong length";
	for (uint32_t at = MCFG_ENTRIES; at < table.size; at += MCFG_ENTRY) {
		const uint8_t *entry = table.bytes + at;
		struct acpi_mcfg m = { .pa = paddr(acpi_u64(entry)),
				       .segment = acpi_u16(entry + 8),
				       .first_bus = entry[10],
				       .last_bus = entry[11] };

		if (!m.pa.raw || !is_aligned(m.pa.raw, 1 << 20) || m.first_bus > m.last_bus)
			return "an entry that makes no sense";
		if (info->mcfg_count == ACPI_MCFGS)
			return "too many entries";
		info->mcfgs[info->mcfg_count++] = m;
	}
	return NULL;
}

/* ---- SPCR and DBG2 (Microsoft, "Serial Port Console Redirection Table", "Debug Port Table 2") ---- */

#define SPCR_SIZE    52 /* bytes up to the end of the port's address: all that is read */
#define SPCR_TYPE    36
#define SPCR_ADDRESS 40

#define DBG2_LIST        36 /* the field that holds the offset of the first device; DBG2_COUNT: that of their number */
#define DBG2_COUNT       40
#define DBG2_DEVICE_SIZE 22
#define DBG2_SERIAL      0x8000

/* Return whether an interface's subtype is that of a 16550 or of a chip that works like it. */
static bool is_16550(uint16_t subtype)
{
	return subtype == 0x00 || subtype == 0x01 || subtype == 0x12;
}

#define GAS_ACCESS 3 /* offset of a register structure's access size: 1 to 4 for 8 to 64 bits; 0: not said */

/* Note the port whose register structure is at `at`, if the kernel can drive it. */
static void add_serial(struct acpi_table table, uint32_t at, uint16_t subtype, struct acpi_info *info)
{
	struct acpi_register r = register_at(table, at);

	if (!is_16550(subtype) || !r.address || info->serial_count == ACPI_SERIALS)
		return;
	if (r.space == ACPI_SPACE_MEMORY) {
		const uint8_t access = table.bytes[at + GAS_ACCESS];
		const unsigned bits = access ? 4u << (access & 7) : r.bits;

		r.bits = bits == 16 || bits == 32 ? (uint8_t)bits : 8;
	} else if (r.space != ACPI_SPACE_IO || r.address > UINT16_MAX) {
		return;
	}
	info->serials[info->serial_count++] = r;
}

const char *acpi_parse_spcr(struct acpi_table table, struct acpi_info *info)
{
	if (table.size < SPCR_SIZE)
		return "too short";
	add_serial(table, SPCR_ADDRESS, table.bytes[SPCR_TYPE], info);
	return NULL;
}

const char *acpi_parse_dbg2(struct acpi_table table, struct acpi_info *info)
{
	uint32_t at, count;

	if (table.size < DBG2_COUNT + 4)
		return "too short";
	at = acpi_u32(table.bytes + DBG2_LIST);
	count = acpi_u32(table.bytes + DBG2_COUNT);
	while (count--) {
		const uint8_t *device = table.bytes + at;
		uint16_t size;

		if (at > table.size || table.size - at < DBG2_DEVICE_SIZE)
			return "a device beyond its end";
		size = acpi_u16(device + 1);
		if (size < DBG2_DEVICE_SIZE || size > table.size - at)
			return "a device of an impossible length";
		if (device[3] && acpi_u16(device + 12) == DBG2_SERIAL)
			add_serial(table, at + acpi_u16(device + 18), acpi_u16(device + 14), info);
		at += size;
	}
	return NULL;
}
