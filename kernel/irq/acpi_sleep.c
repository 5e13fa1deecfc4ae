/*
 * Finds the sleep types: the two numbers that turn the machine off when they are written to its sleep control
 * registers. They are in the AML package \_S5_ (ACPI 6.5, "_Sx (System States)", "AML Byte Stream"), which is found by
 * a scan for the name, not by an AML interpreter. In all known tables the name is declared once, as a package or as a
 * method that returns a package. Where the four letters occur by chance, no package of small numbers follows, so the
 * scan goes on.
 */
#include "kernel/irq/acpi_parse.h"

enum aml {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_QWORD = 0x0e,
	AML_PACKAGE = 0x12,
	AML_VAR_PACKAGE = 0x13,
	AML_METHOD = 0x14,
	AML_ROOT = '\\',
	AML_PARENT = '^',
	AML_RETURN = 0xa4,
};

/* AML that has not been read yet. */
struct aml_bytes {
	const uint8_t *at, *end;
};

static bool take(struct aml_bytes *b, uint8_t *ret)
{
	if (b->at >= b->end)
		return false;
	*ret = *b->at++;
	return true;
}

/* Take a constant of any width. Returns false when there is none, or when it has more than 16 bits. */
static bool take_integer(struct aml_bytes *b, uint16_t *ret)
{
	uint8_t op, byte;
	uint64_t value = 0;
	int size;

	if (!take(b, &op))
		return false;
	switch (op) {
	case AML_ZERO:
	case AML_ONE:
		*ret = op;
		return true;
	case AML_BYTE:
		size = 1;
		break;
	case AML_WORD:
		size = 2;
		break;
	case AML_DWORD:
		size = 4;
		break;
	case AML_QWORD:
		size = 8;
		break;
	default:
		return false;
	}
	for (int i = 0; i < size; i++) {
		if (!take(b, &byte))
			return false;
		value |= (uint64_t)byte << 8 * i;
	}
	*ret = (uint16_t)value;
	return value <= UINT16_MAX;
}

/*
 * Skip a package's length, whose value is not needed. The two highest bits of its first byte say how many bytes follow,
 * 0 to 3.
 */
static bool skip_length(struct aml_bytes *b)
{
	uint8_t first, more;

	if (!take(b, &first))
		return false;
	for (int i = first >> 6; i; i--)
		if (!take(b, &more))
			return false;
	return true;
}

/*
 * Take Package(){a, b, …} and set both sleep types from it. The number of elements comes first: a byte in a Package, a
 * constant in a VarPackage. A package of one element has both types in that element, a byte each.
 */
static bool take_package(struct aml_bytes *b, struct acpi_info *info)
{
	uint16_t count, types, second;
	uint8_t op, byte;

	if (!take(b, &op) || (op != AML_PACKAGE && op != AML_VAR_PACKAGE) || !skip_length(b))
		return false;
	if (op == AML_PACKAGE) {
		if (!take(b, &byte))
			return false;
		count = byte;
	} else if (!take_integer(b, &count)) {
		return false;
	}
	if (!count || !take_integer(b, &types))
		return false;
	second = types >> 8;
	if (count > 1 && (types > 0xff || !take_integer(b, &second)))
		return false;
	/* The field SLP_TYP has three bits. */
	if ((types & 0xff) > 7 || second > 7)
		return false;
	info->has_s5 = true;
	info->s5_type_a = (uint8_t)types;
	info->s5_type_b = (uint8_t)second;
	return true;
}

/*
 * Return the opcode that declares `name`, a name in the AML that starts at `from`: AML_NAME, AML_METHOD, or 0 for none.
 */
static uint8_t declarer(const uint8_t *from, const uint8_t *name)
{
	/* Prefixes may stand before the name: \_S5_, or ^_S5_ when it is declared in an inner scope. */
	while (name > from && (name[-1] == AML_ROOT || name[-1] == AML_PARENT))
		name--;
	if (name > from && name[-1] == AML_NAME)
		return AML_NAME;
	/* A method is its opcode, its length in 1 to 4 bytes, and its name. */
	for (int size = 1; size <= 4 && name - from > size; size++)
		if (name[-size - 1] == AML_METHOD && name[-size] >> 6 == size - 1)
			return AML_METHOD;
	return 0;
}

void acpi_scan_s5(struct acpi_table table, struct acpi_info *info)
{
	const uint8_t *start = table.bytes + ACPI_HEADER, *end = table.bytes + table.size;

	for (const uint8_t *at = start; end - at >= 4 && !info->has_s5; at++) {
		struct aml_bytes b = { at + 4, end };
		uint8_t byte, kind;

		if (memcmp(at, "_S5_", 4) != 0)
			continue;
		kind = declarer(start, at);
		/* Skip the method's flags; its one statement must be a return. */
		if (kind == AML_METHOD && (!take(&b, &byte) || !take(&b, &byte) || byte != AML_RETURN))
			continue;
		if (kind)
			(void)take_package(&b, info);
	}
}
