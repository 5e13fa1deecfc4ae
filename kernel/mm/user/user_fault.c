/*
 * Serves page faults at user addresses: the first touch of a page, the first write to a shared one (copy-on-write,
 * fault_copy_on_write), and accesses by turns. In an area that may be both written to and executed each page is one or
 * the other: a write makes it writable and not executable, a fetch the other way round (turn_to_code). Whether the area
 * allows the access is decided first, in the task's own context; page tables are changed in the kernel context.
 */
#include "kernel/mm/user/user_fault.h"
#include "kernel/arch/cpu_user.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/user/user_foreign.h"
#include "kernel/mm/user/user_internal.h"

#define AROUND_PAGES 16 /* pages of an object that one fault maps at the most: 64 KiB, as on Linux */

/* The access whose fault is being served. */
struct fault {
	struct user_space *space;
	struct area *area;
	vaddr_t va; /* start of the page that was touched */
	enum user_rights access;
};

static enum status alloc_frame(paddr_t *ret)
{
	return frame_alloc_4k(frame_cache_here(), ret);
}

/* Map a frame at an entry that was absent. For a fetch the page must not be writable: it could not be executed then. */
static void map_page(const struct fault *f, pte_t *at, paddr_t pa, bool writable)
{
	pte_write(at, pte_leaf(pa, user_prot(f->area->rights, writable && f->access != USER_EXEC), 1));
	f->area->flags |= AREA_TOUCHED;
	f->space->resident_pages++;
}

/*
 * Get the page's entry; `slot` is where the walk of the tables ended. Missing tables are made. Returns OK or
 * ERR_NO_MEMORY.
 */
static enum status page_place(const struct fault *f, struct slot slot, pte_t **ret)
{
	if (slot.level == 1) {
		*ret = slot.pte;
		return OK;
	}
	return space_place(&f->space->context.space, f->va, 1, ret);
}

/*
 * Map a frame at the page; `slot` is where the walk ended. Takes over the caller's reference to the frame, and drops it
 * on ERR_NO_MEMORY.
 */
static enum status place_page(const struct fault *f, struct slot slot, paddr_t pa, bool writable)
{
	pte_t *at;
	enum status status = page_place(f, slot, &at);

	if (status == OK)
		map_page(f, at, pa, writable);
	else
		user_frame_put(pa);
	return status;
}

/* ---- anonymous ---- */

/* Return whether the area has room for the 2 MiB around the page, and may have them mapped at once. */
static bool has_large_room(const struct area *area, vaddr_t va)
{
	const vaddr_t start = align_down(va, PAGE_SIZE_2M);

	return start >= area->start && start + PAGE_SIZE_2M <= area->end &&
	       !(area->flags & (AREA_GROWS_DOWN | AREA_SMALL)) && !user_by_turns(area->rights);
}

/*
 * Map 2 MiB at once, where the area has room for that and nothing is mapped. Returns false when only a page can be
 * mapped.
 */
static bool fault_large(const struct fault *f)
{
	const struct area *area = f->area;
	vaddr_t start = align_down(f->va, PAGE_SIZE_2M);
	paddr_t pa;
	pte_t *at;

	if (!has_large_room(area, f->va))
		return false;
	if (frame_alloc_large(frame_cache_here(), FRAME_2M, &pa) != OK)
		return false;
	if (space_place(&f->space->context.space, start, 2, &at) != OK) {
		frame_free_large(frame_cache_here(), FRAME_2M, pa);
		return false;
	}
	cpu_zero_pages(user_frame_ptr(f->space, pa), PAGE_SIZE_2M / PAGE_SIZE);
	pte_write(at, pte_leaf(pa, user_prot(area->rights, true), 2));
	f->area->flags |= AREA_TOUCHED;
	f->space->resident_pages += PAGE_SIZE_2M / PAGE_SIZE;
	return true;
}

/* Inline, since most faults come here, from one of two callers. */
static inline __attribute__((always_inline)) enum status fault_anonymous(const struct fault *f, struct slot slot)
{
	enum status status;
	paddr_t pa;

	if (slot.level > 1 && fault_large(f))
		return OK;
	status = alloc_frame(&pa);
	if (status != OK)
		return status;
	cpu_zero_pages(user_frame_ptr(f->space, pa), 1);
	return place_page(f, slot, pa, true);
}

/* ---- objects ---- */

static uint64_t page_of(const struct area *area, vaddr_t va)
{
	return area->offset + bytes_to_pages(va - area->start);
}

/* Return whether the area's pages are those of its object, and may be written to. */
static bool writes_object(const struct fault *f)
{
	return f->area->flags & AREA_SHARED && f->area->rights & USER_WRITE;
}

/*
 * Return whether a page may be mapped writable even for a read: the object gives the same frame for reads and writes.
 */
static bool writable_at_once(const struct fault *f)
{
	return writes_object(f) && f->area->object->ops->same_frame;
}

/*
 * Map the object's pages around the faulting page: those of the same aligned group of AROUND_PAGES pages, from the
 * lowest on, up to the first that the object does not have in memory. `writable`: whether the faulting page was mapped
 * writable.
 */
