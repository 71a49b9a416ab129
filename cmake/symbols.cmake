# The kernel's symbol and line table. The kernel is linked twice: once without a table, to learn every address; then with the table
# made from that, and with a build id. The table is the last section, so nothing moves, and the second link fails if something did.
find_program(PYTHON3 NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH) # the distribution's, else any
find_program(PYTHON3 NAMES python3 REQUIRED)
file(GLOB KEEL_SYMBOL_TOOLS CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tools/symbols/*.py")
set(KEEL_SYMBOLS_TOOL "${PYTHON3}" -B "${CMAKE_SOURCE_DIR}/tools/symbols/symbols.py")

# kernel_symbols(FIRST FINAL): puts the table of the executable FIRST into the executable FINAL.
function(kernel_symbols first final)
  set(table "${CMAKE_BINARY_DIR}/generated/symbols/symbols.bin")
  set(build_id "${CMAKE_BINARY_DIR}/generated/symbols/build_id.option")
  add_custom_command(
    OUTPUT "${table}" "${build_id}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${CMAKE_BINARY_DIR}/generated/symbols"
    COMMAND ${KEEL_SYMBOLS_TOOL} generate "$<TARGET_FILE:${first}>" "${table}"
            --source-root "${CMAKE_SOURCE_DIR}" --binary-root "${CMAKE_BINARY_DIR}"
            --build-id "${build_id}" --verbose
    DEPENDS "${first}" ${KEEL_SYMBOL_TOOLS} COMMENT "Generating the symbol table" VERBATIM)
  add_library(kernel_symbol_table OBJECT "${CMAKE_SOURCE_DIR}/cmake/symbols.asm")
  set_source_files_properties("${CMAKE_SOURCE_DIR}/cmake/symbols.asm" PROPERTIES OBJECT_DEPENDS "${table}")
  target_include_directories(kernel_symbol_table PRIVATE "${CMAKE_BINARY_DIR}/generated/symbols/")
  target_sources("${final}" PRIVATE "$<TARGET_OBJECTS:kernel_symbol_table>")
  # The linker's own build id would cover debug information, which has paths of this machine where NASM wrote it.
  target_link_options("${first}" PRIVATE -Wl,--build-id=0x0000000000000000000000000000000000000000)
  target_link_options("${final}" PRIVATE "@${build_id}")
  set_property(TARGET "${final}" APPEND PROPERTY LINK_DEPENDS "${build_id}")
  add_custom_command(TARGET "${final}" POST_BUILD
    COMMAND ${KEEL_SYMBOLS_TOOL} check "$<TARGET_FILE:${first}>" "$<TARGET_FILE:${final}>" VERBATIM)
  add_test(NAME symbols/addr2line COMMAND "${PYTHON3}" -B "${CMAKE_SOURCE_DIR}/tests/symbols/compare_with_addr2line.py"
           "$<TARGET_FILE:${final}>" "${CMAKE_SOURCE_DIR}")
  add_test(NAME symbols/tools COMMAND "${PYTHON3}" -B "${CMAKE_SOURCE_DIR}/tests/symbols/test_tools.py"
           "${CMAKE_SOURCE_DIR}/tools/symbols/symbols.py" "$<TARGET_FILE:${first}>" "$<TARGET_FILE:${final}>")
  add_test(NAME symbols/symbolise COMMAND "${PYTHON3}" -B "${CMAKE_SOURCE_DIR}/tests/symbols/test_symbolise.py"
           "${CMAKE_SOURCE_DIR}/tools" "${CMAKE_BINARY_DIR}")
  add_test(NAME symbols/frames COMMAND "${PYTHON3}" -B "${CMAKE_SOURCE_DIR}/tests/symbols/frames.py"
           "$<TARGET_FILE:${final}>")
  set_tests_properties(symbols/frames symbols/addr2line symbols/tools symbols/symbolise PROPERTIES LABELS symbols TIMEOUT 120)
endfunction()
