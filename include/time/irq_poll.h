/* Asks the handlers of lines that were masked because of a storm, 100 times a second. */
#pragma once

/* Context: init, after the event sources. */
void irq_poll_init(void);
