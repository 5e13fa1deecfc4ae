/*
 * Access to the local APIC's registers, by MSRs or in memory. A register at offset n in memory is MSR 0x800 + n / 16.
 */
#include "kernel/irq/apic.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_fence.h"
#include "kernel/arch/features.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/space/context.h"
#include "kernel/mm/space/mmio.h"

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800

#define BASE_X2APIC  (1ULL << 10)
#define BASE_ENABLED (1ULL << 11)
#define BASE_ADDRESS 0x000ffffffffff000ULL

enum apic_register {
	APIC_ID = 0x020,
	APIC_TASK_PRIORITY = 0x080,
	APIC_EOI = 0x0b0,
	APIC_SPURIOUS = 0x0f0,
	APIC_IN_SERVICE = 0x100, /* eight registers, 0x10 apart */
	APIC_ERROR_STATUS = 0x280,
	/*
	 * the interrupt command register: one 64-bit MSR, or two 32-bit registers in memory. The second of these names
	 * the target CPU; it is not written here, since INIT goes to all other CPUs
	 */
	APIC_COMMAND = 0x300,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define APIC_SIZE 0x400

#define SPURIOUS_ENABLED  (1u << 8)
#define LVT_NMI           (4u << 8)
#define LVT_8259S         (7u << 8) /* in APIC_LVT_LINT0: the 8259s name the vector ("ExtINT") */
#define LVT_MASKED        (1u << 16)
#define LVT_TSC_DEADLINE  (2u << 17) /* in APIC_LVT_TIMER: the timer's mode; the default, 0, is one-shot */
#define TIMER_DIVIDE_BY_1 0x0b
#define COMMAND_INIT      (5u << 8)
#define COMMAND_ASSERT    (1u << 14)
#define COMMAND_OTHERS    (3u << 18)

/* How many interrupts may be in service when the kernel starts: at most one for each of the 16 priorities */
#define MOST_IN_SERVICE 16

static enum apic_mode mode;      /* fixed after boot */
static volatile uint8_t *window; /* the registers, mapped as device memory; only in xAPIC mode. Fixed after boot */

static uint32_t read(enum apic_register reg)
{
	context_token_t token;
	uint32_t value;

	if (mode == APIC_X2APIC)
		return (uint32_t)cpu_read_msr(MSR_X2APIC + reg / 16);
	token = kernel_context_enter();
	value = mmio_read32(window + reg);
	kernel_context_leave(token);
	return value;
}

static void write(enum apic_register reg, uint32_t value)
{
	context_token_t token;

	if (mode == APIC_X2APIC) {
		cpu_write_msr(MSR_X2APIC + reg / 16, value);
		return;
	}
	token = kernel_context_enter();
	mmio_write32(window + reg, value);
	kernel_context_leave(token);
}

static enum status turn_on(paddr_t address)
{
	uint64_t base = cpu_read_msr(MSR_APIC_BASE);
	enum status status;
	void *registers;

	if (cpu_features()->x2apic) {
		/*
		 * The APIC may not go directly from "off" to x2APIC mode: turn xAPIC mode on first (Intel SDM vol. 3A,
		 * "x2APIC State Transitions").
		 */
		cpu_write_msr(MSR_APIC_BASE, base | BASE_ENABLED);
		cpu_write_msr(MSR_APIC_BASE, base | BASE_ENABLED | BASE_X2APIC);
		mode = APIC_X2APIC;
		return OK;
	}
	/* The APIC answers at the address in this MSR, even if the ACPI tables name another address. */
	if (base & BASE_ADDRESS)
		address = paddr(base & BASE_ADDRESS);
	status = mmio_map(address, APIC_SIZE, PROT_UC, &registers);
	if (status != OK)
		return status;
	cpu_write_msr(MSR_APIC_BASE, base | BASE_ENABLED);
	window = registers;
	mode = APIC_XAPIC;
	return OK;
}

static bool any_in_service(void)
{
	uint32_t any = 0;

	for (unsigned i = 0; i < 8; i++)
		any |= read((enum apic_register)(APIC_IN_SERVICE + 0x10 * i));
	return any;
}

enum status apic_init(paddr_t address, unsigned spurious_vector, unsigned error_vector)
{
	enum status status;

	ASSERT((spurious_vector & 15) == 15);
	if (!cpu_features()->apic)
		return ERR_NOT_FOUND;
	status = turn_on(address);
	if (status != OK)
		return status;
	write(APIC_SPURIOUS, SPURIOUS_ENABLED | spurious_vector);
	write(APIC_TASK_PRIORITY, 0);
	write(APIC_LVT_TIMER, LVT_MASKED | error_vector);
	/* On all PCs LINT0 is wired to the 8259s (see apic_pass_8259s()), and LINT1 to the machine's NMI. */
	write(APIC_LVT_LINT0, LVT_MASKED | error_vector);
	write(APIC_LVT_LINT1, LVT_NMI);
	(void)apic_take_errors();
	write(APIC_LVT_ERROR, error_vector);
	for (int i = 0; i < MOST_IN_SERVICE && any_in_service(); i++)
		apic_end_of_interrupt();
	return OK;
}

void apic_pass_8259s(void)
{
	write(APIC_LVT_LINT0, LVT_8259S);
}

void apic_end(void)
{
	/* Some emulators look at LINT0 even if the APIC is off. */
	apic_pass_8259s();
	cpu_write_msr(MSR_APIC_BASE, cpu_read_msr(MSR_APIC_BASE) & ~(BASE_ENABLED | BASE_X2APIC));
	mode = APIC_NONE;
}

void apic_park_others(void)
{
	write(APIC_COMMAND, COMMAND_INIT | COMMAND_ASSERT | COMMAND_OTHERS);
}

enum apic_mode apic_mode(void)
{
	return mode;
}

uint32_t apic_id(void)
{
	return mode == APIC_X2APIC ? read(APIC_ID) : read(APIC_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
	write(APIC_EOI, 0);
}

uint32_t apic_take_errors(void)
{
	/* Writing the register makes it show the errors since the last write. */
	write(APIC_ERROR_STATUS, 0);
	return read(APIC_ERROR_STATUS);
}

enum apic_timer apic_timer_init(unsigned vector)
{
	if (cpu_features()->tsc_deadline) {
		write(APIC_LVT_TIMER, LVT_TSC_DEADLINE | vector);
		/* The mode must be set before the first write to the MSR (Intel SDM vol. 3A, "TSC-Deadline Mode"). */
		cpu_fence();
		apic_timer_set_deadline(0);
		return APIC_TIMER_DEADLINE;
	}
	write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	write(APIC_LVT_TIMER, vector);
	apic_timer_set_count(0);
	return APIC_TIMER_COUNT;
}

void apic_timer_set_deadline(uint64_t tsc)
{
	cpu_write_msr(MSR_TSC_DEADLINE, tsc);
}

void apic_timer_set_count(uint32_t count)
{
	write(APIC_TIMER_INITIAL, count);
}

uint32_t apic_timer_count(void)
{
	return read(APIC_TIMER_CURRENT);
}
