#include "support/unit.h"

#include <lib/crc32.h>

/* The check value every description of CRC-32 gives. */
static void test_check_value(void **state)
{
    assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
}

static void test_continues(void **state)
{
    assert_int_equal(crc32_update(crc32_update(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(crc32_update(0, "", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_check_value), cmocka_unit_test(test_continues)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
