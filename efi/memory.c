/*
 * Reads the firmware's memory map, and makes of it the sanitised map that the kernel gets. The firmware's map comes
 * unsorted, with empty, overlapping and misaligned entries, some hundreds of them on real boards, and its entries are
 * DescriptorSize bytes apart, not sizeof(EFI_MEMORY_DESCRIPTOR).
 */
#include "efi/loader.h"
#include "kernel/lib/string.h"
#include "paging/layout.h"

#ifndef EFI_MEMORY_SP
#define EFI_MEMORY_SP 0x40000 /* UEFI 2.10, "EFI_BOOT_SERVICES.GetMemoryMap()"; gnu-efi does not name it */
#endif

#define LOW_END   (1u << 20)
#define RAM_LEAST (1u << 20) /* least bytes of free RAM: with less the kernel would only fail later */

EFI_STATUS loader_read_memory_map(struct loader *l, struct firmware_map *map)
{
	UINT32 version;
	EFI_STATUS status;

	map->size = map->capacity;
	status = FIRMWARE(l, l->boot->GetMemoryMap(&map->size, map->descriptors, &map->key, &map->descriptor_size,
						   &version));
	if (EFI_ERROR(status))
		return status;
	if (map->descriptor_size < sizeof(EFI_MEMORY_DESCRIPTOR))
		return loader_fail(l, EFI_LOAD_ERROR, "memory map descriptors of %llu bytes, at least %zu needed",
				   (unsigned long long)map->descriptor_size, sizeof(EFI_MEMORY_DESCRIPTOR));
	return EFI_SUCCESS;
}

/*
 * Return the kernel's type for a descriptor (UEFI 2.10, "Memory Type Usage after ExitBootServices()"). Memory of an
 * unknown type is reserved.
 */
static enum mem_type type_of(const EFI_MEMORY_DESCRIPTOR *d)
{
	static const uint8_t types[] = {
		[EfiReservedMemoryType] = MEM_RESERVED,
		[EfiLoaderCode] = MEM_LOADER,
		[EfiLoaderData] = MEM_LOADER,
		[EfiBootServicesCode] = MEM_BOOT_SERVICES,
		[EfiBootServicesData] = MEM_BOOT_SERVICES,
		[EfiRuntimeServicesCode] = MEM_RUNTIME_CODE,
		[EfiRuntimeServicesData] = MEM_RUNTIME_DATA,
		[EfiConventionalMemory] = MEM_USABLE,
		[EfiUnusableMemory] = MEM_RESERVED,
		[EfiACPIReclaimMemory] = MEM_ACPI_RECLAIM,
		[EfiACPIMemoryNVS] = MEM_ACPI_NVS,
		[EfiMemoryMappedIO] = MEM_MMIO,
		[EfiMemoryMappedIOPortSpace] = MEM_MMIO,
		[EfiPalCode] = MEM_RESERVED,
	};
	enum mem_type type = d->Type < sizeof(types) ? (enum mem_type)types[d->Type] : MEM_RESERVED;

	/* RAM that must not be cached write-back has no place in a write-back direct map. */
	if (mem_type_is_ram(type) && d->Attribute && !(d->Attribute & EFI_MEMORY_WB))
		return MEM_RESERVED;
	if (!(d->Attribute & (EFI_MEMORY_RUNTIME | EFI_MEMORY_SP)))
		return type;
	/* Memory that runtime services still use must not be given away, whatever its type. Linux keeps it, too. */
	if (d->Attribute & EFI_MEMORY_RUNTIME && (type == MEM_BOOT_SERVICES || type == MEM_USABLE))
		return d->Type == EfiBootServicesCode ? MEM_RUNTIME_CODE : MEM_RUNTIME_DATA;
	/* Special-purpose memory is left to a driver that knows what it is for. */
	return type == MEM_USABLE && d->Attribute & EFI_MEMORY_SP ? MEM_RESERVED : type;
}

/*
 * Add the firmware's descriptors to `map`. Empty ones are skipped. Ranges that are not RAM grow to whole pages, RAM
 * shrinks to whole pages. A range that wraps, or extends beyond `most`, the end of physical addresses, is cut there.
 * Returns ERR_NO_MEMORY when `map` is full.
 */
enum status memmap_add_firmware(struct memmap *map, const void *descriptors, uint64_t size, uint64_t descriptor_size,
				uint64_t most)
{
	struct mem_range run = { 0, 0, MEM_NONE }; /* neighbours of one type, to be added as one range */
	enum status status = OK;

	for (uint64_t at = 0; status == OK && size - at >= descriptor_size; at += descriptor_size) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)((const uint8_t *)descriptors + at);
		uint64_t start = d->PhysicalStart, end = start + (d->NumberOfPages << PAGE_SHIFT);
		enum mem_type type = type_of(d);

		if (start >= most || !d->NumberOfPages)
			continue;
		if (d->NumberOfPages > (most - start) >> PAGE_SHIFT)
			end = most;
		if (!is_aligned(start | end, PAGE_SIZE)) {
			bool ram = mem_type_is_ram(type);

			start = ram ? align_up(start, PAGE_SIZE) : align_down(start, PAGE_SIZE);
			end = ram ? align_down(end, PAGE_SIZE) : align_up(end, PAGE_SIZE);
			if (start >= end)
				continue;
		}
		if (start == run.end && type == (enum mem_type)run.type) {
			run.end = end;
			continue;
		}
		if (run.type != MEM_NONE)
			status = memmap_add(map, run.start, run.end, (enum mem_type)run.type);
		run = (struct mem_range){ start, end, type };
	}
	if (status == OK && run.type != MEM_NONE)
		status = memmap_add(map, run.start, run.end, (enum mem_type)run.type);
	return status;
}

