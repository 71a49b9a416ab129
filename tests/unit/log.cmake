# The log and the consoles, with threads as CPUs and signal handlers as interrupts and NMIs.
set(log_sources src/debug/log.c src/debug/log_ring.c src/debug/console.c src/debug/open_line.c
    src/lib/format.c src/lib/string.c)

unit_test(log_ring SOURCES test_log_ring.c KERNEL src/debug/log_ring.c)
target_include_directories(unit_log_ring PRIVATE "${CMAKE_SOURCE_DIR}/src")

# The formatter is ours: the C library's is not to be called in a signal handler.
unit_test(console SOURCES test_console.c KERNEL ${log_sources}
          DEFINITIONS PERCPU_STORAGE=__thread LOG_RECORDS=65536 snprintf=keel_snprintf vsnprintf=keel_vsnprintf)

unit_test(console_silenced SOURCES test_console_silenced.c KERNEL ${log_sources}
          DEFINITIONS snprintf=keel_snprintf vsnprintf=keel_vsnprintf)

unit_test(open_line SOURCES test_open_line.c KERNEL src/debug/open_line.c)
target_include_directories(unit_open_line PRIVATE "${CMAKE_SOURCE_DIR}/src")
