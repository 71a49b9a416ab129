set(serial_kernel drivers/serial.c drivers/serial_input.c drivers/uart_16550.c boot/command_line.c boot/command_line_options.c
    boot/report.c boot/text.c src/lib/utf8.c src/lib/error_name.c)
unit_test(serial SOURCES test_serial.c support/uart_model.c KERNEL ${serial_kernel})
unit_test(serial_input SOURCES test_serial_input.c support/uart_model.c KERNEL ${serial_kernel})
target_include_directories(unit_serial_input PRIVATE "${CMAKE_SOURCE_DIR}/drivers")
