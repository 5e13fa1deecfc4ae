/*
 * Programs the 8259s as their manual says (Intel, "8259A Programmable Interrupt Controller"). The second controller's
 * output is wired to input 2 of the first one.
 */
#include "kernel/irq/pic.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/lock.h"

#define FIRST_COMMAND  0x20
#define FIRST_DATA     0x21
#define SECOND_COMMAND 0xa0
#define SECOND_DATA    0xa1

#define ICW1_INIT_WITH_ICW4  0x11
#define ICW4_8086            0x01
#define CASCADE_INPUT        2
#define MASK_ALL             0xff
#define OCW2_EOI             0x20
#define OCW3_READ_IN_SERVICE 0x0b

#define PIC_INPUTS    16
#define INPUTS_OF_ONE 8
#define LAST_INPUT    7 /* of one controller: its lowest priority, which it also signals when no input is active */

/* Guards `masks`, and the writes of it to the controllers. */
static struct lock pic_lock = LOCK_INITIAL(LOCK_PIC);
static uint16_t masks = UINT16_MAX; /* a bit for each input that is masked. Guard: pic_lock */

static void write_masks(void)
{
	cpu_out8(FIRST_DATA, (uint8_t)masks);
	cpu_out8(SECOND_DATA, masks >> INPUTS_OF_ONE);
}

void pic_disable(unsigned first_vector)
{
	/* ICW1 makes a controller forget its mask: the inputs are masked again right after the initialisation. */
	cpu_out8(FIRST_COMMAND, ICW1_INIT_WITH_ICW4);
	cpu_out8(SECOND_COMMAND, ICW1_INIT_WITH_ICW4);
	cpu_out8(FIRST_DATA, (uint8_t)first_vector);
	cpu_out8(SECOND_DATA, (uint8_t)(first_vector + INPUTS_OF_ONE));
	cpu_out8(FIRST_DATA, 1 << CASCADE_INPUT);
	cpu_out8(SECOND_DATA, CASCADE_INPUT);
	cpu_out8(FIRST_DATA, ICW4_8086);
	cpu_out8(SECOND_DATA, ICW4_8086);
	cpu_out8(FIRST_DATA, MASK_ALL);
	cpu_out8(SECOND_DATA, MASK_ALL);
}

bool pic_start(void)
{
	const uint8_t cascade_only = MASK_ALL & ~(1 << CASCADE_INPUT);
	uint64_t guard;
	bool there;

	guard = lock_take(&pic_lock);
	cpu_out8(FIRST_DATA, cascade_only);
	there = cpu_in8(FIRST_DATA) == cascade_only;
	if (there)
		masks &= ~(1 << CASCADE_INPUT);
	lock_release(&pic_lock, guard);
	return there;
}

bool pic_has(uint32_t input)
{
	return input < PIC_INPUTS && input != CASCADE_INPUT;
}

void pic_unmask(unsigned input)
{
	uint64_t guard = lock_take(&pic_lock);

	ASSERT(pic_has(input));
	masks &= ~(1 << input);
	write_masks();
	lock_release(&pic_lock, guard);
}

void pic_mask(unsigned input)
{
	uint64_t guard = lock_take(&pic_lock);

	ASSERT(pic_has(input));
	masks |= 1 << input;
	write_masks();
	lock_release(&pic_lock, guard);
}

bool pic_is_spurious(unsigned input)
{
	uint16_t command = input < INPUTS_OF_ONE ? FIRST_COMMAND : SECOND_COMMAND;

	/* Only a controller's last input can be spurious, so that only for this input the slow port is read. */
	if (input % INPUTS_OF_ONE != LAST_INPUT)
		return false;
	cpu_out8(command, OCW3_READ_IN_SERVICE);
	return !(cpu_in8(command) & 1 << LAST_INPUT);
}

void pic_end(unsigned input)
{
	if (input >= INPUTS_OF_ONE)
		cpu_out8(SECOND_COMMAND, OCW2_EOI);
	cpu_out8(FIRST_COMMAND, OCW2_EOI);
}

void pic_spurious(unsigned input)
{
	if (input >= INPUTS_OF_ONE)
		cpu_out8(FIRST_COMMAND, OCW2_EOI);
}
