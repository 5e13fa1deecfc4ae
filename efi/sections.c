/*
 * Finds the sections of the loader's own PE, as the firmware loaded it: .kernel, .initrd, .cmdline (Microsoft PE/COFF
 * specification, "Section Table"; the Unified Kernel Image convention). Reads headers inside the loaded image only, and
 * no section's content.
 *
 * A file may have profiles, which are numbered from 0 (UAPI Group, "Multi-Profile UKIs"). The sections in front of the
 * first one named .profile are the base. Each .profile begins a profile, to which the sections after it belong, up to
 * the next .profile. What counts is the base with the sections of the profile that was chosen, which replace those of
 * the same name.
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

#define PROFILE_SECTION ".profile"

/* Return the name, which has eight bytes, as one number, so that a comparison costs one instruction. */
static uint64_t number_of(const char *name)
{
	uint64_t number;

	__builtin_memcpy(&number, name, sizeof(number));
	return number;
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

static EFI_STATUS check_bounds(struct loader *l, const struct pe_section *section)
{
	uint64_t size = l->image->ImageSize;

	if (section->virtual_address > size || section->virtual_size > size - section->virtual_address)
		return loader_fail(l, EFI_LOAD_ERROR, "section %.8s ends outside the loaded image, at 0x%llx of 0x%llx",
				   section->name, (unsigned long long)section->virtual_address + section->virtual_size,
				   (unsigned long long)size);
	return EFI_SUCCESS;
}

/*
 * Find the section `name` among the `count` sections of the file: that of the chosen profile, or else that of the base.
 * *ret is left as it is when there is none. Returns the errors of loader_section().
 */
static EFI_STATUS find(struct loader *l, const struct pe_section *sections, size_t count, const char *name,
		       struct blob *ret)
{
	const uint64_t wanted = number_of(name), begins_profile = number_of(PROFILE_SECTION);
	const struct pe_section *base = NULL, *own = NULL, *section;
	long profile = -1; /* the number of the profile that sections[i] belongs to; -1: the base */
	EFI_STATUS status;

	for (size_t i = 0; i < count; i++) {
		const uint64_t number = number_of(sections[i].name);
		const struct pe_section **found;

		profile += number == begins_profile;
		if (number != wanted || (profile >= 0 && profile != (long)l->profile))
			continue;
		found = profile < 0 ? &base : &own;
		if (*found)
			return loader_fail(l, EFI_LOAD_ERROR, "section %.8s is there twice", name);
		*found = &sections[i];
	}
	section = own ? own : base;
	if (!section)
		return EFI_SUCCESS;
	status = check_bounds(l, section);
	if (EFI_ERROR(status))
		return status;
	ret->data = (const uint8_t *)l->image->ImageBase + section->virtual_address;
	ret->size = section->virtual_size;
	return EFI_SUCCESS;
}

EFI_STATUS loader_section(struct loader *l, const char *name, struct blob *ret)
{
	const struct pe_section *sections;
	size_t count = 0;

	sections = section_table(l, &count);
	return find(l, sections, count, name, ret);
}

/* Return an error if the command line has chosen a profile that the file does not have. */
static EFI_STATUS check_profile(struct loader *l, const struct pe_section *sections, size_t count)
{
	unsigned profiles = 0;

	if (!l->profile)
		return EFI_SUCCESS;
	for (size_t i = 0; i < count; i++)
		profiles += number_of(sections[i].name) == number_of(PROFILE_SECTION);
	if (l->profile < profiles)
		return EFI_SUCCESS;
	return loader_fail(l, EFI_NOT_FOUND, "profile @%u: this file has %u, and counts from 0", l->profile, profiles);
}

EFI_STATUS loader_find_sections(struct loader *l)
{
	const struct pe_section *sections;
	EFI_STATUS status;
	size_t count;

	sections = section_table(l, &count);
	if (!sections)
		return loader_fail(l, EFI_LOAD_ERROR, "no PE headers at the image base %p", l->image->ImageBase);
	status = check_overlaps(l, sections, count);
	if (!EFI_ERROR(status))
		status = check_profile(l, sections, count);
	if (!EFI_ERROR(status))
		status = find(l, sections, count, ".kernel\0", &l->kernel);
	if (!EFI_ERROR(status))
		status = find(l, sections, count, ".initrd\0", &l->initrd);
	if (!EFI_ERROR(status))
		status = find(l, sections, count, ".cmdline", &l->cmdline);
	if (EFI_ERROR(status))
		return status;
	if (!l->kernel.data || !l->kernel.size)
		return loader_fail(l, EFI_NOT_FOUND, "no .kernel section among the %zu sections of this file", count);
	return EFI_SUCCESS;
}
