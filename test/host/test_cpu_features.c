/*
 * What CPUID says, read from a model of it; and which CPUs may use PCIDs. The sources are compiled into this file with
 * their instructions turned to the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"

static struct cpu_features model;
static uint64_t model_microcode; /* as the register holds it */
static bool model_signature_asked;

static const struct cpu_features *model_features(void)
{
	return &model;
}

static struct cpuid model_leaf_1(uint32_t leaf, uint32_t subleaf)
{
	assert_int_equal(leaf, 1);
	assert_int_equal(subleaf, 0);
	model_signature_asked = true;
	return (struct cpuid){ 0 };
}

/* The revision comes when 0 was written and leaf 1 asked, in this order. */
static void model_write_msr(uint32_t msr, uint64_t value)
{
	assert_int_equal(msr, MSR_MICROCODE);
	assert_int_equal(value, 0);
	model_signature_asked = false;
}

static uint64_t model_read_msr(uint32_t msr)
{
	assert_int_equal(msr, MSR_MICROCODE);
	assert_true(model_signature_asked);
	return model_microcode;
}

#define cpu_features(x) model_features(x)
#define cpu_cpuid       model_leaf_1
#define cpu_write_msr   model_write_msr
#define cpu_read_msr    model_read_msr
#define pcid_is_sound   tested_is_sound
#define pcid_usable     tested_usable
#include "kernel/arch/pcid.c"
#undef cpu_features
#undef cpu_cpuid
#undef cpu_write_msr
#undef cpu_read_msr

/* ---- PCIDs ---- */

static void set_model(const char *vendor, unsigned family, unsigned number)
{
	model = (struct cpu_features){ .family = family, .model = number, .pcid = true, .pge = true };
	strcpy(model.vendor, vendor);
}

static void pcids_need_their_feature_and_global_pages(void **state)
{
	(void)state;
	set_model("AuthenticAMD", 25, 0x97);
	assert_true(tested_usable());
	model.pge = false;
	assert_false(tested_usable());
	model.pge = true;
	model.pcid = false;
	assert_false(tested_usable());
}

static void one_erratum_asks_for_the_microcode(void **state)
{
	(void)state;
	model_signature_asked = false;
	/* Another vendor's CPU, another family, another model: the register is not touched. */
	set_model("AuthenticAMD", 6, 0x97);
	assert_true(tested_usable());
	set_model("GenuineIntel", 15, 0x97);
	assert_true(tested_usable());
	set_model("GenuineIntel", 6, 0x55);
	assert_true(tested_usable());
	assert_false(model_signature_asked);

	for (size_t i = 0; i < sizeof(missing_invlpg) / sizeof(missing_invlpg[0]); i++) {
		const uint32_t fixed = missing_invlpg[i].fixed;

		set_model("GenuineIntel", 6, missing_invlpg[i].model);
		/* The lower half of the register is no part of the revision. */
		model_microcode = (uint64_t)(fixed - 1) << 32 | 0xffffffff;
		assert_false(tested_usable());
		model_microcode = (uint64_t)fixed << 32;
		assert_true(tested_usable());
		/* What a hypervisor says of it is not believed. */
		model.hypervisor = true;
		assert_false(tested_usable());
	}
}

/* ---- CPUID ---- */

/* A CPU's leaves; what lies above the highest of its kind answers as the highest basic one does, as on Intel's. */
static struct {
	uint32_t highest, highest_extended;
	struct cpuid leaf[14], extended[9];
} cpuid_model;

static struct cpuid model_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	assert_int_equal(subleaf, 0);
	if (leaf <= cpuid_model.highest)
		r = cpuid_model.leaf[leaf];
	else if (leaf >= 0x80000000 && leaf <= cpuid_model.highest_extended)
		r = cpuid_model.extended[leaf - 0x80000000];
	else
		r = cpuid_model.leaf[cpuid_model.highest];
	if (leaf == 0)
		r.eax = cpuid_model.highest;
	if (leaf == 0x80000000 && cpuid_model.highest_extended)
		r.eax = cpuid_model.highest_extended;
	return r;
}

struct cpu_features tested_found;
const struct cpu_features *tested_ask(void);
size_t tested_format(const struct cpu_features *f, char *buffer, size_t size);

#define cpu_cpuid           model_cpuid
#define cpu_features_ask    tested_ask
#define cpu_features_found  tested_found
#define cpu_features_format tested_format
#include "kernel/arch/features.c"
#undef cpu_cpuid
#undef cpu_features_ask
#undef cpu_features_found
#undef cpu_features_format

static const struct cpu_features *ask(void)
{
	memset(&tested_found, 0, sizeof(tested_found));
	return tested_ask();
}

/* The registers' bytes as text, in the order of CPUID's brand and of the vendor. */
static uint32_t four(const char *text)
{
	uint32_t bytes;

	memcpy(&bytes, text, sizeof(bytes));
	return bytes;
}

static int start(void **state)
{
	(void)state;
	memset(&cpuid_model, 0, sizeof(cpuid_model));
	cpuid_model.highest = 0xd;
	cpuid_model.leaf[0xd].eax = 7;
	cpuid_model.highest_extended = 0x80000008;
	cpuid_model.leaf[0].ebx = four("Genu");
	cpuid_model.leaf[0].edx = four("ineI");
	cpuid_model.leaf[0].ecx = four("ntel");
	return 0;
}

