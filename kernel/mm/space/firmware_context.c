/*
 * The firmware context, and the one runtime service that the kernel uses, ResetSystem(). The firmware runs at physical
 * addresses, in the lower half of a context of its own. SetVirtualAddressMap() is not used: it can be called only once,
 * so a kernel started after this one, by kexec, would be stuck with this one's addresses.
 */
#include "kernel/mm/space/firmware_context.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/arch/firmware_call.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"

/* UEFI 2.10, "EFI_TABLE_HEADER", "EFI System Table", "EFI Runtime Services Table". */
struct efi_header {
	uint64_t signature;
	uint32_t revision, size, crc, reserved;
};

struct efi_system_table {
	struct efi_header header;
	paddr_t vendor; /* UTF-16, NUL-terminated */
	uint64_t revision;
	uint64_t console[6];
	paddr_t runtime;
	paddr_t boot;
};

struct efi_runtime_services {
	struct efi_header header;
	uint64_t time[4];
	uint64_t virtual_memory[2];
	uint64_t variable[3];
	uint64_t next_count;
	uint64_t reset_system;
};

_Static_assert(offsetof(struct efi_system_table, runtime) == 88, "UEFI 2.10, EFI System Table");
_Static_assert(offsetof(struct efi_runtime_services, reset_system) == 104, "UEFI 2.10, EFI Runtime Services Table");

#define EFI_SYSTEM_SIGNATURE  0x5453595320494249ULL /* "IBI SYST" */
#define EFI_RUNTIME_SIGNATURE 0x56524553544e5552ULL /* "RUNTSERV" */

struct efi_descriptor {
	uint32_t type;
	uint32_t pad;
	uint64_t start;
	uint64_t unused;
	uint64_t pages;
	uint64_t attribute;
};

#define EFI_BOOT_CODE      3
#define EFI_RUNTIME_CODE   5
#define EFI_MMIO           11
#define EFI_MEMORY_WC      (1ULL << 1)
#define EFI_MEMORY_WT      (1ULL << 2)
#define EFI_MEMORY_WB      (1ULL << 3)
#define EFI_MEMORY_XP      (1ULL << 14)
#define EFI_MEMORY_RO      (1ULL << 17)
#define EFI_MEMORY_RUNTIME (1ULL << 63)

/* UEFI 2.10, "EFI_MEMORY_ATTRIBUTES_TABLE". */
struct efi_attributes {
	uint32_t version, entries, descriptor_size, flags;
};

/*
 * A mask of the vectors that count as a fault of the firmware's code: #DE, #OF, #BR, #UD, #NM, #TS to #PF, #MF, #AC,
 * #XM, #CP. Left out are #DB and #BP, which are the debugger's, and NMI, #DF and #MC, which do not show that the called
 * code is at fault.
 */
#define FIRMWARE_FAULTS 0x002b7cf1u

static struct context context; /* the firmware context. Fixed after boot */
/* physical address of the function ResetSystem(); 0: no firmware context. Fixed after boot */
static uint64_t reset_system;
static bool off_restarts; /* the firmware restarts the machine when asked to turn it off. Fixed after boot */

/*
 * Return a pointer to `bytes` of RAM at `pa`, through the direct map; NULL when they do not all lie in one range of
 * RAM. For pointers in the firmware's tables, which may be wrong.
 */
static const void *ram_at(paddr_t pa, uint64_t bytes)
{
	const struct mem_range *r = memmap_find(machine_memmap, pa);

	if (!pa.raw || !r || !mem_type_is_ram((enum mem_type)r->type) || bytes > r->end - pa.raw || r->end > HHDM_SIZE)
		return NULL;
	return hhdm_ptr(pa);
}

/* Return the memory type for a region: the fastest that it allows, or uncached for MMIO, or when it names none. */
static enum page_prot type_of(const struct efi_descriptor *d)
{
	if (d->type == EFI_MMIO)
		return PROT_UC;
	if (d->attribute & EFI_MEMORY_WB)
		return PROT_WB;
	if (d->attribute & EFI_MEMORY_WT)
		return PROT_WT;
	return d->attribute & EFI_MEMORY_WC ? PROT_WC : PROT_UC;
}

/*
 * Return the rights of a region: code is not writable and data not executable, even where the firmware's map allows
 * more.
 */
static enum page_prot rights_of(const struct efi_descriptor *d)
{
	return (d->type == EFI_RUNTIME_CODE || d->type == EFI_BOOT_CODE ? PROT_X : PROT_W) | type_of(d);
}

/*
 * Map the regions that runtime services need. A region that is not aligned, reaches beyond the lower half or overlaps
 * another is left out: firmware code that goes there faults, and the call fails. Returns ERR_NO_MEMORY.
 */
static enum status map_runtime_regions(struct space *s, const struct boot_info *info)
{
	const uint64_t reach = 1ULL << cpu_features()->physical_bits, most = reach < USER_SIZE ? reach : USER_SIZE;
	const uint8_t *map = hhdm_ptr(info->efi_map);
	enum status status;

