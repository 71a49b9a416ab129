/* Serial consoles: 16550 UARTs at the four standard ports. */
#pragma once

#include <base/compiler.h>

/* Looks for the ports COM1 to COM4 and makes the first one found a console for log and prompt; says which ones there
 * are. Without any it does nothing. Context: init, once, as early as possible. */
void serial_init(void);

/* Gives the ports the work the command line names: `keel.console=` for the prompt and `keel.log=` for the log, each
 * com1 to com4 or none. With both, one port shows the prompt alone and the other the log alone; with keel.log= alone,
 * the first other port keeps the prompt; with neither, the first port has both. Logs what cannot be had. A panic is
 * shown on all. Context: init, once, after serial_init. */
void serial_assign(const char *command_line);

/* Ports that are read interrupt from now on when something comes; one that cannot stays polled, with a message.
 * Context: init, after serial_assign and the interrupt controllers. */
void serial_use_interrupts(void);
