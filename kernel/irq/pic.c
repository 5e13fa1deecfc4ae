/*
 * Initialises the 8259s once, as their manual says (Intel, "8259A Programmable Interrupt Controller"), and masks all of
 * their inputs.
 */
#include "kernel/irq/pic.h"

#include "kernel/arch/cpu.h"

#define FIRST_COMMAND  0x20
#define FIRST_DATA     0x21
#define SECOND_COMMAND 0xa0
#define SECOND_DATA    0xa1

#define ICW1_INIT_WITH_ICW4 0x11
#define ICW4_8086           0x01
#define CASCADE_INPUT       2
#define MASK_ALL            0xff
#define OCW2_EOI            0x20

void pic_disable(unsigned first_vector)
{
	/* ICW1 makes a controller forget its mask: the inputs are masked again right after the initialisation. */
	cpu_out8(FIRST_COMMAND, ICW1_INIT_WITH_ICW4);
	cpu_out8(SECOND_COMMAND, ICW1_INIT_WITH_ICW4);
	cpu_out8(FIRST_DATA, (uint8_t)first_vector);
	cpu_out8(SECOND_DATA, (uint8_t)(first_vector + 8));
	cpu_out8(FIRST_DATA, 1 << CASCADE_INPUT);
	cpu_out8(SECOND_DATA, CASCADE_INPUT);
	cpu_out8(FIRST_DATA, ICW4_8086);
	cpu_out8(SECOND_DATA, ICW4_8086);
	cpu_out8(FIRST_DATA, MASK_ALL);
	cpu_out8(SECOND_DATA, MASK_ALL);
}

void pic_spurious(unsigned input)
{
	/* The first controller counts the second one's spurious interrupt as a real one, and waits for its EOI. */
	if (input >= 8)
		cpu_out8(FIRST_COMMAND, OCW2_EOI);
}