static void fault_around(const struct fault *f, pte_t *at, bool writable)
{
	const struct area *area = f->area;
	struct memory_object *object = area->object;
	vaddr_t start = align_down(f->va, AROUND_PAGES * PAGE_SIZE), end = start + AROUND_PAGES * PAGE_SIZE;

	if (start < area->start)
		start = area->start;
	if (end > area->end)
		end = area->end;
	at -= bytes_to_pages(f->va - start);
	for (vaddr_t va = start; va < end; va += PAGE_SIZE, at++) {
		paddr_t pa;

		if (pte_read(at).raw)
			continue;
		if (!object->ops->has(object, page_of(area, va)) ||
		    object->ops->frame(object, page_of(area, va), &pa) != OK)
			return;
		map_page(f, at, pa, writable);
	}
}

static enum status fault_object(const struct fault *f, struct slot slot)
{
	struct memory_object *object = f->area->object;
	const uint64_t page = page_of(f->area, f->va);
	enum status status;
	paddr_t pa, copy;
	pte_t *at;

	if (writes_object(f) && f->access == USER_WRITE) {
		status = object->ops->write_frame(object, page, &pa);
		return status == OK ? place_page(f, slot, pa, true) : status;
	}
	status = object->ops->frame(object, page, &pa);
	if (status != OK)
		return status;
	if (f->access == USER_WRITE) {
		status = alloc_frame(&copy);
		if (status == OK)
			cpu_copy_page(user_frame_ptr(f->space, copy), user_frame_ptr(f->space, pa));
		user_frame_put(pa);
		return status == OK ? place_page(f, slot, copy, true) : status;
	}
	status = page_place(f, slot, &at);
	if (status != OK) {
		user_frame_put(pa);
		return status;
	}
	map_page(f, at, pa, writable_at_once(f));
	if (object->ops->has)
		fault_around(f, at, writable_at_once(f));
	return OK;
}

/* ---- faults on pages that are mapped already ---- */

/* Flush the leaf that maps the page. */
static void flush_leaf(const struct fault *f, int level)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	user_flush_add(&flush, align_down(f->va, level_size(level)), level_size(level));
	context_flush(&f->space->context, &flush);
}

/*
 * Map another frame at the page, taking over the caller's reference to it, and drop the old frame's reference. The
 * entry is not present until all CPUs have flushed it: else one thread could write to the new frame while another one
 * still reads the old.
 */
static void change_page(const struct fault *f, pte_t *at, paddr_t pa)
{
	paddr_t old = pte_paddr(pte_read(at), 1);

	pte_write(at, (pte_t){ 0 });
	flush_leaf(f, 1);
	pte_write(at, pte_leaf(pa, user_prot(f->area->rights, true), 1));
	user_frame_put(old);
}

/*
 * Serve a write to a page that is mapped read-only in an area that may be written to: copy-on-write. If no other
 * mapping has the frame, the page is made writable; else it gets a copy of the frame. In a shared area the object gives
 * the frame to write to (write_frame).
 */
static enum status fault_copy_on_write(const struct fault *f, struct slot slot)
{
	pte_t e = pte_read(slot.pte);
	paddr_t pa = pte_paddr(e, slot.level), copy;
	enum status status;

	/*
	 * Make the page writable if no other mapping has the frame. More rights need no flush: a stale TLB entry only
	 * costs another fault, which finds nothing to do. A page that loses the right to be executed needs a flush.
	 */
	if (!(f->area->flags & AREA_SHARED) && user_frame_is_sole(pa)) {
		pte_write(slot.pte, pte_leaf(pa, user_prot(f->area->rights, true), slot.level));
		if (unlikely(f->area->rights & USER_EXEC))
			flush_leaf(f, slot.level);
		return OK;
	}
	if (slot.level > 1) {
		status = user_pages_cut(f->space, align_down(f->va, PAGE_SIZE_2M) + PAGE_SIZE);
		return status == OK ? fault_copy_on_write(f, space_leaf_slot(&f->space->context.space, f->va)) : status;
	}
	if (f->area->flags & AREA_SHARED) {
		status = f->area->object->ops->write_frame(f->area->object, page_of(f->area, f->va), &copy);
		if (status != OK)
			return status;
		change_page(f, slot.pte, copy);
		return OK;
	}
	status = alloc_frame(&copy);
	if (status != OK)
		return status;
	cpu_copy_page(user_frame_ptr(f->space, copy), user_frame_ptr(f->space, pa));
	change_page(f, slot.pte, copy);
	return OK;
}

/*
 * Serve a fetch from a page that is mapped, but not to be executed, in an area that may be executed: the page cannot be
 * written to from now on. Of a 2 MiB leaf only this page changes. Returns OK or ERR_NO_MEMORY.
 */
static enum status turn_to_code(const struct fault *f, struct slot slot)
{
	if (slot.level > 1) {
		enum status status = user_pages_cut(f->space, align_down(f->va, PAGE_SIZE_2M) + PAGE_SIZE);

		if (status != OK)
			return status;
		slot = space_leaf_slot(&f->space->context.space, f->va);
	}
	pte_write(slot.pte, pte_leaf(pte_paddr(pte_read(slot.pte), 1), user_prot(f->area->rights, false), 1));
	flush_leaf(f, 1);
	return OK;
}

