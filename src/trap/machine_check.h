/* Machine check architecture (SDM 3B chapter 15): error banks that survive until they are read and cleared. */
#pragma once

#include <cpu/trap_frame.h>

/* Turns reporting on, where the CPU has it, and logs what the banks hold from before. Context: init, on each CPU. */
void machine_check_init(void);

/* An error the processor could not correct: a fatal report. Anything less is logged. Context: NMI. */
void machine_check_handle(struct trap_frame *frame);

/* Logs and clears what the banks hold: corrected errors raise no exception. Context: thread, irq. */
void machine_check_poll(void);
