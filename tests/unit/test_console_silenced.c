/* A panic while another CPU does not stop, as it writes a notice in an NMI: the consoles are the panic's from there on.
 */
#include "support/unit.h"

#include <string.h>

#include <cpu/percpu.h>
#include <cpu/tsc.h>
#include <debug/console.h>
#include <debug/log.h>

static char output[4096], at_panic[sizeof(output)];
static void (*during_write)(void);

uint64_t tsc_now_ns(void)
{
    return 0;
}

static void capture(struct console *console, const char *bytes, size_t length)
{
    void (*action)(void) = during_write;

    during_write = NULL;
    assert_true(strlen(output) + length < sizeof(output));
    strncat(output, bytes, length);
    if (action)
        action();
}

static struct console first = {.name = "first", .write = capture}, second = {.name = "second", .write = capture};

/* On CPU 0, as CPU 1 is in the first console's driver, with more to write. */
static void panic_elsewhere(void)
{
    percpu.cpu_number = 1;
    log_warn("said while it writes");
    percpu.cpu_number = 0;
    console_enter_panic();
    console_write("the report\n", 11);
    assert_non_null(strstr(output, "the report\n"));
    strcpy(at_panic, output);
    percpu.cpu_number = 1;
}

static void the_cpu_that_goes_on_writes_nothing(void **state)
{
    console_register(&first);
    console_register(&second);
    percpu.cpu_number = 1;
    during_write = panic_elsewhere;
    log_warn("a notice");
    assert_null(during_write);
    assert_string_equal(output, at_panic);

    log_warn("its next line");
    console_printf("output\n");
    console_printf("%300s\n", "long output");
    console_flush();
    assert_string_equal(output, at_panic);
}

static void the_cpu_that_panics_goes_on(void **state)
{
    percpu.cpu_number = 0;
    console_write("its end\n", 8);
    assert_non_null(strstr(output, "its end\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cpu_that_goes_on_writes_nothing),
        cmocka_unit_test(the_cpu_that_panics_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
