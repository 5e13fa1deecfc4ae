/*
 * Power-off and restart by ACPI's registers (ACPI 6.5, "PM1 Control Grouping", "Reset Register"). Only registers at
 * ports are used: machines that have these registers in memory are "hardware-reduced", and have other ways to turn off.
 */
#include "kernel/irq/acpi_power.h"

#include "kernel/arch/cpu.h"
#include "kernel/irq/irq.h"

#define CONTROL_SCI_ENABLED  (1u << 0)
#define CONTROL_SLEEP_TYPE   (7u << 10)
#define CONTROL_SLEEP_ENABLE (1u << 13)

/*
 * How many times to read whether ACPI mode is on before giving up. A read of a port takes about a microsecond on real
 * machines, so the limit is about 3 s: the firmware switches the mode in system management mode, which may be slow.
 */
#define MOST_LOOKS 3000000
/*
 * How many PAUSE instructions to wait, about 10 ms, after writing the register that turns the machine off or restarts
 * it. A machine that still runs after that has ignored the write.
 */
#define WAIT_LOOKS 1000000

static bool is_port(struct acpi_register r)
{
	return r.address && r.address <= UINT16_MAX - 1 && r.space == ACPI_SPACE_IO;
}

/*
 * Return whether the address of the register is plausible for the power management block. Ports below 0x100 belong to
 * the board's own devices: U-Boot on QEMU's machine q35 never gives the block an address, so that its tables name ports
 * of the DMA controller.
 */
static bool is_pm_block(struct acpi_register r)
{
	return is_port(r) && r.address >= 0x100;
}

/*
 * Switch the chipset from the firmware's mode, in which power events raise SMIs, to ACPI mode. Returns whether ACPI
 * mode is on. control: the port of the PM1a control register.
 */
static bool enter_acpi_mode(const struct acpi_info *acpi, uint16_t control)
{
	if ((cpu_in16(control) & CONTROL_SCI_ENABLED) || !acpi->smi_command || !acpi->acpi_enable)
		return true;
	cpu_out8(acpi->smi_command, acpi->acpi_enable);
	for (int i = 0; i < MOST_LOOKS; i++)
		if (cpu_in16(control) & CONTROL_SCI_ENABLED)
			return true;
	return false;
}

static void sleep(struct acpi_register control, uint8_t type)
{
	uint16_t port = (uint16_t)control.address;
	unsigned value = cpu_in16(port) & ~(CONTROL_SLEEP_TYPE | CONTROL_SLEEP_ENABLE);

	cpu_out16(port, (uint16_t)(value | (unsigned)type << 10 | CONTROL_SLEEP_ENABLE));
}

static void wait_for_the_end(void)
{
	for (int i = 0; i < WAIT_LOOKS; i++)
		cpu_pause();
}

void acpi_power_off(void)
{
	const struct acpi_info *acpi = irq_acpi();

	if (!acpi->has_s5 || acpi->hardware_reduced || !is_pm_block(acpi->pm1a_control))
		return;
	if (!enter_acpi_mode(acpi, (uint16_t)acpi->pm1a_control.address))
		return;
	sleep(acpi->pm1a_control, acpi->s5_type_a);
	if (is_pm_block(acpi->pm1b_control))
		sleep(acpi->pm1b_control, acpi->s5_type_b);
	wait_for_the_end();
}

void acpi_restart(void)
{
	const struct acpi_info *acpi = irq_acpi();

	if (!is_port(acpi->reset))
		return;
	cpu_out8((uint16_t)acpi->reset.address, acpi->reset_value);
	wait_for_the_end();
}
