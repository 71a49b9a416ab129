/* Devices and drivers: who is asked, who gets it, and that probe and remove come in pairs. And registers. */
#include "support/unit.h"

#include <string.h>

#include <base/errno.h>
#include <dev/device.h>
#include <dev/register.h>

static bool match_first_letter(const struct device *device, const struct driver *driver)
{
    return device->name[0] == *(const char *)driver->matches;
}

static const struct bus bus = {"test", match_first_letter}, other_bus = {"other", match_first_letter};

static int nr_probed, nr_removed, nr_released, probe_result;

static int probe(struct device *device)
{
    assert_non_null(device->driver);
    nr_probed++;
    return probe_result;
}

static void remove_device(struct device *device)
{
    nr_removed++;
}

static void release(struct device *device)
{
    nr_released++;
}

static struct driver refuses = {
    .name = "refuses", .bus = &bus, .matches = "a", .probe = probe, .remove = remove_device};
static struct driver takes = {.name = "takes", .bus = &bus, .matches = "a", .probe = probe, .remove = remove_device};
static struct driver elsewhere = {
    .name = "elsewhere", .bus = &other_bus, .matches = "a", .probe = probe, .remove = remove_device};

static bool count(struct device *device, void *context)
{
    unsigned *n = context;

    return ++*n < 2;
}

static void the_life_of_devices(void **state)
{
    struct device a = {.name = "a1", .bus = &bus, .release = release}, twin = a;
    struct device b = {.name = "b1", .bus = &bus, .parent = &a, .release = release},
                  c = {.name = "a1", .bus = &other_bus};
    unsigned n = 0;

    assert_int_equal(device_add(&a), 0);
    assert_int_equal(device_add(&twin), -EEXIST);
    assert_int_equal(device_add(&b), 0);
    assert_int_equal(device_add(&c), 0);
    assert_int_equal(nr_probed, 0);
    probe_result = -EIO;
    driver_register(&refuses);
    assert_int_equal(nr_probed, 1);
    assert_null(a.driver);
    probe_result = 0;
    driver_register(&elsewhere);
    assert_ptr_equal(c.driver, &elsewhere);
    driver_register(&takes);
    assert_ptr_equal(a.driver, &takes);
    assert_null(b.driver);
    assert_int_equal(nr_probed, 3);
    device_for_each(count, &n);
    assert_int_equal(n, 2);
    device_remove(&b); /* nobody's: no driver is told */
    assert_int_equal(nr_removed, 0);
    device_remove(&a);
    assert_int_equal(nr_removed, 1);
    assert_int_equal(nr_released, 2);
    assert_int_equal(device_add(&a), 0); /* found again: the first driver that matches has it */
    assert_ptr_equal(a.driver, &refuses);
    device_remove(&a);
    device_remove(&c);
    assert_int_equal(nr_probed - nr_removed, 1); /* the one that failed */
}

static struct device *gone_device;
static int nr_gone;

static void gone(struct device *device)
{
    assert_non_null(device->driver_data);
    gone_device = device;
    nr_gone++;
}

static struct driver told = {
    .name = "told", .bus = &bus, .matches = "t", .probe = probe, .remove = remove_device, .gone = gone};

/* A bridge with a bridge with a device behind it, and a device beside it. */
static struct device bridge = {.name = "xb", .bus = &bus, .release = release},
                     inner = {.name = "xi", .bus = &bus, .parent = &bridge, .release = release},
                     leaf = {.name = "t1", .bus = &bus, .parent = &inner, .release = release},
                     beside = {.name = "t2", .bus = &bus, .release = release};

static void add_all(void)
{
    assert_int_equal(device_add(&bridge), 0);
    assert_int_equal(device_add(&inner), 0);
    assert_int_equal(device_add(&leaf), 0);
    assert_int_equal(device_add(&beside), 0);
    nr_released = nr_gone = 0;
}

