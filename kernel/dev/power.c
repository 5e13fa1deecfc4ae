/*
 * Restarts the machine or turns it off.
 */
#include "kernel/dev/power.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/dev/hvc.h"
#include "kernel/dev/screen.h"
#include "kernel/dev/serial.h"
#include "kernel/irq/acpi_power.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/mm/space/firmware_context.h"

#define RESET_CONTROL    0xcf9 /* the chipset's reset register: bit 1 = hard reset, bit 2 = do it */
#define KEYBOARD_COMMAND 0x64
#define PULSE_RESET      0xfe

static void wait_a_little(void)
{
	for (int i = 0; i < 1000000; i++)
		cpu_pause();
}

/* Draw and send all text that programs and the kernel have written and that still waits for the screen or the port. */
static void say_last_words(void)
{
	screen_show_later(NULL);
	screen_release();
	screen_show();
	serial_flush();
	hvc_end_queue();
	if (serial_lost())
		log_warn("serial port: %llu lines left out: it took nothing\n", (unsigned long long)serial_lost());
}

void power_restart(void)
{
	const struct descriptor_register none = { 0, 0 };

	irq_close();
	cpu_calls_stop_others();
	say_last_words();
	(void)firmware_reset(FIRMWARE_RESET_COLD);
	acpi_restart();
	cpu_out8(RESET_CONTROL, 0x02);
	cpu_out8(RESET_CONTROL, 0x06);
	wait_a_little();
	cpu_out8(KEYBOARD_COMMAND, PULSE_RESET);
	wait_a_little();
	/* Without an IDT the next exception becomes a triple fault, which resets the CPU. */
	cpu_load_idt(&none);
	__builtin_trap();
}

void power_off(void)
{
	irq_close();
	cpu_calls_stop_others();
	say_last_words();
	if (firmware_off_restarts())
		acpi_power_off();
	(void)firmware_reset(FIRMWARE_RESET_SHUTDOWN);
	acpi_power_off();
}
