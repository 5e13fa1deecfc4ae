/*
 * Reads and writes memory for gdb. An address is looked up in the page tables before memory is touched, and the memory
 * is then reached through the direct map of RAM, or, for devices, where the kernel's own page tables map it.
 */
#include "kernel/gdb/gdb_memory.h"

#include "kernel/arch/text_patch.h"
#include "kernel/lib/string.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/user/user_foreign.h"
#include "kernel/mm/user/user_pages.h"
#include "kernel/report/peek.h"

/*
 * Whether the machine has stopped in user mode, so that the kernel's memory code may be called: only then fetch()
 * brings a program's pages into memory and copies shared ones. Guard: the stopped machine.
 */
static bool quiet;

void gdb_memory_set_quiet(bool is_quiet)
{
	quiet = is_quiet;
}

/* Return the page tables that are loaded in CR3, in the form that space_lookup() takes. */
static struct space loaded_space(void)
{
	return peek_space(cpu_read_cr3());
}

/*
 * Return a pointer through which the byte at `va` can be read, or written if `write`. `leaf` is the mapping of `va` in
 * the thread's page tables. Returns NULL when the loaded page tables do not map the same frame with that right.
 */
static uint8_t *reach(vaddr_t va, const struct mapping *leaf, bool write)
{
	struct space loaded = loaded_space();
	uint64_t pa = leaf->pa.raw + (va - leaf->va);
	struct mapping m;

	if (pa < HHDM_SIZE && space_lookup(&loaded, HHDM_BASE + pa, &m) == OK && (!write || m.prot & PROT_W))
		return (uint8_t *)(HHDM_BASE + pa);
	/*
	 * Device memory is not in the direct map: use the address itself, if the loaded page tables map the same frame
	 * there.
	 */
	if (va >= HHDM_BASE && space_lookup(&loaded, va, &m) == OK && m.pa.raw == leaf->pa.raw &&
	    (!write || m.prot & PROT_W))
		return (uint8_t *)va;
	return NULL;
}

/*
 * Bring a page of a process into memory as a page fault of the program would. If `write`, also copy a copy-on-write
 * page, even one that the program may only read or execute, but not one of a read-only shared mapping: every process
 * that shares it would see the change. Returns false when that is impossible, or not allowed in this stop.
 */
static bool fetch(const struct gdb_place *place, vaddr_t va, bool write)
{
	struct user_space *user = place->user;
	const vaddr_t page = va & ~(PAGE_SIZE - 1);
	const struct area *area;

	if (!quiet || !user || va >= USER_END)
		return false;
	if (write)
		return user_fault_forced(user, page) == OK;
	area = area_find(&user->areas, va);
	return area && user_fault(user, va, area->rights & USER_READ ? USER_READ : USER_EXEC) == OK;
}

/*
 * Return whether `va` can be written through its frame: the mapping is writable, or no other process shares the frame,
 * so that nobody else sees the change.
 */
static bool may_write(const struct gdb_place *place, const struct mapping *leaf, vaddr_t va)
{
	if (leaf->prot & PROT_W)
		return true;
	return place->user && va < USER_END && leaf->level == 1 && user_frame_is_sole(leaf->pa);
}

/* Return a pointer through which the byte at `va` can be accessed, fetching its page if need be; NULL on failure. */
static uint8_t *find(const struct gdb_place *place, vaddr_t va, bool write)
{
	const struct space *space = place->user && va < USER_END ? &place->user->context.space : &place->space;

	for (int attempt = 0; attempt < 2; attempt++) {
		struct mapping leaf;

		if (space_lookup(space, va, &leaf) == OK && (!write || may_write(place, &leaf, va)))
			return reach(va, &leaf, write);
		if (!fetch(place, va, write))
			break;
	}
	return NULL;
}

/* Return the number of bytes from `va` to the end of its page, but at most `most`. */
static size_t piece_at(vaddr_t va, size_t most)
{
	size_t to_end = PAGE_SIZE - (va & (PAGE_SIZE - 1));

	return to_end < most ? to_end : most;
}

size_t gdb_memory_read(const struct gdb_place *place, vaddr_t va, void *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t piece = piece_at(va + done, size - done);
		const uint8_t *from = find(place, va + done, false);

		if (!from)
			break;
		memcpy((uint8_t *)to + done, from, piece);
		done += piece;
	}
	return done;
}

size_t gdb_memory_write(const struct gdb_place *place, vaddr_t va, const void *from, size_t size)
{
	size_t done = 0;

	if (text_holds(va, size))
		return text_patch(va, from, size) == OK ? size : 0;
	while (done < size) {
		size_t piece = piece_at(va + done, size - done);
		uint8_t *to = find(place, va + done, true);

		if (!to)
			break;
		memcpy(to, (const uint8_t *)from + done, piece);
		done += piece;
	}
	return done;
}
