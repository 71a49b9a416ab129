# The race detector's table of watchpoints, with threads as CPUs.
unit_test(kcsan_watch SOURCES test_kcsan_watch.c KERNEL src/debug/kcsan_watch.c)
target_include_directories(unit_kcsan_watch PRIVATE "${CMAKE_SOURCE_DIR}/src")
