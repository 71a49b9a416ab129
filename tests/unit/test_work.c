/* Work: in order, one at a time, not before boot is done, and not within another piece. */
#include "support/unit.h"

#include <string.h>

#include <dev/work.h>

static char ran[16];
static struct work a, b, c;

static void note(char name)
{
    ran[strlen(ran)] = name;
}

static void run_a(struct work *work)
{
    assert_ptr_equal(work, &a);
    note('a');
    work_queue(&c);
    assert_false(work_can_run());
    work_run(); /* as a wait for a block request would: nothing may happen */
}

static void run_b(struct work *work)
{
    note('b');
    work_cancel(&c);
    if (strlen(ran) == 2)
        work_queue(work); /* once more, of itself */
}

static void run_c(struct work *work)
{
    note('c');
}

static int setup(void **state)
{
    a = (struct work){.run = run_a};
    b = (struct work){.run = run_b};
    c = (struct work){.run = run_c};
    memset(ran, 0, sizeof(ran));
    return 0;
}

static void boot_is_a_piece_of_work(void **state)
{
    work_queue(&c);
    work_queue(&c);
    work_run();
    assert_false(work_can_run());
    assert_string_equal(ran, "");
    work_start();
    assert_true(work_can_run());
    work_run();
    assert_string_equal(ran, "c");
    assert_false(work_can_run());
}

static void pieces_run_in_order_and_never_in_each_other(void **state)
{
    work_queue(&a);
    work_run();
    assert_string_equal(ran, "ac");
}

static void what_is_cancelled_does_not_run(void **state)
{
    work_queue(&a);
    work_queue(&b);
    work_run();
    assert_string_equal(ran, "abb");
    work_queue(&c);
    work_run();
    assert_string_equal(ran, "abbc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_is_a_piece_of_work), /* first: there is one boot */
        cmocka_unit_test_setup(pieces_run_in_order_and_never_in_each_other, setup),
        cmocka_unit_test_setup(what_is_cancelled_does_not_run, setup),
    };

    setup(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
