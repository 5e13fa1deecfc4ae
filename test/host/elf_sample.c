/*
 * The sample ELF file, and what decides whether a file is one to load. Slow and plain, in another order than elf_parse.
 */
#include "test/host/elf_sample.h"

#include <string.h>

#define PAGE 4096

void elf_sample_make(struct elf_sample *sample)
{
	const size_t data = offsetof(struct elf_sample, data), note = offsetof(struct elf_sample, note);

	memset(sample, 0x90, sizeof(*sample));
	sample->header = (Elf64_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
				       .e_type = ET_EXEC,
				       .e_machine = EM_X86_64,
				       .e_version = EV_CURRENT,
				       .e_entry = SAMPLE_BASE + 0x5000 + offsetof(struct elf_sample, text),
				       .e_phoff = offsetof(struct elf_sample, programs),
				       .e_ehsize = sizeof(Elf64_Ehdr),
				       .e_phentsize = sizeof(Elf64_Phdr),
				       .e_phnum = SAMPLE_PROGRAMS };
	sample->programs[SAMPLE_DATA] = (Elf64_Phdr){ .p_type = PT_LOAD,
						      .p_flags = PF_R | PF_W,
						      .p_offset = data,
						      .p_vaddr = SAMPLE_BASE + 0x8000,
						      .p_filesz = sizeof(sample->data),
						      .p_memsz = 0x2001,
						      .p_align = PAGE };
	sample->programs[SAMPLE_TEXT] = (Elf64_Phdr){ .p_type = PT_LOAD,
						      .p_flags = PF_R | PF_X,
						      .p_offset = 0,
						      .p_vaddr = SAMPLE_BASE + 0x5000,
						      .p_filesz = PAGE,
						      .p_memsz = PAGE,
						      .p_align = PAGE };
	sample->programs[SAMPLE_BSS] = (Elf64_Phdr){ .p_type = PT_LOAD,
						     .p_flags = PF_R | PF_W | ELF_SCRATCH,
						     .p_offset = 0,
						     .p_vaddr = SAMPLE_BASE + 0x6000,
						     .p_memsz = 0x2000,
						     .p_align = PAGE };
	sample->programs[SAMPLE_NOTE] = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = note, .p_filesz = sizeof(sample->note), .p_memsz = sizeof(sample->note)
	};
	sample->programs[SAMPLE_EMPTY] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = 1, .p_align = 3 };
	sample->note.header = (Elf64_Nhdr){ .n_namesz = 7, .n_descsz = sizeof(sample->note.content), .n_type = 1 };
	memcpy(sample->note.name, "AnkeOS\0", 8);
}

static const char *broken_header(const Elf64_Ehdr *h, size_t size)
{
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return "magic";
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_machine != EM_X86_64)
		return "machine";
	if (h->e_ident[EI_VERSION] != EV_CURRENT || h->e_version != EV_CURRENT)
		return "version";
	if (h->e_type != ET_EXEC)
		return "type";
	if (h->e_ehsize != sizeof(*h) || h->e_phentsize != sizeof(Elf64_Phdr))
		return "header sizes";
	if (h->e_phnum < 1 || h->e_phnum > 64)
		return "number of program headers";
	/* 128 bits: nothing wraps. */
	if ((unsigned __int128)h->e_phoff + h->e_phnum * sizeof(Elf64_Phdr) > size)
		return "program headers outside the file";
	return NULL;
}

static bool is_segment(const Elf64_Phdr *p)
{
	return p->p_type == PT_LOAD && (p->p_memsz || p->p_filesz);
}

static unsigned __int128 pages_end(const Elf64_Phdr *p)
{
	return ((unsigned __int128)p->p_vaddr + p->p_memsz + PAGE - 1) / PAGE * PAGE;
}

static const char *broken_program(const Elf64_Phdr *p, size_t size, vaddr_t base, vaddr_t last)
{
	uint64_t align = p->p_align < 2 ? 1 : p->p_align;

	if (p->p_type == PT_INTERP)
		return "interpreter";
	if ((is_segment(p) || p->p_type == PT_NOTE) && (unsigned __int128)p->p_offset + p->p_filesz > size)
		return "bytes outside the file";
	if (!is_segment(p))
		return NULL;
	if (p->p_filesz > p->p_memsz)
		return "more file than memory";
	if (p->p_vaddr % PAGE)
		return "page alignment";
	if (__builtin_popcountll(align) != 1)
		return "alignment no power of two";
	if (p->p_filesz && (p->p_offset % PAGE || (p->p_vaddr - p->p_offset) % align))
		return "alignment in the file";
	if (p->p_vaddr < base || pages_end(p) > (unsigned __int128)last + 1)
		return "range";
	if ((p->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return "writable and executable";
	return NULL;
}

static Elf64_Phdr program_at(const void *file, const Elf64_Ehdr *h, size_t index)
{
	Elf64_Phdr p;

	memcpy(&p, (const uint8_t *)file + h->e_phoff + index * sizeof(p), sizeof(p));
	return p;
}

const char *elf_sample_broken_rule(const void *file, size_t size, vaddr_t base, vaddr_t last)
{
	size_t segments = 0;
	bool entered = false;
	const char *broken;
	Elf64_Ehdr h;

	if (size < sizeof(h))
		return "size";
	memcpy(&h, file, sizeof(h));
	broken = broken_header(&h, size);
	for (size_t i = 0; !broken && i < h.e_phnum; i++) {
		Elf64_Phdr p = program_at(file, &h, i);

		broken = broken_program(&p, size, base, last);
		if (broken || !is_segment(&p))
			continue;
		segments++;
		entered |= p.p_flags & PF_X && h.e_entry >= p.p_vaddr && h.e_entry - p.p_vaddr < p.p_filesz;
		for (size_t k = 0; k < i; k++) {
			Elf64_Phdr other = program_at(file, &h, k);

			if (is_segment(&other) && p.p_vaddr < pages_end(&other) && other.p_vaddr < pages_end(&p))
				broken = "overlap";
		}
	}
	if (broken)
		return broken;
	if (segments < 1 || segments > ELF_SEGMENTS)
		return "number of segments";
	return entered ? NULL : "entry";
}

const char *elf_sample_wrong_image(const void *file, const struct elf_image *image)
{
	const void *notes = NULL;
	size_t notes_size = 0, segments = 0;
	Elf64_Ehdr h;

	memcpy(&h, file, sizeof(h));
	for (size_t i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p = program_at(file, &h, i);
		const struct elf_segment *s = NULL;

		if (p.p_type == PT_NOTE && !notes) {
			notes = (const uint8_t *)file + p.p_offset;
			notes_size = p.p_filesz;
		}
		if (!is_segment(&p))
			continue;
		segments++;
		for (size_t k = 0; k < image->count; k++)
			if (image->segments[k].va == p.p_vaddr)
				s = &image->segments[k];
		if (!s || s->pages != (pages_end(&p) - p.p_vaddr) / PAGE || s->file_size != p.p_filesz ||
		    (p.p_filesz && s->offset != p.p_offset) || s->write != !!(p.p_flags & PF_W) ||
		    s->execute != !!(p.p_flags & PF_X) || s->scratch != !!(p.p_flags & ELF_SCRATCH))
			return "segment";
	}
	if (image->count != segments)
		return "number of segments";
	for (size_t k = 1; k < segments; k++)
		if (image->segments[k - 1].va >= image->segments[k].va)
			return "order";
	if (image->entry != h.e_entry || image->notes != notes || image->notes_size != notes_size)
		return "entry or notes";
	return NULL;
}
