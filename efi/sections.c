/*
 * Finds the sections of the loader's own PE, as the firmware loaded it: .kernel, .initrd, .cmdline (Microsoft PE/COFF
 * specification, "Section Table"; the Unified Kernel Image convention). Reads headers inside the loaded image only, and
 * no section's content.
 */
#include "efi/loader.h"
#include "kernel/lib/string.h"

struct pe_section {
	char name[8];
	uint32_t virtual_size;
	uint32_t virtual_address;
	uint32_t raw_size;
	uint32_t raw_offset;
	uint32_t unused[3];
	uint32_t characteristics;
};

#define DOS_MAGIC     0x5a4d /* "MZ" */
#define DOS_PE_OFFSET 0x3c
#define PE_MAGIC      0x00004550 /* "PE" */
#define PE_HEADER     24         /* bytes of signature and COFF header */
#define PE_SECTIONS   6          /* offset of NumberOfSections */
#define PE_OPTIONAL   20         /* offset of SizeOfOptionalHeader */

/* Return the name, which has eight bytes, as one number, so that a comparison costs one instruction. */
static uint64_t number_of(const char *name)
{
	uint64_t number;

	__builtin_memcpy(&number, name, sizeof(number));
	return number;
}

static bool is_named(const struct pe_section *section, const char *name)
{
	return number_of(section->name) == number_of(name);
}

static EFI_STATUS take(struct loader *l, const struct pe_section *section, struct blob *ret)
{
	uint64_t size = l->image->ImageSize;

	if (section->virtual_address > size || section->virtual_size > size - section->virtual_address)
		return loader_fail(l, EFI_LOAD_ERROR, "section %.8s ends outside the loaded image, at 0x%llx of 0x%llx",
				   section->name, (unsigned long long)section->virtual_address + section->virtual_size,
				   (unsigned long long)size);
	if (ret->data)
		return loader_fail(l, EFI_LOAD_ERROR, "section %.8s is there twice", section->name);
	ret->data = (const uint8_t *)l->image->ImageBase + section->virtual_address;
	ret->size = section->virtual_size;
	return EFI_SUCCESS;
}

/* Return the section table, or NULL when the loaded image is no PE. */
static const struct pe_section *section_table(const struct loader *l, size_t *ret_count)
{
	const uint8_t *base = l->image->ImageBase;
	uint64_t size = l->image->ImageSize;
	uint32_t magic, pe;
	uint16_t dos, count, optional;

	if (size < DOS_PE_OFFSET + sizeof(pe))
		return NULL;
	memcpy(&dos, base, sizeof(dos));
	memcpy(&pe, base + DOS_PE_OFFSET, sizeof(pe));
	if (dos != DOS_MAGIC || pe > size || size - pe < PE_HEADER)
		return NULL;
	memcpy(&magic, base + pe, sizeof(magic));
	memcpy(&count, base + pe + PE_SECTIONS, sizeof(count));
	memcpy(&optional, base + pe + PE_OPTIONAL, sizeof(optional));
	if (magic != PE_MAGIC || size - pe - PE_HEADER < optional + count * sizeof(struct pe_section))
		return NULL;
	*ret_count = count;
	return (const struct pe_section *)(base + pe + PE_HEADER + optional);
}

/*
 * Refuse overlapping sections, in which one byte has two meanings: whoever signs or measures the file would see only
 * one of them. Linkers and objcopy write sections in ascending order, so one comparison for each is usually enough.
 */
static EFI_STATUS check_overlaps(struct loader *l, const struct pe_section *sections, size_t count)
{
	uint64_t end = 0;
	size_t i, j;

	for (i = 0; i < count && sections[i].virtual_address >= end; i++)
		end = (uint64_t)sections[i].virtual_address + sections[i].virtual_size;
	for (; i < count; i++)
		for (j = 0; j < i; j++) {
			const struct pe_section *a = &sections[i], *b = &sections[j];

			if (a->virtual_address < (uint64_t)b->virtual_address + b->virtual_size &&
			    b->virtual_address < (uint64_t)a->virtual_address + a->virtual_size)
				return loader_fail(l, EFI_LOAD_ERROR, "sections %.8s and %.8s overlap at 0x%x", b->name,
						   a->name,
						   a->virtual_address > b->virtual_address ? a->virtual_address
											   : b->virtual_address);
		}
	return EFI_SUCCESS;
}

struct blob loader_section(const struct loader *l, const char *name)
{
	const struct pe_section *sections;
	size_t count = 0;

	sections = section_table(l, &count);
	for (size_t i = 0; i < count; i++)
		if (is_named(&sections[i], name) && sections[i].virtual_address <= l->image->ImageSize &&
		    sections[i].virtual_size <= l->image->ImageSize - sections[i].virtual_address)
			return (struct blob){ (const uint8_t *)l->image->ImageBase + sections[i].virtual_address,
					      sections[i].virtual_size };
	return (struct blob){ NULL, 0 };
}

EFI_STATUS loader_find_sections(struct loader *l)
{
	const struct pe_section *sections;
	EFI_STATUS status = EFI_SUCCESS;
	size_t count;

	sections = section_table(l, &count);
	if (!sections)
		return loader_fail(l, EFI_LOAD_ERROR, "no PE headers at the image base %p", l->image->ImageBase);
	status = check_overlaps(l, sections, count);
	for (size_t i = 0; i < count && !EFI_ERROR(status); i++) {
		if (is_named(&sections[i], ".kernel\0"))
			status = take(l, &sections[i], &l->kernel);
		else if (is_named(&sections[i], ".initrd\0"))
			status = take(l, &sections[i], &l->initrd);
		else if (is_named(&sections[i], ".cmdline"))
			status = take(l, &sections[i], &l->cmdline);
	}
	if (EFI_ERROR(status))
		return status;
	if (!l->kernel.data || !l->kernel.size)
		return loader_fail(l, EFI_NOT_FOUND, "no .kernel section among the %zu sections of this file", count);
	return EFI_SUCCESS;
}
