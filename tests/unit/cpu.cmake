unit_test(tsc SOURCES test_tsc.c KERNEL src/cpu/tsc.c)
target_include_directories(unit_tsc BEFORE PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/support/tsc")
