/* QEMU's and Bochs's debug port as a console for the log. */
#pragma once

/* Registers it where it is: a read of port 0xe9 returns 0xe9 (QEMU docs, isa-debugcon; Bochs, port_e9_hack). Context:
 * init. */
void debug_port_init(void);
