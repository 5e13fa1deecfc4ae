/*
 * The two 8259 interrupt controllers of the first PCs, which the kernel only silences.
 */
#pragma once

/*
 * Mask all inputs of the 8259s, and move their vectors to first_vector and the 15 after it, away from exceptions: a
 * masked 8259 may still signal a spurious interrupt. Harmless on a machine without 8259s.
 */
void pic_disable(unsigned first_vector);

/*
 * End a spurious interrupt that has arrived at vector first_vector + input. One of the second controller (input 8 to
 * 15) also counts as an interrupt of the first controller, which waits until it is ended there.
 */
void pic_spurious(unsigned input);
