/* The frame buffer console through a boot: drawn early where the early mapping reaches, not at all between the page
 * tables, whole after the remap, above 4 GiB too, and with no memory to be had. */
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <debug/console.h>
#include <debug/log.h>
#include <drivers/font.h>
#include <drivers/framebuffer.h>
#include <mm/kmalloc.h>
#include <mm/paging.h>
#include <mm/physmap.h>
#include <mm/vmalloc.h>

#define WIDTH  1600
#define HEIGHT 900
#define PITCH  (WIDTH * 4 + 12)

char *host_physmap; /* the early mapping: never followed */

static struct console *registered;
static uint8_t *video; /* what device_map hands out */
static bool can_map, can_allocate;
static uint64_t mapped_base, mapped_length;
static char said[4000];

void console_register(struct console *console)
{
    assert_null(registered);
    registered = console;
}

void log_write(enum log_level level, const char *format, ...)
{
    va_list arguments;
    size_t at = strlen(said);

    va_start(arguments, format);
    vsnprintf(said + at, sizeof(said) - at, format, arguments);
    va_end(arguments);
    strcat(said, "\n");
}

/* The early physmap is not there on the host: as after mm_init. */
int paging_lookup(vaddr_t address, struct mapping *mapping)
{
    return -ENOENT;
}

void *device_map(paddr_t base, uint64_t length, unsigned map_flags)
{
    assert_int_equal(map_flags, MAP_WRITE | MAP_WRITE_COMBINE);
    mapped_base = base.value;
    mapped_length = length;
    return can_map ? (video = malloc(length)) : NULL;
}

void *vmalloc(size_t size, unsigned alloc_flags)
{
    return can_allocate ? malloc(size) : NULL; /* lives as long as the kernel */
}

static void print(const char *text)
{
    registered->write(registered, text, strlen(text));
    registered->flush(registered);
}

static bool shows(unsigned column, unsigned row, uint32_t character)
{
    const uint8_t *glyph = font_glyph(character);

    for (unsigned y = 0; y < FONT_ROWS; y++) {
        for (unsigned x = 0; x < FONT_COLUMNS; x++) {
            uint32_t value;
            memcpy(&value, video + (size_t)(row * FONT_ROWS + y) * PITCH + (size_t)(column * FONT_COLUMNS + x) * 4, 4);
            if ((value != 0) != (glyph[y] >> (7 - x) & 1))
                return false;
        }
    }
    return true;
}

static struct framebuffer_info info_at(uint64_t base)
{
    return (struct framebuffer_info){FRAMEBUFFER_RGB, {base}, WIDTH, HEIGHT, PITCH, 32, 16, 8, 8, 8, 0, 8};
}

static void whole_boot(uint64_t base)
{
    struct framebuffer_info info = info_at(base);

    framebuffer_init(&info);
    assert_non_null(registered);
    print("early\n"); /* nothing is mapped: kept, not drawn */
    can_map = can_allocate = true;
    framebuffer_remap();
    assert_int_equal(mapped_base, base);
    assert_int_equal(mapped_length, (uint64_t)PITCH * (HEIGHT - 1) + WIDTH * 4);
    print("late");
    assert_true(shows(0, 0, 'e') && shows(4, 0, 'y'));
    assert_true(shows(0, 1, 'l') && shows(3, 1, 'e') && shows(4, 1, 0x2588)); /* the cursor */
    print("\033[?25l\033[999;999HX");
    assert_true(shows(WIDTH / 8 - 1, HEIGHT / 16 - 1, 'X'));
    assert_true(shows(4, 1, ' '));
    print("\nz"); /* scrolls */
    assert_true(shows(0, 0, 'l') && shows(WIDTH / 8 - 1, HEIGHT / 16 - 2, 'X') && shows(0, HEIGHT / 16 - 1, 'z'));
    assert_true(shows(WIDTH / 8 - 1, HEIGHT / 16 - 1, ' '));
    assert_non_null(strstr(said, "200x56 characters"));
    free(video);
}

static void below_4_gib(void **state)
{
    whole_boot(0xfd000000);
    assert_null(strstr(said, "above 4 GiB"));
}

static void above_4_gib(void **state)
{
    whole_boot(0x4000000000);
    assert_non_null(strstr(said, "above 4 GiB: nothing is shown until memory is set up"));
}

static void no_memory_for_the_grid(void **state)
{
    struct framebuffer_info info = info_at(0xfd000000);

    framebuffer_init(&info);
    can_map = true;
    framebuffer_remap();
    print("text");
    assert_true(shows(0, 0, 't') && shows(3, 0, 't'));
    assert_non_null(strstr(said, "the text takes a part of it"));
    print("\033[?25l\033[999;999HX");
    assert_true(shows(131, 49, 'X'));
    free(video);
}

static void no_memory_to_map(void **state)
{
    struct framebuffer_info info = info_at(0xfd000000);

    framebuffer_init(&info);
    framebuffer_remap();
    print("not seen");
    assert_non_null(strstr(said, "it shows nothing more"));
}

static void phantom(void **state)
{
    struct framebuffer_info info = info_at(0xfd000000);

    info.bits_per_pixel = 1; /* what GRUB tells of `-vga none` */
    info.width = 640;
    info.height = 480;
    framebuffer_init(&info);
    assert_null(registered);
    assert_non_null(strstr(said, "ignored: 640x480"));
    framebuffer_remap();
    assert_int_equal(mapped_length, 0);
    info.kind = FRAMEBUFFER_NONE;
    said[0] = '\0';
    framebuffer_init(&info);
    assert_string_equal(said, "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(below_4_gib),      cmocka_unit_test(above_4_gib), cmocka_unit_test(no_memory_for_the_grid),
    cmocka_unit_test(no_memory_to_map), cmocka_unit_test(phantom),
};

/* The driver's state is that of one boot: every test runs in a process of its own. */
int main(void)
{
    int failures = 0;

    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        int status;
        pid_t child = fork();

        if (child == 0) {
            cmocka_set_test_filter(tests[i].name);
            exit(cmocka_run_group_tests_name("drivers/framebuffer", tests, NULL, NULL));
        }
        failures += waitpid(child, &status, 0) != child || status != 0;
    }
    return failures;
}
