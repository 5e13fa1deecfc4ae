/*
 * The two 8259 interrupt controllers of the first PCs: silenced.
 */
#pragma once

/*
 * Mask all their inputs. Their vectors are moved to first_vector and the 15 after it, away from exceptions: a masked
 * 8259 may still signal a spurious interrupt. Harmless when there are none.
 */
void pic_disable(unsigned first_vector);

/* To be called for an interrupt at the vector first_vector + input: the second controller's make the first one wait. */
void pic_spurious(unsigned input);
