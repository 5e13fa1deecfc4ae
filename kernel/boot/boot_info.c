/*
 * Checks the handoff: the loader is another program, and this is where it is not believed.
 */
#include "kernel/boot/boot_info.h"

struct check {
	const struct boot_info *info;
	struct memmap map;
	const char *what; /* the first field that is wrong, or NULL */
	uint64_t value;
};

static void expect(struct check *c, bool good, const char *what, uint64_t value)
{
	if (good || c->what)
		return;
	c->what = what;
	c->value = value;
}

/* Does [pa, pa + size) lie in one range of the map, of `type` (MEM_NONE: any RAM)? */
static bool in_memory(const struct check *c, paddr_t pa, uint64_t size, enum mem_type type)
{
	const struct mem_range *r = memmap_find(&c->map, pa);

	return r && size <= r->end - pa.raw &&
	       (type == MEM_NONE ? mem_type_is_ram((enum mem_type)r->type) : r->type == (uint64_t)type);
}

static void check_map(struct check *c)
{
	const struct boot_info *info = c->info;
	size_t bad = 0;

	expect(c, info->memmap.raw && is_aligned(info->memmap.raw, sizeof(uint64_t)), "memmap", info->memmap.raw);
	expect(c, info->memmap_count && info->memmap_count < 1 << 20, "memmap_count", info->memmap_count);
	if (c->what)
		return;
	c->map = (struct memmap){ .ranges = (struct mem_range *)(info->hhdm + info->memmap.raw),
				  .count = info->memmap_count,
				  .capacity = info->memmap_count };
	expect(c, memmap_check(&c->map, &bad) == OK, "memmap[]", bad);
	if (!c->what)
		expect(c, in_memory(c, info->memmap, info->memmap_count * sizeof(struct mem_range), MEM_LOADER),
		       "memmap", info->memmap.raw);
}

static void check_segments(struct check *c)
{
	const struct boot_info *info = c->info;

	expect(c, info->segment_count && info->segment_count <= BOOT_SEGMENTS, "segment_count", info->segment_count);
	for (uint64_t i = 0; !c->what && i < info->segment_count; i++) {
		const struct boot_segment *s = &info->segments[i];

		expect(c,
		       s->pages && s->pages < 1 << 20 && is_aligned(s->pa.raw, PAGE_SIZE) &&
			       in_memory(c, s->pa, s->pages * PAGE_SIZE, MEM_IMAGE),
		       "segments[].pa", s->pa.raw);
		expect(c, is_aligned(s->va, PAGE_SIZE), "segments[].va", s->va);
	}
}

static void check_framebuffer(struct check *c)
{
	const struct boot_framebuffer *fb = &c->info->framebuffer;

	if (!fb->width)
		return;
	expect(c, fb->height && fb->width <= 1 << 16 && fb->height <= 1 << 16, "framebuffer.height", fb->height);
	expect(c, fb->pitch / 4 >= fb->width, "framebuffer.pitch", fb->pitch);
	expect(c, (uint64_t)fb->pitch * fb->height <= fb->size, "framebuffer.size", fb->size);
}

enum status boot_info_check(const struct boot_info *info, const char **ret_what, uint64_t *ret_value)
{
	struct check c = { .info = info };

	expect(&c, info->magic == BOOT_INFO_MAGIC, "magic", info->magic);
	expect(&c, info->version == BOOT_INFO_VERSION, "version", info->version);
	expect(&c, info->size == sizeof(*info), "size", info->size);
	if (!c.what)
		check_map(&c);
	if (!c.what) {
		expect(&c,
		       info->table_frames && is_aligned(info->tables.raw, PAGE_SIZE) &&
			       in_memory(&c, info->tables, (info->table_frames + info->table_spare) * PAGE_SIZE,
					 MEM_TABLES),
		       "tables", info->tables.raw);
		expect(&c, in_memory(&c, info->cmdline, info->cmdline_size + 1, MEM_LOADER), "cmdline",
		       info->cmdline.raw);
		expect(&c,
		       info->efi_descriptor_size >= 40 && info->efi_map_size &&
			       in_memory(&c, info->efi_map, info->efi_map_size, MEM_LOADER),
		       "efi_map", info->efi_map.raw);
		expect(&c, !info->initrd_size || in_memory(&c, info->initrd, info->initrd_size, MEM_INITRD), "initrd",
		       info->initrd.raw);
		expect(&c, info->seed_size <= sizeof(info->seed), "seed_size", info->seed_size);
		check_segments(&c);
		check_framebuffer(&c);
	}
	if (!c.what)
		return OK;
	*ret_what = c.what;
	*ret_value = c.value;
	return ERR_FORMAT;
}
