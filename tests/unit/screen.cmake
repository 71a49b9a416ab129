# What the console draws: terminal, pixels, characters.
include(font)
set(font "${CMAKE_CURRENT_BINARY_DIR}/font_glyphs.c")
font_generate("${font}")
add_library(font_glyphs OBJECT "${font}")
target_include_directories(font_glyphs PRIVATE "${CMAKE_SOURCE_DIR}/include")

unit_test(vt SOURCES test_vt.c KERNEL drivers/vt.c src/lib/utf8.c)
target_include_directories(unit_vt PRIVATE "${CMAKE_SOURCE_DIR}/drivers")

unit_test(surface SOURCES test_surface.c KERNEL drivers/surface.c drivers/font.c drivers/cp437.c)
target_include_directories(unit_surface PRIVATE "${CMAKE_SOURCE_DIR}/drivers")
target_link_libraries(unit_surface PRIVATE font_glyphs)