static void names_are_read_in_order(void **state)
{
	static const char brand[49] = "     Some CPU of 47 letters and no more @ 2 GHz ";

	(void)state;
	for (size_t i = 0; i < 3; i++)
		memcpy(&cpuid_model.extended[2 + i], brand + 16 * i, 16);
	assert_string_equal(ask()->vendor, "GenuineIntel");
	assert_string_equal(ask()->brand, brand + 5);
	/* All blank. */
	memset(&cpuid_model.extended[2], ' ', 48);
	assert_string_equal(ask()->brand, "");
}

/* A setup may limit the leaves, but leave XSAVE's bit: without the leaf of its sizes XSAVE is not used. */
static void xsave_needs_its_leaf(void **state)
{
	(void)state;
	cpuid_model.leaf[1].ecx = 1 << 26;
	assert_true(ask()->xsave);
	cpuid_model.highest = 7;
	assert_false(ask()->xsave);
}

static void expect_signature(uint32_t eax, unsigned family, unsigned number, unsigned stepping)
{
	cpuid_model.leaf[1].eax = eax;
	assert_int_equal(ask()->family, family);
	assert_int_equal(ask()->model, number);
	assert_int_equal(ask()->stepping, stepping);
}

static void signatures_are_taken_apart(void **state)
{
	(void)state;
	expect_signature(0x000906a3, 6, 0x9a, 3);  /* Alder Lake: the model is extended, the family is not */
	expect_signature(0x00a20f12, 25, 0x21, 2); /* Zen 3: both are */
	expect_signature(0x00ff0543, 5, 4, 3);     /* neither */
}

static void missing_leaves_say_nothing(void **state)
{
	const struct cpu_features *f;

	(void)state;
	memset(&cpuid_model.leaf[1], 0xff, sizeof(struct cpuid));
	memset(&cpuid_model.leaf[7], 0xff, sizeof(struct cpuid));
	memset(&cpuid_model.extended[1], 0xff, 8 * sizeof(struct cpuid));
	f = ask();
	assert_true(f->smap && f->pcid && f->nx && f->invariant_tsc);
	/* More address bits than an entry has room for. */
	assert_int_equal(f->physical_bits, 52);
	cpuid_model.extended[8].eax = 0x302e;
	f = ask();
	assert_int_equal(f->physical_bits, 46);
	assert_int_equal(f->linear_bits, 48);

	cpuid_model.highest = 1;
	cpuid_model.highest_extended = 0x80000001;
	f = ask();
	assert_true(f->pcid && f->nx);
	assert_false(f->smap || f->invpcid || f->invariant_tsc);
	assert_string_equal(f->brand, "");
	assert_int_equal(f->physical_bits, 36);
	assert_int_equal(f->linear_bits, 48);
}

static void each_feature_is_its_own_bit(void **state)
{
	struct cpuid *leaf;
	char text[32];

	(void)state;
#define LEAF(number) (number >= 0x80000000 ? &cpuid_model.extended[number & 15] : &cpuid_model.leaf[number & 15])
#define X(field, name, number, reg, bit)                                          \
	leaf = LEAF(number);                                                      \
	leaf->reg |= 1u << bit;                                                   \
	assert_true(ask()->field);                                                \
	assert_int_equal(tested_format(ask(), text, sizeof(text)), strlen(name)); \
	assert_string_equal(text, name);                                          \
	leaf->reg &= ~(1u << bit);
	CPU_FEATURES(X)
#undef X
	assert_int_equal(tested_format(ask(), text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void the_answers_are_asked_once(void **state)
{
	(void)state;
	assert_false(ask()->tsc);
	cpuid_model.leaf[1].edx = 1 << 4;
	assert_false(tested_ask()->tsc);
	assert_true(ask()->tsc);
}

static void names_are_cut_as_snprintf_cuts(void **state)
{
	const struct cpu_features f = { .tsc = true, .pat = true, .la57 = true };
	char text[16];

	(void)state;
	for (size_t size = 0; size <= sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(tested_format(&f, text, size), strlen("TSC PAT LA57"));
		if (size) {
			assert_int_equal(strlen(text), size - 1 < 12 ? size - 1 : 12);
			assert_memory_equal(text, "TSC PAT LA57", strlen(text));
		}
		for (size_t i = size; i < sizeof(text); i++)
			assert_int_equal(text[i], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcids_need_their_feature_and_global_pages),
		cmocka_unit_test(one_erratum_asks_for_the_microcode),
		cmocka_unit_test_setup(names_are_read_in_order, start),
		cmocka_unit_test_setup(xsave_needs_its_leaf, start),
		cmocka_unit_test_setup(signatures_are_taken_apart, start),
		cmocka_unit_test_setup(missing_leaves_say_nothing, start),
		cmocka_unit_test_setup(each_feature_is_its_own_bit, start),
		cmocka_unit_test_setup(the_answers_are_asked_once, start),
		cmocka_unit_test(names_are_cut_as_snprintf_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
