/*
 * Checks what the loader hands to the kernel: the loader is another program and may be a wrong or a damaged one. The
 * content of firmware tables is not checked here: whoever reads such a table checks it.
 */
#include "kernel/boot/boot_info.h"

#include "paging/pte.h"

#define ADDRESS_END (1ULL << 52) /* no CPU has more physical address bits (Intel SDM vol. 3A, "4-Level Paging") */
/* the size of UEFI 2.10's EFI_MEMORY_DESCRIPTOR, version 1; later ones are larger */
#define DESCRIPTOR_LEAST 40
#define SCREEN_MOST      65536 /* the most pixels that a side of the screen may have */

struct check {
	const struct boot_info *info;
	vaddr_t hhdm;      /* where the caller says that the direct map starts */
	struct memmap map; /* empty until check_map() has found it good */
	const char *what;  /* the first field that is wrong, or NULL */
	uint64_t value;
};

static void expect(struct check *c, bool good, const char *what, uint64_t value)
{
	if (good || c->what)
		return;
	c->what = what;
	c->value = value;
}

static const void *pointer_to(const struct check *c, paddr_t pa)
{
	return (const void *)(c->hhdm + pa.raw);
}

/*
 * Return whether [pa, pa + size) lies in memory of `type` and the direct map covers it. Neighbouring ranges of one type
 * are merged in the map, so looking at the range that holds `pa` is enough.
 */
static bool in_memory(const struct check *c, paddr_t pa, uint64_t size, enum mem_type type)
{
	const struct mem_range *r = memmap_find(&c->map, pa);

	return r && r->type == (uint64_t)type && size <= r->end - pa.raw && pa.raw + size <= HHDM_SIZE;
}

/* Return what in_memory() returns for `pages` pages at `pa`, and false when `pa` is not page-aligned. */
static bool pages_in_memory(const struct check *c, paddr_t pa, uint64_t pages, enum mem_type type)
{
	return is_aligned(pa.raw, PAGE_SIZE) && pages <= HHDM_SIZE / PAGE_SIZE &&
	       in_memory(c, pa, pages * PAGE_SIZE, type);
}

static void check_version(struct check *c)
{
	const struct boot_info *info = c->info;

	expect(c, info->magic == BOOT_INFO_MAGIC, "magic", info->magic);
	expect(c, info->version == BOOT_INFO_VERSION, "version", info->version);
	expect(c, info->size == sizeof(*info), "size", info->size);
	expect(c, !(info->flags & ~(uint64_t)BOOT_FLAGS), "flags", info->flags);
	expect(c, info->hhdm == c->hhdm, "hhdm", info->hhdm);
}

static void check_map(struct check *c)
{
	const struct boot_info *info = c->info;
	uint64_t pa = info->memmap.raw, count = info->memmap_count;
	struct memmap map;
	size_t bad;

	expect(c, pa && pa < HHDM_SIZE && is_aligned(pa, sizeof(uint64_t)), "memmap", pa);
	expect(c, count && pa < HHDM_SIZE && count <= (HHDM_SIZE - pa) / sizeof(struct mem_range), "memmap_count",
	       count);
	if (c->what)
		return;
	map = (struct memmap){ (struct mem_range *)(c->hhdm + pa), count, count };
	if (memmap_check(&map, &bad) != OK) {
		expect(c, false, "memmap[index]", bad);
		return;
	}
	expect(c, map.ranges[count - 1].end <= ADDRESS_END, "memmap[].end", map.ranges[count - 1].end);
	c->map = map;
	expect(c, in_memory(c, info->memmap, count * sizeof(struct mem_range), MEM_LOADER), "memmap", pa);
	expect(c, in_memory(c, paddr((uintptr_t)info - c->hhdm), sizeof(*info), MEM_LOADER), "(address)",
	       (uintptr_t)info);
}

static void check_tables(struct check *c)
{
	const struct boot_info *info = c->info;
	uint64_t frames;

	expect(c, info->table_frames, "table_frames", info->table_frames);
	expect(c, !__builtin_add_overflow(info->table_frames, info->table_spare, &frames), "table_spare",
	       info->table_spare);
	expect(c, pages_in_memory(c, info->tables, frames, MEM_TABLES), "tables", info->tables.raw);
	expect(c, pages_in_memory(c, paddr(info->trampoline), 1, MEM_LOADER), "trampoline", info->trampoline);
}

