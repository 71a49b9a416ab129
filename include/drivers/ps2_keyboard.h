/* The PS/2 keyboard behind an i8042, or what firmware shows as one. */
#pragma once

/* Looks for the controller and its keyboard, and makes it an input of the prompt with the layout of `keel.keymap=`.
 * Says what there is; without a controller it does nothing more. Every wait is bounded. Context: thread, init; after
 * interrupts can be claimed. */
void ps2_keyboard_init(const char *command_line);
