/*
 * Drives the local APIC by its registers, which are MSRs or lie in memory. A register at offset n in memory is MSR
 * 0x800 + n / 16.
 */
#include "kernel/irq/apic.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpu_fence.h"
#include "kernel/arch/features.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/log.h"
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
	 * the interrupt command register: one 64-bit MSR, or two 32-bit registers in memory, the second of which names
	 * the target CPU
	 */
	APIC_COMMAND = 0x300,
	APIC_COMMAND_TARGET = 0x310,
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
#define COMMAND_NMI       (4u << 8)
#define COMMAND_INIT      (5u << 8)
#define COMMAND_STARTUP   (6u << 8)
#define COMMAND_PENDING   (1u << 12)
#define COMMAND_ASSERT    (1u << 14)
#define COMMAND_OTHERS    (3u << 18)

/*
 * How often the command register is read, some 10 ms in all, until a command that is still pending is given up. A CPU
 * takes a command within microseconds, unless it or its APIC is broken.
 */
#define PENDING_READS 100000

/* How many interrupts may be in service when the kernel starts: at most one for each of the 16 priorities */
#define MOST_IN_SERVICE 16

static enum apic_mode mode;      /* fixed after boot */
static volatile uint8_t *window; /* the registers, mapped as device memory; only in xAPIC mode. Fixed after boot */

/* One more than the APIC id of a CPU that has not taken a command, until that is logged; 0: none. Atomic */
static uint32_t deaf;

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

/* Turn on the local APIC of a CPU that starts later, in the first CPU's mode. The window shows its registers, too. */
static void turn_on_alike(void)
{
	const uint64_t base = cpu_read_msr(MSR_APIC_BASE);

	cpu_write_msr(MSR_APIC_BASE, base | BASE_ENABLED);
	if (mode == APIC_X2APIC)
		cpu_write_msr(MSR_APIC_BASE, base | BASE_ENABLED | BASE_X2APIC);
}

static bool any_in_service(void)
{
	uint32_t any = 0;

	for (unsigned i = 0; i < 8; i++)
		any |= read((enum apic_register)(APIC_IN_SERVICE + 0x10 * i));
	return any;
}

static void set_inputs(unsigned spurious_vector, unsigned error_vector)
{
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
}

enum status apic_init(paddr_t address, unsigned spurious_vector, unsigned error_vector)
{
	enum status status;

	ASSERT((spurious_vector & 15) == 15);
	if (!cpu_features()->apic)
		return ERR_NOT_FOUND;
	status = turn_on(address);
	if (status == OK)
		set_inputs(spurious_vector, error_vector);
	return status;
}

void apic_start_cpu(unsigned spurious_vector, unsigned error_vector)
{
	turn_on_alike();
	set_inputs(spurious_vector, error_vector);
	/* The machine's NMI is to reach the first CPU alone. */
	write(APIC_LVT_LINT1, LVT_MASKED | error_vector);
}

void apic_pass_8259s(void)
{
	write(APIC_LVT_LINT0, LVT_8259S);
}

void apic_end(void)
{
	/* Some emulators pass the 8259s' interrupts on only if LINT0 does, even while the APIC is off. */
	apic_pass_8259s();
	cpu_write_msr(MSR_APIC_BASE, cpu_read_msr(MSR_APIC_BASE) & ~(BASE_ENABLED | BASE_X2APIC));
	mode = APIC_NONE;
}

void apic_park_others(void)
{
	write(APIC_COMMAND, COMMAND_INIT | COMMAND_ASSERT | COMMAND_OTHERS);
}

/*
 * Wait until the command that was written last is delivered. If that takes too long, note in `deaf` which CPU the
 * command was for, to be logged later: the caller may hold locks under which nothing can be logged. Called in the
 * kernel context.
 */
static void wait_for_delivery(void)
{
	for (unsigned i = 0; i < PENDING_READS; i++) {
		if (!(mmio_read32(window + APIC_COMMAND) & COMMAND_PENDING))
			return;
		cpu_pause();
	}
	__atomic_store_n(&deaf, (mmio_read32(window + APIC_COMMAND_TARGET) >> 24) + 1, __ATOMIC_RELAXED);
}

void apic_log_undelivered(void)
{
	uint32_t id;

	if (likely(!__atomic_load_n(&deaf, __ATOMIC_RELAXED)))
		return;
	id = __atomic_exchange_n(&deaf, 0, __ATOMIC_RELAXED);
	if (id)
		log_err("APIC: the CPU with APIC id %u did not take an interrupt that was sent to it\n", id - 1);
}

/*
 * Write a command for one CPU. In xAPIC mode that takes two writes. Interrupts are off meanwhile, since a handler's
 * command must not come between them.
 */
static void command(uint32_t id, uint32_t what)
{
	uint64_t flags;
	context_token_t token;

	if (mode == APIC_X2APIC) {
		/* Wait for earlier stores, which the other CPU is to see: writing this MSR does not wait for them. */
		cpu_fence();
		cpu_write_msr(MSR_X2APIC + APIC_COMMAND / 16, (uint64_t)id << 32 | what);
		return;
	}
	flags = irq_guard_enter();
	token = kernel_context_enter();
	wait_for_delivery();
	mmio_write32(window + APIC_COMMAND_TARGET, id << 24);
	mmio_write32(window + APIC_COMMAND, what);
	kernel_context_leave(token);
	irq_guard_leave(flags);
}

void apic_send_init(uint32_t id)
{
	command(id, COMMAND_INIT | COMMAND_ASSERT);
}

void apic_send_startup(uint32_t id, paddr_t page)
{
	command(id, COMMAND_STARTUP | COMMAND_ASSERT | (uint32_t)(page.raw / PAGE_SIZE));
}

void apic_send(uint32_t id, unsigned vector)
{
	command(id, COMMAND_ASSERT | vector);
}

void apic_send_nmi(uint32_t id)
{
	command(id, COMMAND_NMI | COMMAND_ASSERT);
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

void apic_timer_init_count(unsigned vector)
{
	write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	write(APIC_LVT_TIMER, vector);
	apic_timer_set_count(0);
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
	apic_timer_init_count(vector);
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