/* ---- serving a fault ---- */

/* Serve an access that the area allows. Call in the kernel context. */
static enum status fault_page(const struct fault *f)
{
	struct slot slot = space_leaf_slot(&f->space->context.space, f->va);
	pte_t e = pte_read(slot.pte);

	if (!pte_present(e))
		return f->area->object ? fault_object(f, slot) : fault_anonymous(f, slot);
	if (f->access == USER_WRITE && !(e.raw & PTE_WRITABLE))
		return fault_copy_on_write(f, slot);
	if (f->access == USER_EXEC && e.raw & PTE_NX)
		return turn_to_code(f, slot);
	/*
	 * Nothing to do: another task has served the fault already, or the TLB held fewer rights than the tables give.
	 */
	return OK;
}

/*
 * Extend the stack `area`, the first area above `va`, down to `va`. Returns the area; NULL: it is no stack, or may not
 * grow so far.
 */
static struct area *grow_stack(struct user_space *space, struct area *area, vaddr_t va)
{
	const struct area *below;
	uint64_t pages;
	vaddr_t start = align_down(va, PAGE_SIZE);

	if (!area || !(area->flags & AREA_GROWS_DOWN) || start < USER_MIN)
		return NULL;
	pages = bytes_to_pages(area->start - start);
	below = area_prev(&space->areas, area);
	if (below && below->rights != USER_NONE && start < below->end + USER_GUARD_GAP)
		return NULL;
	if (bytes_to_pages(area->end - start) > user_limits_of_caller()->stack_pages ||
	    !user_limit_allows(space, pages, area->rights, area->flags))
		return NULL;
	area_resize(area, start, area->end);
	user_count_more(space, pages, area->rights, area->flags);
	return area;
}

/* Find the area for an access to `va`, and check that it allows the access. Returns OK, ERR_NOT_FOUND, ERR_RIGHTS. */
static enum status find_area(struct user_space *space, vaddr_t va, enum user_rights access, struct area **ret)
{
	struct area *area;

	if (va >= USER_END)
		return ERR_NOT_FOUND;
	area = area_find_from(&space->areas, va);
	if (!area || area->start > va)
		area = grow_stack(space, area, va);
	if (!area)
		return ERR_NOT_FOUND;
	if (!user_allows(area, access))
		return ERR_RIGHTS;
	*ret = area;
	return OK;
}

enum status user_fault(struct user_space *space, vaddr_t va, enum user_rights access)
{
	struct fault f = { .space = space, .va = align_down(va, PAGE_SIZE), .access = access };
	enum status status = find_area(space, va, access, &f.area);
	context_token_t token;

	if (status != OK)
		return status;
	token = kernel_context_enter();
	status = fault_page(&f);
	kernel_context_leave(token);
	space->faults++;
	return status;
}

enum status user_fault_short(struct user_space *space, vaddr_t va, enum user_rights access, struct area *area)
{
	const struct fault f = { .space = space, .area = area, .va = va, .access = access };
	const struct slot slot = space_leaf_slot(&space->context.space, va);
	const pte_t e = pte_read(slot.pte);

	if (!pte_present(e) && !area->object && (slot.level == 1 || !has_large_room(area, va)))
		return fault_anonymous(&f, slot);
	if (pte_present(e) && access == USER_WRITE && !(e.raw & PTE_WRITABLE) && !(area->flags & AREA_SHARED) &&
	    !user_by_turns(area->rights))
		return fault_copy_on_write(&f, slot);
	return ERR_EXISTS;
}

enum status user_fault_inside(struct user_space *space, vaddr_t va, enum user_rights access, const struct area **ret)
{
	struct fault f = { .space = space, .va = va, .access = access };
	enum status status = find_area(space, va, access, &f.area);

	if (status == OK)
		status = fault_page(&f);
	if (status == OK)
		*ret = f.area;
	return status;
}

enum status user_fault_forced(struct user_space *space, vaddr_t va)
{
	struct fault f = { .space = space, .va = va, .access = USER_WRITE };

	f.area = va < USER_END ? area_find(&space->areas, va) : NULL;
	if (!f.area)
		return ERR_NOT_FOUND;
	if (f.area->rights == USER_NONE || (f.area->flags & AREA_SHARED && !(f.area->rights & USER_WRITE)))
		return ERR_RIGHTS;
	return fault_page(&f);
}

enum status user_populate(struct user_space *space, vaddr_t va, uint64_t size, enum user_rights access,
			  uint64_t *ret_bytes)
{
	const context_token_t token = kernel_context_enter();
	struct fault f = { .space = space, .access = access };
	enum status status = OK;
	uint64_t done = 0;

	while (done < size) {
		f.va = align_down(va + done, PAGE_SIZE);
		status = find_area(space, f.va, access, &f.area);
		if (status == OK)
			status = fault_page(&f);
		if (status != OK)
			break;
		done = f.va + PAGE_SIZE - va;
	}
	kernel_context_leave(token);
	*ret_bytes = done < size ? done : size;
	return status;
}
