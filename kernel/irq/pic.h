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
 * End a spurious interrupt that has arrived at vector first_vector + input. For inputs 8 to 15, those of the second
 * controller, the first controller gets an EOI: it cannot tell that the interrupt was spurious.
 */
void pic_spurious(unsigned input);
