# The table is made by the real generator from a small static program, built with optimisation as the kernel is.
find_program(PYTHON3 NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(PYTHON3 NAMES python3 REQUIRED)
set(symbol_sample_table "${CMAKE_CURRENT_BINARY_DIR}/symbol_sample.table")
add_executable(symbol_sample "${CMAKE_CURRENT_SOURCE_DIR}/symbols/sample.c")
target_compile_options(symbol_sample PRIVATE -std=gnu17 -g -O2 -ffreestanding -fno-pie -fno-stack-protector
                       "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
target_link_options(symbol_sample PRIVATE -nostdlib -static -no-pie -Wl,--build-id=none)
file(GLOB symbol_tools CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tools/symbols/*.py")
add_custom_command(
  OUTPUT "${symbol_sample_table}"
  COMMAND "${PYTHON3}" -B "${CMAKE_SOURCE_DIR}/tools/symbols/symbols.py" generate "$<TARGET_FILE:symbol_sample>"
          "${symbol_sample_table}" --source-root "${CMAKE_SOURCE_DIR}" --binary-root "${CMAKE_BINARY_DIR}"
  DEPENDS symbol_sample ${symbol_tools} VERBATIM)
add_custom_target(symbol_sample_table ALL DEPENDS "${symbol_sample_table}")

unit_test(symbol_table SOURCES test_symbol_table.c KERNEL src/debug/symbol_table.c
          DEFINITIONS "SAMPLE_TABLE=\"${symbol_sample_table}\"")
add_dependencies(unit_symbol_table symbol_sample_table)
