/*
 * The two 8259 interrupt controllers of the first PCs, with 16 inputs together. The kernel silences them where it uses
 * I/O APICs, and works with them where there are none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Mask all inputs of the 8259s, and move their vectors to first_vector and the 15 after it, away from exceptions: a
 * masked 8259 may still signal a spurious interrupt. Harmless on a machine without 8259s.
 */
void pic_disable(unsigned first_vector);

/*
 * Use the 8259s from now on: call after pic_disable(). All inputs stay masked until pic_unmask(). Returns false on a
 * machine without 8259s; nothing has changed then.
 */
bool pic_start(void);

/* Return whether a device can be at this input: 0 to 15, but for the input that the second controller is wired to. */
bool pic_has(uint32_t input);

/*
 * Unmask or mask an input for which pic_has() is true, in any context (set of page tables). Call after pic_start() has
 * returned true.
 */
void pic_unmask(unsigned input);
void pic_mask(unsigned input);

/*
 * Return whether the interrupt that has arrived at vector first_vector + input is spurious: the 8259s signal input 7 or
 * 15 when a device has taken its signal back. Call in the interrupt's handler.
 */
bool pic_is_spurious(unsigned input);

/* End an interrupt that has arrived at vector first_vector + input, and was not spurious. */
void pic_end(unsigned input);

/*
 * End a spurious interrupt that has arrived at vector first_vector + input. For inputs 8 to 15, those of the second
 * controller, the first controller gets an EOI: it cannot tell that the interrupt was spurious.
 */
void pic_spurious(unsigned input);
