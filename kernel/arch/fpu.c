/*
 * Saves and loads the FPU state, by XSAVE if the CPU has it, otherwise by FXSAVE. The caller supplies the save areas.
 */
#include "kernel/arch/fpu.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_state.h"
#include "kernel/arch/features.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"

/*
 * The state components that programs may use: x87, SSE, AVX, AVX-512's three. All others stay off: no program can use
 * them, and no switch saves them.
 */
#define COMPONENTS_WANTED 0xe7ULL

#define XSAVE_LEAF       0xd
#define XSAVEOPT_SUBLEAF 1

/* The control words with which a program starts (System V ABI, AMD64 supplement, "Registers and the Stack Frame"). */
#define CONTROL_WORD 0x37f
#define MXCSR_START  0x1f80

/* Fixed after boot. */
struct fpu_facts fpu_facts = { .size = FPU_LEGACY_SIZE, .components = FPU_LEGACY_COMPONENTS };

static bool xsaveopt; /* the CPU has XSAVEOPT. Fixed after boot */

/* Ask FXSAVE which bits MXCSR has (Intel SDM vol. 1, "Guidelines for Writing to the MXCSR Register"). */
static void read_mxcsr_mask(void)
{
	static SCRATCH uint8_t area[FPU_LEGACY_SIZE] __attribute__((aligned(FPU_ALIGN)));

	cpu_fxsave(area);
	memcpy(&fpu_facts.mxcsr_mask, area + FPU_MXCSR_MASK, sizeof(fpu_facts.mxcsr_mask));
	if (!fpu_facts.mxcsr_mask)
		fpu_facts.mxcsr_mask = 0xffbf;
}

void fpu_init(void)
{
	struct cpuid leaf;
	uint64_t components;

	read_mxcsr_mask();
	fpu_facts.has_header = cpu_features()->xsave;
	if (!fpu_facts.has_header)
		return;
	leaf = cpu_cpuid(XSAVE_LEAF, 0);
	components = ((uint64_t)leaf.edx << 32 | leaf.eax) & COMPONENTS_WANTED;
	/* AVX-512's three components are turned on together or not at all, and only beside AVX. */
	if ((components & 0xe4) != 0xe4)
		components &= ~0xe0ULL;
	cpu_xsetbv(0, components);
	fpu_facts.components = components;
	fpu_facts.size = cpu_cpuid(XSAVE_LEAF, 0).ebx;
	xsaveopt = cpu_cpuid(XSAVE_LEAF, XSAVEOPT_SUBLEAF).eax & 1;
}

void fpu_start_cpu(void)
{
	if (fpu_facts.has_header)
		cpu_xsetbv(0, fpu_facts.components);
}

void fpu_start(void *area)
{
	const uint16_t control = CONTROL_WORD;
	const uint32_t mxcsr = MXCSR_START;

	/* A header of zeros says that no component is present: XRSTOR then does not read the registers of the area. */
	if (fpu_has_header())
		memset((uint8_t *)area + FPU_LEGACY_SIZE, 0, FPU_HEADER_END - FPU_LEGACY_SIZE);
	else
		memset(area, 0, FPU_LEGACY_SIZE);
	memcpy(area, &control, sizeof(control));
	memcpy((uint8_t *)area + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
}

void fpu_save(void *area)
{
	if (xsaveopt)
		cpu_xsaveopt(area, fpu_components());
	else if (fpu_has_header())
		cpu_xsave(area, fpu_components());
	else
		cpu_fxsave(area);
}

void fpu_restore(const void *area)
{
	if (fpu_has_header())
		cpu_xrstor(area, fpu_components());
	else
		cpu_fxrstor(area);
}

/*
 * What fpu_reset() loads: its header says that no component is present, so that the CPU sets each to its initial state.
 */
static const struct {
	uint16_t control;
	uint8_t rest[FPU_MXCSR - sizeof(uint16_t)];
	uint32_t mxcsr;
	uint8_t registers[FPU_HEADER_END - FPU_MXCSR - sizeof(uint32_t)];
} __attribute__((aligned(FPU_ALIGN))) first_state = { .control = CONTROL_WORD, .mxcsr = MXCSR_START };

_Static_assert(sizeof(first_state) == FPU_HEADER_END, "legacy area and header");

void fpu_reset(void)
{
	fpu_restore(&first_state);
}
