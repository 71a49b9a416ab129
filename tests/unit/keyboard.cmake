unit_test(keyboard SOURCES test_keyboard.c KERNEL src/dev/keyboard.c src/dev/keymap.c src/dev/scan_code.c)
unit_test(ps2_keyboard SOURCES test_ps2_keyboard.c support/i8042_model.c KERNEL drivers/ps2_keyboard.c src/dev/keyboard.c src/dev/keymap.c
          src/dev/scan_code.c boot/command_line.c boot/command_line_options.c boot/report.c boot/text.c src/lib/utf8.c)
unit_test(input SOURCES test_input.c KERNEL src/dev/input.c)
