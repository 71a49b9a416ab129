# provoke.c has one function for each kind of undefined behaviour, compiled with the checks whose handlers are under test; the test
# provides ubsan_report. The handlers of the host's own sanitizer library give way to the kernel's.
add_library(ubsan_provoke OBJECT "${CMAKE_CURRENT_SOURCE_DIR}/ubsan/provoke.c")
target_compile_options(ubsan_provoke PRIVATE -std=gnu17 -g -O1 -w -fsanitize=undefined
                       $<$<C_COMPILER_ID:GNU>:-fsanitize=bounds-strict> -fno-sanitize-recover=unreachable)
target_include_directories(ubsan_provoke PRIVATE "${CMAKE_SOURCE_DIR}/include")
unit_test(ubsan SOURCES test_ubsan.c "$<TARGET_OBJECTS:ubsan_provoke>" KERNEL src/debug/ubsan.c)
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/debug/ubsan.c" PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
