/* The PC's keyboard controller and the keyboard behind it (IBM PS/2 Technical Reference, "Keyboard and Auxiliary Device
 * Controller" and "Keyboards"). */
#pragma once

#define I8042_DATA    0x60
#define I8042_STATUS  0x64 /* read */
#define I8042_COMMAND 0x64 /* write */

#define I8042_OUTPUT_FULL 0x01 /* a byte is in I8042_DATA */
#define I8042_INPUT_FULL  0x02 /* the last byte written is not taken yet */
#define I8042_FROM_MOUSE  0x20
#define I8042_BAD_BYTE    0xc0 /* parity error, timeout */

#define I8042_READ_CONFIG      0x20
#define I8042_WRITE_CONFIG     0x60
#define I8042_DISABLE_MOUSE    0xa7
#define I8042_SELF_TEST        0xaa
#define I8042_TEST_KEYBOARD    0xab
#define I8042_DISABLE_KEYBOARD 0xad
#define I8042_ENABLE_KEYBOARD  0xae

#define I8042_SELF_TEST_GOOD 0x55
#define I8042_PORT_GOOD      0x00

#define I8042_CONFIG_KEYBOARD_IRQ 0x01
#define I8042_CONFIG_MOUSE_IRQ    0x02
#define I8042_CONFIG_KEYBOARD_OFF 0x10
#define I8042_CONFIG_MOUSE_OFF    0x20
#define I8042_CONFIG_TRANSLATE    0x40 /* set 2 to set 1 */

#define PS2_SET_LEDS    0xed
#define PS2_ENABLE      0xf4
#define PS2_RESET       0xff
#define PS2_ACKNOWLEDGE 0xfa
#define PS2_RESEND      0xfe
#define PS2_RESET_GOOD  0xaa
