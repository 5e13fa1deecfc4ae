/*
 * Puts the kernel's ELF image into memory. Pages that a segment's file bytes fill are used where the firmware loaded
 * them, if .kernel is page-aligned there. All other pages, partly filled ones and bss, get frames of the arena, the
 * memory in which the loader builds all that it hands to the kernel. So no frame is used for two pages, and
 * only partly filled pages are copied.
 */
#include "efi/loader.h"
#include "kernel/lib/string.h"
#include "paging/layout.h"
#include "paging/pte.h"

EFI_STATUS loader_parse_kernel(struct loader *l)
{
	struct elf_error error = { "", 0 };
	const struct kernel_note *note;
	enum status status;

	status = elf_parse(l->kernel.data, l->kernel.size, IMAGE_BASE, IMAGE_BASE + (IMAGE_SIZE - 1), &l->elf, &error);
	if (status != OK)
		return loader_fail(l, EFI_LOAD_ERROR, ".kernel: %s: 0x%llx", error.what,
				   (unsigned long long)error.value);
	note = elf_note(&l->elf, "AnkeOS", KERNEL_NOTE, sizeof(*note));
	if (!note)
		return loader_fail(l, EFI_LOAD_ERROR, ".kernel: no AnkeOS note in its %zu bytes of notes",
				   l->elf.notes_size);
	memcpy(&l->note, note, sizeof(l->note));
	if (l->note.boot_info_version != BOOT_INFO_VERSION || l->note.boot_info_size != sizeof(struct boot_info))
		return loader_fail(l, EFI_INCOMPATIBLE_VERSION,
				   ".kernel: handoff version %u, %u bytes; this loader: %d, %zu",
				   l->note.boot_info_version, l->note.boot_info_size, BOOT_INFO_VERSION,
				   sizeof(struct boot_info));
	for (size_t i = 0; i < l->elf.count; i++) {
		const struct elf_segment *s = &l->elf.segments[i];
		uint64_t size = l->note.stack_top - s->va;

		if (s->write && size && size <= s->pages * PAGE_SIZE && is_aligned(size, 16))
			return EFI_SUCCESS;
	}
	return loader_fail(l, EFI_LOAD_ERROR, ".kernel: stack top outside the writable segments: 0x%llx",
			   (unsigned long long)l->note.stack_top);
}

/* Return how many pages of the segment are not copied, but used in the place where the firmware loaded them. */
static uint64_t pages_in_place(const struct loader *l, const struct elf_segment *s)
{
	if (!is_aligned((uintptr_t)l->kernel.data + s->offset, PAGE_SIZE))
		return 0;
	return s->file_size / PAGE_SIZE;
}

uint64_t loader_image_pages(const struct loader *l)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < l->elf.count; i++)
		pages += l->elf.segments[i].pages - pages_in_place(l, &l->elf.segments[i]);
	return pages;
}

static void add_segment(struct boot_info *info, vaddr_t va, paddr_t pa, uint64_t pages, enum page_prot prot)
{
	if (pages)
		info->segments[info->segment_count++] = (struct boot_segment){ va, pa, pages, prot };
}

_Static_assert(BOOT_SEGMENTS >= 2 * ELF_SEGMENTS, "each ELF segment becomes two pieces at the most");

#define ZERO_FIRST 512 /* bytes */

/*
 * Zero memory of the arena: memset() zeroes the first bytes, and then the firmware's CopyMem() doubles the zeroed part
 * with each call. CopyMem() may use vector registers, which the loader's own memset() does not. (The firmware's
 * SetMem() is no choice: EDK II's goes byte by byte.) Once ExitBootServices() has been tried, memset() zeroes
 * everything, since only memory services may be called then, and CopyMem() is none of these (UEFI 2.10).
 */
static void zero(struct loader *l, uint8_t *to, uint64_t bytes)
{
	uint64_t done = l->exiting || bytes < ZERO_FIRST ? bytes : ZERO_FIRST;

	memset(to, 0, done);
	while (done < bytes) {
		uint64_t more = done < bytes - done ? done : bytes - done;

		(void)FIRMWARE(l, (l->boot->CopyMem(to + done, to, more), EFI_SUCCESS));
		done += more;
	}
}

void loader_place_kernel(struct loader *l)
{
	paddr_t free = l->arena.image;

	l->info.segment_count = 0;
	for (size_t i = 0; i < l->elf.count; i++) {
		const struct elf_segment *s = &l->elf.segments[i];
		const uint8_t *file = l->kernel.data + s->offset;
		uint64_t in_place = pages_in_place(l, s);
		uint64_t done = in_place * PAGE_SIZE;
		uint64_t copied = s->file_size - done;
		uint64_t rest = s->pages - in_place;
		enum page_prot prot = (s->write ? PROT_W : 0) | (s->execute ? PROT_X : 0);
		uint8_t *to = (uint8_t *)free.raw;

		add_segment(&l->info, s->va, paddr((uintptr_t)file), in_place, prot);
		add_segment(&l->info, s->va + done, free, rest, prot);
		memcpy(to, file + done, copied);
		if (!s->scratch && rest * PAGE_SIZE > copied)
			zero(l, to + copied, rest * PAGE_SIZE - copied);
		free = paddr_add(free, rest * PAGE_SIZE);
	}
}
