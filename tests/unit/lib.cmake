# The library's functions carry the C library's names: on the host they are compiled under others, so that a test compares
# the two and nothing of the test's own C library is shadowed.
set(renamed)
foreach(name memcpy memmove memset memcmp strlen strnlen strcmp strncmp strchr strrchr strstr strlcpy snprintf vsnprintf)
  list(APPEND renamed "${name}=keel_${name}")
endforeach()
set_source_files_properties("${CMAKE_SOURCE_DIR}/src/lib/string.c" "${CMAKE_SOURCE_DIR}/src/lib/format.c"
  PROPERTIES COMPILE_DEFINITIONS "${renamed}" COMPILE_OPTIONS -fno-builtin)

unit_test(lib_string SOURCES test_lib_string.c KERNEL src/lib/string.c)
unit_test(lib_format SOURCES test_lib_format.c KERNEL src/lib/format.c src/lib/string.c)
unit_test(lib_parse SOURCES test_lib_parse.c KERNEL src/lib/parse.c)
