/* Typed input between those who type and who reads. */
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <debug/console.h>
#include <debug/log.h>
#include <dev/input.h>

static unsigned nr_said;

void log_write(enum log_level level, const char *format, ...)
{
    nr_said++;
}

void console_input_arrived(void)
{
}

static void expect_read(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        assert_int_equal(input_try_read(), (unsigned char)bytes[i]);
}

static void in_order_and_all_bytes(void **state)
{
    assert_int_equal(input_try_read(), -EAGAIN);
    for (unsigned round = 0; round < 500; round++) { /* around the ring */
        input_bytes("a\xff\0\xc3\xbc", 5);
        input_bytes("\033[A", 3);
        expect_read("a\xff\0\xc3\xbc\033[A", 8);
    }
    assert_int_equal(input_try_read(), -EAGAIN);
    assert_int_equal(input_dropped(), 0);
}

/* A sequence that does not fit is dropped as a whole, counted and told of once; once there is room all is as before. */
static void nobody_reads(void **state)
{
    for (unsigned i = 0; i < 341; i++)
        input_bytes("\033[A", 3);
    assert_int_equal(nr_said, 0);
    input_bytes("\033[B", 3);
    input_bytes("\033[C", 3);
    assert_int_equal(input_dropped(), 6);
    assert_int_equal(nr_said, 1);
    input_bytes("x", 1); /* fits: 1,024 bytes */
    input_bytes("y", 1);
    assert_int_equal(nr_said, 2);
    for (unsigned i = 0; i < 341; i++)
        expect_read("\033[A", 3);
    expect_read("x", 1);
    assert_int_equal(input_try_read(), -EAGAIN);
    input_bytes("z", 1);
    expect_read("z", 1);
    assert_int_equal(input_dropped(), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_and_all_bytes),
        cmocka_unit_test(nobody_reads),
    };

    return cmocka_run_group_tests_name("dev/input", tests, NULL, NULL);
}
