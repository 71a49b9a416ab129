unit_test(framebuffer SOURCES test_framebuffer.c
          KERNEL drivers/framebuffer.c drivers/text_screen.c drivers/vt.c drivers/surface.c drivers/font.c src/lib/utf8.c)
target_link_libraries(unit_framebuffer PRIVATE font_glyphs)