static void check_segments(struct check *c)
{
	const struct boot_info *info = c->info;
	/*
	 * pages from the end of the previous segment to the end of the image's range; before the first segment all of
	 * the range
	 */
	uint64_t left = IMAGE_SIZE / PAGE_SIZE;

	expect(c, info->segment_count && info->segment_count <= BOOT_SEGMENTS, "segment_count", info->segment_count);
	for (uint64_t i = 0; !c->what && i < info->segment_count; i++) {
		const struct boot_segment *s = &info->segments[i];
		/* pages from the segment's start to the end of the image's range, which is 2^64 */
		uint64_t room = -s->va / PAGE_SIZE;

		expect(c, is_aligned(s->va, PAGE_SIZE) && s->va >= IMAGE_BASE && room <= left, "segments[].va", s->va);
		expect(c, s->pages && s->pages <= room, "segments[].pages", s->pages);
		expect(c, pages_in_memory(c, s->pa, s->pages, MEM_IMAGE), "segments[].pa", s->pa.raw);
		expect(c, s->prot == PROT_R || s->prot == PROT_W || s->prot == PROT_X, "segments[].prot", s->prot);
		left = room - s->pages;
	}
}

static void check_channel(struct check *c, unsigned shift, unsigned bits, const char *what)
{
	expect(c, bits && shift + bits <= 32, what, bits);
}

static void check_framebuffer(struct check *c)
{
	const struct boot_framebuffer *fb = &c->info->framebuffer;

	if (!fb->width)
		return;
	expect(c, fb->pa.raw && fb->pa.raw < ADDRESS_END, "framebuffer.pa", fb->pa.raw);
	expect(c, fb->size <= ADDRESS_END - fb->pa.raw, "framebuffer.size", fb->size);
	expect(c, fb->width <= SCREEN_MOST, "framebuffer.width", fb->width);
	expect(c, fb->height && fb->height <= SCREEN_MOST, "framebuffer.height", fb->height);
	expect(c, fb->pitch / 4 >= fb->width, "framebuffer.pitch", fb->pitch);
	expect(c, (uint64_t)fb->pitch * fb->height <= fb->size, "framebuffer.size", fb->size);
	check_channel(c, fb->red_shift, fb->red_bits, "framebuffer.red_bits");
	check_channel(c, fb->green_shift, fb->green_bits, "framebuffer.green_bits");
	check_channel(c, fb->blue_shift, fb->blue_bits, "framebuffer.blue_bits");
}

/*
 * Of the firmware's tables only the addresses are checked: firmware may keep them in memory that its map does not name
 * as RAM.
 */
static void check_firmware(struct check *c)
{
	const struct boot_info *info = c->info;

	expect(c, info->rsdp.raw < ADDRESS_END, "rsdp", info->rsdp.raw);
	expect(c, info->smbios.raw < ADDRESS_END, "smbios", info->smbios.raw);
	expect(c, info->efi_system_table.raw < ADDRESS_END, "efi_system_table", info->efi_system_table.raw);
	expect(c, info->efi_attributes.raw < ADDRESS_END, "efi_attributes", info->efi_attributes.raw);
	expect(c, info->efi_descriptor_size >= DESCRIPTOR_LEAST, "efi_descriptor_size", info->efi_descriptor_size);
	expect(c, info->efi_map_size >= info->efi_descriptor_size, "efi_map_size", info->efi_map_size);
	expect(c, in_memory(c, info->efi_map, info->efi_map_size, MEM_LOADER), "efi_map", info->efi_map.raw);
}

static void check_initrd(struct check *c, paddr_t pa, uint64_t size, const char *what, const char *what_size)
{
	if (!size)
		return;
	expect(c, size < HHDM_SIZE, what_size, size);
	expect(c, is_aligned(pa.raw, PAGE_SIZE), what, pa.raw);
	expect(c, in_memory(c, pa, size, MEM_INITRD), what, pa.raw);
}

static void check_words(struct check *c)
{
	const struct boot_info *info = c->info;
	uint64_t size = info->cmdline_size;

	expect(c, size < HHDM_SIZE, "cmdline_size", size);
	expect(c, in_memory(c, info->cmdline, size + 1, MEM_LOADER), "cmdline", info->cmdline.raw);
	if (!c->what)
		expect(c, ((const char *)pointer_to(c, info->cmdline))[size] == '\0', "cmdline_size", size);
	check_initrd(c, info->initrd, info->initrd_size, "initrd", "initrd_size");
	check_initrd(c, info->initrd_outside, info->initrd_outside_size, "initrd_outside", "initrd_outside_size");
	expect(c, !info->seed_size || info->seed_size == sizeof(info->seed), "seed_size", info->seed_size);
}

enum status boot_info_check_at(const struct boot_info *info, vaddr_t hhdm, const char **ret_what, uint64_t *ret_value)
{
	struct check c = { .info = info, .hhdm = hhdm };

	check_version(&c);
	if (!c.what)
		check_map(&c);
	/* These checks rely on the memory map, which has been checked above, but not on each other's result. */
	if (!c.what) {
		check_tables(&c);
		check_segments(&c);
		check_framebuffer(&c);
		check_firmware(&c);
		check_words(&c);
	}
	if (!c.what)
		return OK;
	*ret_what = c.what;
	*ret_value = c.value;
	return ERR_FORMAT;
}
