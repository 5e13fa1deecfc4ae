/*
 * Serves page faults without the kernel lock; see user_fault_open.h. Refuses pages of objects, which lead to other
 * spaces; a stack that has to grow, which changes an area; and 2 MiB at once, which take too long to clear with
 * interrupts off.
 *
 * Where several CPUs may do so on one space at once (user_fault_beside), the space's gate keeps out all else, and each
 * section only adds to what the others see: absent entries become present, read-only ones writable. An entry that was
 * absent changes by an exchange, so that of two CPUs that touch a page first one has its frame mapped, and the other
 * gives its own back. Counts are added to atomically. Page tables are made under a spin lock.
 */
#include "kernel/mm/user/user_fault_open.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_user.h"
#include "kernel/lib/likely.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/user/user_fault.h"
#include "kernel/mm/user/user_frame.h"
#include "kernel/mm/user/user_open.h"
#include "kernel/sync/open_section.h"

/* Return the area of `va` if it is there and allows the access, else NULL. */
static struct area *area_for(const struct user_space *space, vaddr_t va, enum user_rights access)
{
	struct area *area = area_find_from(&space->areas, va);

	return area && area->start <= va && user_allows(area, access) ? area : NULL;
}

static bool serve(struct user_space *space, vaddr_t va, enum user_rights access)
{
	struct area *area = area_for(space, va, access);
	context_token_t token;
	enum status status;

	if (!area)
		return false;
	token = kernel_context_enter();
	status = user_fault_short(space, align_down(va, PAGE_SIZE), access, area);
	kernel_context_leave(token);
	if (status != OK)
		return false;
	space->faults++;
	return true;
}

bool user_fault_open(struct user_space *space, vaddr_t va, enum user_rights access)
{
	bool served;

	if (!user_open_begin(space))
		return false;
	served = serve(space, va, access);
	open_section_end();
	return served;
}

/* ---- beside other sections on the same space ---- */

/* Make the tables for the page's entry; another CPU may have made them by now. Returns OK or ERR_NO_MEMORY. */
static enum status make_tables(struct user_space *space, vaddr_t page, pte_t **ret)
{
	enum status status;

	while (__atomic_exchange_n(&space->tables_taken, 1, __ATOMIC_ACQUIRE))
		cpu_pause();
	status = space_place(&space->context.space, page, 1, ret);
	__atomic_store_n(&space->tables_taken, 0, __ATOMIC_RELEASE);
	return status;
}

/* Map a frame of zeros at an entry that was absent, unless another CPU has mapped one by now. */
static bool add_zeros(struct user_space *space, struct area *area, pte_t *at, enum user_rights access)
{
	uint64_t absent = 0;
	paddr_t pa;
	pte_t e;

	if (frame_alloc_4k(frame_cache_here(), &pa) != OK)
		return false;
	cpu_zero_pages(user_frame_ptr(space, pa), 1);
	e = pte_leaf(pa, user_prot(area->rights, access != USER_EXEC), 1);
	if (!__atomic_compare_exchange_n(&at->raw, &absent, e.raw, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		user_frame_put(pa);
		return true;
	}
	if (unlikely(!(area->flags & AREA_TOUCHED)))
		__atomic_fetch_or(&area->flags, AREA_TOUCHED, __ATOMIC_RELAXED);
	__atomic_add_fetch(&space->resident_pages, 1, __ATOMIC_RELAXED);
	return true;
}

/*
 * Serve an access to a page that is mapped, without a flush on any CPU: nothing is to be done if another CPU has served
 * the same fault; and a write makes a page of this space alone writable.
 */
static bool allow(const struct area *area, struct slot slot, pte_t e, enum user_rights access)
{
	const paddr_t pa = pte_paddr(e, slot.level);

	if (access == USER_EXEC)
		return !(e.raw & PTE_NX);
	if (access == USER_READ || e.raw & PTE_WRITABLE)
		return true;
	if (area->flags & AREA_SHARED || user_by_turns(area->rights) || !user_frame_is_sole(pa))
		return false;
	pte_write(slot.pte, pte_leaf(pa, user_prot(area->rights, true), slot.level));
	return true;
}

/* Serve a fault on the page. Call in the kernel context. */
static bool serve_page(struct user_space *space, vaddr_t page, enum user_rights access, struct area *area)
{
	const struct slot slot = space_leaf_slot(&space->context.space, page);
	const pte_t e = pte_read(slot.pte);
	pte_t *at = slot.pte;

	if (pte_present(e))
		return allow(area, slot, e, access);
	if (e.raw || area->object)
		return false;
	if (slot.level > 1 && (user_has_large_room(area, page) || make_tables(space, page, &at) != OK))
		return false;
	return add_zeros(space, area, at, access);
}

static bool serve_beside(struct user_space *space, vaddr_t va, enum user_rights access)
{
	struct area *area = area_for(space, va, access);
	context_token_t token;
	bool served;

	if (!area)
		return false;
	token = kernel_context_enter();
	served = serve_page(space, align_down(va, PAGE_SIZE), access, area);
	kernel_context_leave(token);
	if (served)
		__atomic_add_fetch(&space->faults, 1, __ATOMIC_RELAXED);
	return served;
}

bool user_fault_beside(struct user_space *space, vaddr_t va, enum user_rights access)
{
	bool served;

	if (!user_open_begin(space))
		return false;
	served = open_section_enter(&space->gate) && serve_beside(space, va, access);
	open_section_end();
	return served;
}
