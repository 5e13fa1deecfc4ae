/*
 * Maps the vDSO and the clock page into programs. Both are pages of the kernel image, whose frames the frame allocator
 * does not manage: they are mapped in the lower half of each program as they are, and never freed.
 */
#include "kernel/task/vdso.h"

#include "kernel/irq/clock.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/task/process.h"

#define CODE_PAGES_MOST 4

/* Linux's vsyscall page, which has LEGACY_SIZE bytes for each function; the vDSO has LEGACY_DISTANCE bytes for each. */
#define LEGACY_PAGE      0xffffffffff600000ULL
#define LEGACY_SIZE      1024
#define LEGACY_FUNCTIONS 3
#define LEGACY_DISTANCE  16
#define LEGACY_AREAS     16 /* how many of the highest areas are looked at to find the vDSO */
#define ENTRY_AT         24 /* offset of e_entry in an ELF header; the vDSO's is its first legacy function */

extern const char vdso_image[], vdso_image_end[];

/* One of the two areas that programs get: clock page or code. Fixed after boot, but for the object's list of areas. */
struct part {
	struct memory_object object; /* never destroyed, so nobody counts its references */
	const char *name;            /* in /proc/PID/maps */
	size_t pages;
	paddr_t frames[CODE_PAGES_MOST];
};

static struct part *part_of(struct memory_object *object)
{
	return (struct part *)object;
}

static enum status get_frame(struct memory_object *object, uint64_t page, paddr_t *ret)
{
	if (page >= part_of(object)->pages)
		return ERR_RANGE;
	*ret = part_of(object)->frames[page];
	return OK;
}

static bool has_frame(struct memory_object *object, uint64_t page)
{
	return page < part_of(object)->pages;
}

static void ignore_reference(struct memory_object *object)
{
	(void)object;
}

static const struct memory_object_ops ops = {
	.frame = get_frame,
	.has = has_frame,
	.get = ignore_reference,
	.put = ignore_reference,
};

/* The clock page, and the vDSO's code. Fixed after boot, but for the objects' lists of areas. */
static struct part data = { .object.ops = &ops, .name = "[vvar]" };
static struct part code = { .object.ops = &ops, .name = "[vdso]" };

/* Add a page of the kernel image to what a part shows. */
static void add_page(struct part *part, vaddr_t va)
{
	struct slot slot = space_find(&kernel_space, va);

	ASSERT(part->pages < CODE_PAGES_MOST && pte_present(*slot.pte));
	part->frames[part->pages++] = paddr(pte_paddr(*slot.pte, slot.level).raw + va % level_size(slot.level));
}

void vdso_init(void)
{
	add_page(&data, (uintptr_t)clock_page());
	for (vaddr_t va = (uintptr_t)vdso_image; va < (uintptr_t)vdso_image_end; va += PAGE_SIZE)
		add_page(&code, va);
}

static enum status map_part(struct user_space *space, struct part *part, vaddr_t va, unsigned rights)
{
	const unsigned flags = USER_MAP_FIXED_NOREPLACE | USER_MAP_SHARED;
	vaddr_t at;

	/* The area is shared, so that no program gets the right to write, and a fork copies no entries. */
	return user_map(space, va, part->pages * PAGE_SIZE, rights, flags, &part->object, 0, &at);
}

enum status vdso_map(struct user_space *space, vaddr_t *end, vaddr_t *ret_code)
{
	const vaddr_t code_at = *end - code.pages * PAGE_SIZE, data_at = code_at - data.pages * PAGE_SIZE;
	enum status status = map_part(space, &data, data_at, USER_READ);

	if (status == OK)
		status = map_part(space, &code, code_at, USER_READ | USER_EXEC);
	if (status == OK) {
		*end = data_at;
		*ret_code = code_at;
	}
	return status;
}

/* Return the area of the vDSO's code: it is the highest one, unless the program has mapped others above it. */
static const struct area *find_code(const struct user_space *space)
{
	const struct area *area = area_prev(&space->areas, NULL);

	for (unsigned i = 0; area && i < LEGACY_AREAS; i++, area = area_prev(&space->areas, area))
		if (area->object == &code.object && area->offset == 0)
			return area;
	return NULL;
}

bool vdso_take_legacy_call(struct trap_frame *frame)
{
	const uint64_t function = (frame->rip - LEGACY_PAGE) / LEGACY_SIZE;
	const struct area *area;
	uint64_t entry;

	if (frame->rip % LEGACY_SIZE || function >= LEGACY_FUNCTIONS)
		return false;
	area = find_code(process_current()->space);
	if (!area)
		return false;
	memcpy(&entry, vdso_image + ENTRY_AT, sizeof(entry));
	frame->rip = area->start + entry + function * LEGACY_DISTANCE;
	return true;
}

const char *vdso_area_name(const struct area *area)
{
	return area->object && area->object->ops == &ops ? part_of(area->object)->name : NULL;
}