static void what_is_behind_is_gone_and_its_driver_told(void **state)
{
    struct device late = {.name = "t3", .bus = &bus, .parent = &inner};
    int data;

    probe_result = 0;
    driver_register(&told);
    add_all();
    assert_int_equal(device_set_data(&leaf, &data), 0);
    assert_int_equal(device_set_data(&beside, &data), 0);
    device_mark_gone_behind(&bridge);
    assert_false(device_is_gone(&bridge));
    assert_true(device_is_gone(&inner) && device_is_gone(&leaf));
    assert_false(device_is_gone(&beside));
    assert_int_equal(nr_gone, 1);
    assert_ptr_equal(gone_device, &leaf);
    device_mark_gone_behind(&bridge); /* once only */
    assert_int_equal(nr_gone, 1);
    device_clear_data(&leaf);
    assert_int_equal(device_set_data(&leaf, &data), -ENODEV);
    assert_int_equal(device_add(&late), 0);
    assert_true(device_is_gone(&late));
    device_mark_gone_behind(&inner);
    assert_int_equal(nr_gone, 1);
    device_remove(&late);
    device_remove(&leaf);
    device_remove(&inner);
    device_remove(&beside);
    device_remove(&bridge);
    assert_int_equal(nr_released, 4);
}

static void a_reference_keeps_the_parents_too(void **state)
{
    add_all();
    assert_ptr_equal(device_get(&leaf), &leaf);
    device_remove(&leaf);
    device_remove(&inner);
    device_remove(&bridge);
    assert_int_equal(nr_released, 0);
    device_put(&leaf);
    assert_int_equal(nr_released, 3);
    device_remove(&beside);
}

static char visited[16];

/* Takes away what the walk stands on, and what comes next. */
static bool remove_while_walking(struct device *device, void *context)
{
    strcat(visited, device->name);
    if (device == &bridge) {
        device_remove(&leaf);
        device_remove(&inner);
        device_remove(&bridge);
        assert_int_equal(nr_released, 2); /* not yet the one the walk stands on */
    }
    return true;
}

static void a_walk_goes_on_when_its_place_is_taken_out(void **state)
{
    add_all();
    visited[0] = '\0';
    device_for_each(remove_while_walking, NULL);
    assert_string_equal(visited, "xbt2");
    assert_int_equal(nr_released, 3);
    device_remove(&beside);
    visited[0] = '\0';
    device_for_each(remove_while_walking, NULL);
    assert_string_equal(visited, "");
}

struct block {
    reg8 byte;
    reg8 pad;
    reg16 word;
    reg32 dword;
    reg64 qword;
    reg32 run[];
};
_Static_assert(sizeof(struct block) == 16 && offsetof(struct block, qword) == 8, "registers are as wide as they say");

static void registers_are_little_endian_and_as_wide_as_they_say(void **state)
{
    union {
        uint8_t bytes[24];
        uint64_t align;
    } memory = {{0}};
    struct block *block = (struct block *)memory.bytes;

    register_write8(&block->byte, 0x11);
    register_write16(&block->word, 0x2233);
    register_write32(&block->dword, 0x44556677);
    register_write64(&block->qword, 0x8899aabbccddeeff);
    register_write32(&block->run[1], 0x01020304);
    assert_memory_equal(
        memory.bytes,
        "\x11\x00\x33\x22\x77\x66\x55\x44\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x00\x00\x00\x00\x04\x03\x02\x01", 24);
    assert_int_equal(register_read8(&block->byte), 0x11);
    assert_int_equal(register_read16(&block->word), 0x2233);
    assert_int_equal(register_read32(&block->dword), 0x44556677);
    assert_true(register_read64(&block->qword) == 0x8899aabbccddeeff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_life_of_devices),
        cmocka_unit_test(what_is_behind_is_gone_and_its_driver_told),
        cmocka_unit_test(a_reference_keeps_the_parents_too),
        cmocka_unit_test(a_walk_goes_on_when_its_place_is_taken_out),
        cmocka_unit_test(registers_are_little_endian_and_as_wide_as_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
