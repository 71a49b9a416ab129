#pragma once

/* Moves the two 8259s' interrupts to vectors 32 to 47, off the exceptions, and masks them all. Harmless where there are
 * none. Context: init. */
void pic8259_disable(void);