/* Add `pages` pages from `pa`, which is page-aligned, to the map; nothing when `pages` is 0. */
static enum status add_pages(struct memmap *map, paddr_t pa, uint64_t pages, enum mem_type type)
{
	return pages ? memmap_add(map, pa.raw, pa.raw + pages * PAGE_SIZE, type) : OK;
}

/* Return how many bytes of RAM the direct map cannot reach: they stay unused. */
static uint64_t excess(const struct memmap *map)
{
	uint64_t bytes = 0;

	for (size_t i = map->count; i-- && map->ranges[i].end > HHDM_SIZE;) {
		const struct mem_range *r = &map->ranges[i];

		if (mem_type_is_ram((enum mem_type)r->type))
			bytes += r->end - (r->start > HHDM_SIZE ? r->start : HHDM_SIZE);
	}
	return bytes;
}

/* Mark the first MiB as not free, as Linux does: the firmware of real laptops still writes there. */
static enum status keep_low(struct memmap *map)
{
	enum status status = OK;
	size_t i = 0;

	while (status == OK && i < map->count && map->ranges[i].start < LOW_END) {
		const struct mem_range r = map->ranges[i];

		/*
		 * When range `i` is added again as MEM_LOW, it may be merged with its neighbour below. Then `i` is the
		 * index of another range, so look at `i` again.
		 */
		if (r.type < MEM_LOW)
			status = memmap_add(map, r.start, r.end < LOW_END ? r.end : LOW_END, MEM_LOW);
		else
			i++;
	}
	return status;
}

/*
 * Return whether there is RAM to run in. There may be none, since descriptors overlap, and the more restrictive type
 * wins where they do (memmap_add()).
 */
static bool has_ram(const struct memmap *map)
{
	uint64_t bytes = 0;

	for (size_t i = map->count; i-- && bytes < RAM_LEAST;) {
		const struct mem_range *r = &map->ranges[i];

		if (r->type == MEM_USABLE && r->start < HHDM_SIZE)
			bytes += r->end - r->start;
	}
	return bytes >= RAM_LEAST;
}

static bool is_loaders(const struct memmap *map, paddr_t pa)
{
	const struct mem_range *r = memmap_find(map, pa);

	return r && r->type == MEM_LOADER;
}

/*
 * Build the sanitised map: the firmware's ranges, and on top of them those ranges whose use the loader knows. Returns
 * ERR_NO_MEMORY when the arena, the memory in which the loader builds all that it hands to the kernel, has no
 * room for so many ranges; ERR_NOT_FOUND when no RAM is left to run in, or when the map does not show the arena as
 * memory of the loader.
 */
enum status loader_build_memmap(struct loader *l, const struct firmware_map *firmware, struct memmap *map)
{
	const struct arena *a = &l->arena;
	const struct boot_framebuffer *fb = &l->info.framebuffer;
	uint64_t fb_start = align_down(fb->pa.raw, PAGE_SIZE), fb_end = align_up(fb->pa.raw + fb->size, PAGE_SIZE);
	enum status status;

	map->count = 0;
	status = memmap_add_firmware(map, firmware->descriptors, firmware->size, firmware->descriptor_size,
				     1ULL << l->physical_bits);
	if (status == OK)
		status = keep_low(map);
	if (status == OK)
		status = loader_keep_acpi(map, l->info.rsdp);
	if (status == OK && fb->width)
		status = add_pages(map, paddr(fb_start), (fb_end - fb_start) / PAGE_SIZE, MEM_FRAMEBUFFER);
	if (status == OK)
		status = add_pages(map, paddr((uintptr_t)l->initrd.data),
				   align_up(l->initrd.size, PAGE_SIZE) / PAGE_SIZE, MEM_INITRD);
	if (status == OK)
		status = add_pages(map, l->info.initrd_outside,
				   align_up(l->info.initrd_outside_size, PAGE_SIZE) / PAGE_SIZE, MEM_INITRD);
	for (size_t i = 0; i < l->info.segment_count && status == OK; i++)
		status = add_pages(map, l->info.segments[i].pa, l->info.segments[i].pages, MEM_IMAGE);
	if (status == OK)
		status = add_pages(map, paddr_add(a->low, PAGE_SIZE), a->table_pages, MEM_TABLES);
	l->info.hhdm_excess = excess(map);
	if (status == OK && (!has_ram(map) || !is_loaders(map, a->low) || !is_loaders(map, a->handoff)))
		status = ERR_NOT_FOUND;
	return status;
}