	for (uint64_t at = 0; info->efi_map_size - at >= info->efi_descriptor_size; at += info->efi_descriptor_size) {
		const struct efi_descriptor *d = (const void *)(map + at);

		if (!(d->attribute & EFI_MEMORY_RUNTIME) || !d->pages)
			continue;
		status = ERR_RANGE;
		if (is_aligned(d->start, PAGE_SIZE) && d->start < most && d->pages <= (most - d->start) / PAGE_SIZE)
			status = space_map(s, d->start, paddr(d->start), d->pages, rights_of(d));
		if (status == ERR_NO_MEMORY)
			return status;
		if (status != OK)
			log_warn("firmware: runtime region of %llu pages at %#llx left out: %s\n",
				 (unsigned long long)d->pages, (unsigned long long)d->start,
				 status == ERR_EXISTS ? "it overlaps another" : "no such addresses");
	}
	return OK;
}

/*
 * Refine the rights of the mapped regions by the firmware's memory attributes table, which says of parts of a region
 * whether they are code or data. Entries that make no sense are skipped: the region's rights stay.
 * Returns ERR_NO_MEMORY.
 */
static enum status apply_attributes(struct context *c, const struct boot_info *info)
{
	const struct efi_attributes *table = ram_at(info->efi_attributes, sizeof(*table));
	struct tlb_flush flush = TLB_FLUSH_NONE;
	enum status status = OK;
	const uint8_t *at;

	if (!table || table->descriptor_size < sizeof(struct efi_descriptor) ||
	    !ram_at(info->efi_attributes, sizeof(*table) + (uint64_t)table->entries * table->descriptor_size))
		return OK;
	at = (const uint8_t *)(table + 1);
	for (uint32_t i = 0; i < table->entries && status != ERR_NO_MEMORY; i++, at += table->descriptor_size) {
		const struct efi_descriptor *d = (const void *)at;
		enum page_prot prot =
			(d->attribute & EFI_MEMORY_RO ? 0 : PROT_W) | (d->attribute & EFI_MEMORY_XP ? 0 : PROT_X);

		struct mapping old;

		/* An address of the upper half could reach slot 511, which every context shares. */
		if (d->start >= USER_SIZE || d->pages > (USER_SIZE - d->start) / PAGE_SIZE)
			continue;
		/*
		 * Change only rights: an entry is part of one region of the map (UEFI 2.10), so all of it has one
		 * memory type, which must stay. Entries of MMIO and entries that are not mapped are skipped.
		 */
		if (d->type != EFI_MMIO && space_lookup(&c->space, d->start, &old) == OK)
			status = space_protect(&c->space, d->start, d->pages, prot | (old.prot & PROT_TYPE), &flush);
	}
	context_flush(c, &flush);
	return status == ERR_NO_MEMORY ? status : OK;
}

/* Return the runtime services table, or NULL: *ret_status says whether the firmware has none or a broken one. */
static const struct efi_runtime_services *runtime_services(const struct boot_info *info, enum status *ret_status)
{
	const struct efi_system_table *system = ram_at(info->efi_system_table, sizeof(*system));
	const struct efi_runtime_services *runtime;

	*ret_status = ERR_NOT_FOUND;
	if (!system)
		return NULL;
	*ret_status = ERR_FORMAT;
	runtime = ram_at(system->runtime, sizeof(*runtime));
	if (system->header.signature != EFI_SYSTEM_SIGNATURE || !runtime ||
	    runtime->header.signature != EFI_RUNTIME_SIGNATURE)
		return NULL;
	return runtime;
}

enum status firmware_context_create(const struct boot_info *info, struct context *ret)
{
	enum status status = context_create(ret);

	if (status != OK)
		return status;
	status = map_runtime_regions(&ret->space, info);
	if (status == OK)
		status = apply_attributes(ret, info);
	if (status != OK)
		context_destroy(ret);
	return status;
}

/* Return whether the firmware vendor's name begins with `name`. */
static bool is_vendor(const struct boot_info *info, const char *name)
{
	const struct efi_system_table *system = ram_at(info->efi_system_table, sizeof(*system));
	const uint8_t *vendor = system ? ram_at(system->vendor, 2 * strlen(name)) : NULL;

	if (!vendor)
		return false;
	for (; *name; name++, vendor += 2)
		if (vendor[0] != (uint8_t)*name || vendor[1])
			return false;
	return true;
}

enum status firmware_init(const struct boot_info *info)
{
	enum status status;
	const struct efi_runtime_services *runtime = runtime_services(info, &status);

	if (!runtime)
		return status;
	status = firmware_context_create(info, &context);
	if (status != OK)
		return status;
	for (unsigned vector = 0; vector < TRAP_EXTERNAL; vector++)
		if (FIRMWARE_FAULTS >> vector & 1)
			trap_set_handler(vector, firmware_call_fault);
	reset_system = runtime->reset_system;
	off_restarts = is_vendor(info, "Das U-Boot");
	return OK;
}

bool firmware_off_restarts(void)
{
	return off_restarts;
}

const struct space *firmware_space(void)
{
	return reset_system ? &context.space : NULL;
}

enum status firmware_reset(enum firmware_reset how)
{
	const uint64_t arguments[4] = { how, 0, 0, 0 };

	if (!reset_system)
		return ERR_NOT_FOUND;
	/* firmware_call() loads the root itself, with PCID 0, since tlb.c must know of every load with another PCID. */
	(void)firmware_call(context.space.root.raw, reset_system, arguments);
	return ERR_RIGHTS;
}
