/* The framebuffers a Multiboot2 loader can describe: those that can be drawn to, and those that must not be. */
#include "support/unit.h"

#include <string.h>

#include <boot/memory_map.h>
#include <hw/multiboot2.h>

#include "support/boot_notes.h"
#include "support/multiboot2_builder.h"

static enum framebuffer_kind parse_framebuffer(struct multiboot2_framebuffer wire, struct multiboot2_rgb rgb)
{
    begin_info();
    put_plain_map();
    put_framebuffer(wire, rgb);
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), info.framebuffer.kind == FRAMEBUFFER_NONE);
    return info.framebuffer.kind;
}

static const struct multiboot2_rgb rgb888 = {16, 8, 8, 8, 0, 8};
static const struct multiboot2_rgb rgb565 = {11, 5, 5, 6, 0, 5};

static void framebuffers_that_can_be_used(void **state)
{
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 4096, 1024, 768, 32, 1, 0}, rgb888),
        FRAMEBUFFER_RGB);
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 3072, 1024, 768, 24, 1, 0}, rgb888),
        FRAMEBUFFER_RGB);
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 2048, 1024, 768, 16, 1, 0}, rgb565),
        FRAMEBUFFER_RGB);
    assert_int_equal(info.framebuffer.green_bits, 6);
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0x4000000000, 5120, 1280, 800, 32, 1, 0}, rgb888),
        FRAMEBUFFER_RGB);
    assert_int_equal(parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xb8000, 160, 80, 25, 16, 2, 0}, rgb888),
                     FRAMEBUFFER_VGA_TEXT);
    assert_int_equal(info.framebuffer.width, 80);
}

static void framebuffers_that_cannot_be_used(void **state)
{
    static const struct multiboot2_framebuffer wrong[] = {
        {{0}, 0xa0000, 80, 640, 480, 1, 0, 0},        /* -vga none on BIOS */
        {{0}, 0xf0000000, 1024, 1024, 768, 8, 0, 0},  /* indexed */
        {{0}, 0xf0000000, 4096, 1024, 768, 32, 3, 0}, /* unknown type */
        {{0}, 0xf0000000, 4095, 1024, 768, 32, 1, 0}, /* rows longer than the pitch */
        {{0}, 0xf0000000, 4096, 0, 768, 32, 1, 0},    /* no width */
        {{0}, 0xf0000000, 4096, 1024, 0, 32, 1, 0},   /* no height */
        {{0}, 0xf0000000, 0xffffffff, 1024, 768, 32, 1, 0},
        {{0}, 0xf0000000, 4096, 0x40000000, 768, 32, 1, 0}, /* width * 4 overflows */
        {{0}, 0xf0000000, 4096, 1024, 0xffffffff, 32, 1, 0},
        {{0}, 0, 4096, 1024, 768, 32, 1, 0},
        {{0}, UINT64_MAX, 4096, 1024, 768, 32, 1, 0},
        {{0}, MEMORY_MAP_LIMIT - 4096, 4096, 1024, 768, 32, 1, 0},
        {{0}, 0xf0000000, 4096, 1024, 768, 31, 1, 0},
        {{0}, 0xf0000000, 4096, 1024, 768, 0, 1, 0},
        {{0}, 0x1ff00000, 4096, 1024, 768, 32, 1, 0}, /* in usable memory */
        {{0}, 0x20000, 159, 80, 25, 16, 2, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(parse_framebuffer(wrong[i], rgb888), FRAMEBUFFER_NONE);
}

static void colour_masks_outside_the_pixel(void **state)
{
    static const struct multiboot2_rgb wrong[] = {
        {32, 8, 8, 8, 0, 8}, {25, 8, 8, 8, 0, 8}, {16, 0, 8, 8, 0, 8}, {16, 8, 8, 9, 0, 8}, {16, 8, 8, 8, 255, 255},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(
            parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 4096, 1024, 768, 32, 1, 0}, wrong[i]),
            FRAMEBUFFER_NONE);
}

static void framebuffer_without_its_colours(void **state)
{
    struct {
        struct multiboot2_framebuffer wire;
        struct multiboot2_rgb rgb;
    } payload = {{{0}, 0xf0000000, 4096, 1024, 768, 32, 1, 0}, rgb888};

    begin_info();
    put_tag(MULTIBOOT2_TAG_FRAMEBUFFER, (uint8_t *)&payload + 8, 24 + 5);
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.framebuffer.kind, FRAMEBUFFER_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framebuffers_that_can_be_used),
        cmocka_unit_test(framebuffers_that_cannot_be_used),
        cmocka_unit_test(colour_masks_outside_the_pixel),
        cmocka_unit_test(framebuffer_without_its_colours),
    };

    return cmocka_run_group_tests_name("multiboot2_framebuffer", tests, NULL, NULL);
}
