unit_test(keyboard SOURCES test_keyboard.c KERNEL src/dev/keyboard.c src/dev/keymap.c src/dev/scan_code.c)
