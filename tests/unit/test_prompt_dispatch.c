/* Lines to commands, with errors in words. */
#include "support/unit.h"

#include "../../src/prompt/dispatch.h"

#include <base/errno.h>
#include <debug/console.h>
#include <lib/error_name.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char printed[65536];
static char ran[4096]; /* every command that ran: its words between bars */

void console_printf(const char *format, ...)
{
    size_t length = strlen(printed);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(printed + length, sizeof(printed) - length, format, arguments);
    va_end(arguments);
}

static int run_echo(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        strcat(ran, "|");
        strcat(ran, argv[i]);
    }
    strcat(ran, "\n");
    assert_null(argv[argc]);
    return argc > 1 && strcmp(argv[1], "fail") == 0 ? COMMAND_FAILED : 0;
}

static int run_fail(int argc, char **argv)
{
    run_echo(argc, argv);
    return -ENOMEM;
}

static int run_lose(int argc, char **argv)
{
    return command_error(argc > 1 ? -ENOENT : 0, "no '%s' here", argc > 1 ? argv[1] : "");
}

static int run_refuse(int argc, char **argv)
{
    (void)argv;
    return argc > 1 ? command_error(-EINVAL, "not this") : -EINVAL;
}

static const struct command commands[] = {{.name = "echo", .arguments = "[WORD...]", .run = run_echo},
                                          {.name = "fail", .arguments = "[WORD]", .run = run_fail},
                                          {.name = "lose", .arguments = "[WORD]", .run = run_lose},
                                          {.name = "plain", .arguments = "", .run = run_echo},
                                          {.name = "refuse", .arguments = "[WORD]", .run = run_refuse}};
static const struct command_set set = {commands, commands + ARRAY_SIZE(commands)};

static unsigned dispatch(const char *text)
{
    char *line = strdup(text); /* of just its size: ASan sees a step beyond it */
    unsigned failed;

    printed[0] = ran[0] = '\0';
    failed = dispatch_line(&set, line);
    free(line);
    return failed;
}

static void commands_run_in_order(void **state)
{
    static const struct {
        const char *line, *ran, *printed;
        unsigned failed;
    } cases[] = {
        {"", "", "", 0},
        {" ; ;; \t", "", "", 0},
        {"echo", "|echo\n", "", 0},
        {"echo a  b;echo c ; echo", "|echo|a|b\n|echo|c\n|echo\n", "", 0},
        {"echo 'a;b' \"c ; d\"; echo", "|echo|a;b|c ; d\n|echo\n", "", 0},
        {"echo 'a\"b' \"c'd\"", "|echo|a\"b|c'd\n", "", 0},
        {"nope; echo a", "|echo|a\n", "error: unknown command 'nope': try help\n", 1},
        {"fail x; echo", "|fail|x\n|echo\n", "error: fail: out of memory (ENOMEM)\n", 1},
        {"lose key; fail", "|fail\n", "error: lose: no 'key' here (ENOENT)\nerror: fail: out of memory (ENOMEM)\n", 2},
        {"lose; fail", "|fail\n", "error: fail: out of memory (ENOMEM)\n", 1}, /* words without an error are not kept */
        {"nope; fail; nope", "|fail\n",
         "error: unknown command 'nope': try help\nerror: fail: out of memory (ENOMEM)\n"
         "error: unknown command 'nope': try help\n",
         3},
        {"echo a; echo 'b; echo c", "|echo|a\n", "error: unclosed quote\n", 1},
        {"echo fail; echo", "|echo|fail\n|echo\n", "", 1},
        {"plain", "|plain\n", "", 0},
        {"plain ''", "", "error: plain: takes no arguments (E2BIG)\n", 1},
        {"plain a b; echo", "|echo\n", "error: plain: takes no arguments (E2BIG)\n", 1},
        {"refuse", "", "error: refuse: invalid argument: see help refuse (EINVAL)\n", 1},
        {"refuse a", "", "error: refuse: not this (EINVAL)\n", 1},
        {"ech", "", "error: unknown command 'ech': try help\n", 1},
        {"echoo", "", "error: unknown command 'echoo': try help\n", 1},
        {"''", "", "error: unknown command '': try help\n", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(dispatch(cases[i].line), cases[i].failed);
        assert_string_equal(ran, cases[i].ran);
        assert_string_equal(printed, cases[i].printed);
    }
}

static void too_many_words_are_an_error(void **state)
{
    static char line[8192];

    strcpy(line, "echo");
    for (unsigned i = 1; i < DISPATCH_WORDS_MAX; i++)
        strcat(line, " a");
    assert_int_equal(dispatch(line), 0);
    strcat(line, " b");
    assert_int_equal(dispatch(line), 1);
    assert_string_equal(printed, "error: more than 256 words in one command\n");
    assert_string_equal(ran, "");
    for (unsigned i = 0; i < 3500; i++)
        strcat(line, " a");
    assert_int_equal(dispatch(line), 1);
    memset(line, 'x', sizeof(line) - 1);
    assert_int_equal(dispatch(line), 1);
    assert_int_equal(strncmp(printed, "error: unknown command 'xxx", 27), 0);
    assert_int_equal(printed[strlen(printed) - 1], '\n');
}

static void commands_are_echoed_from_scripts(void **state)
{
    char line[] = " echo a ;; fail";

    printed[0] = ran[0] = '\0';
    assert_int_equal(dispatch_line_echoed(&set, line), 1);
    assert_string_equal(printed, "+ echo a \n+ fail\nerror: fail: out of memory (ENOMEM)\n");
}

static void every_error_number_has_a_name(void **state)
{
    assert_string_equal(error_name(-ENOMEM), "ENOMEM");
    assert_string_equal(error_name(ETIMEDOUT), "ETIMEDOUT");
    assert_string_equal(error_text(-E2BIG), "too many words");
    assert_string_equal(error_name(-9999), "E?");
    assert_string_equal(error_text(12345), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_run_in_order),
        cmocka_unit_test(too_many_words_are_an_error),
        cmocka_unit_test(commands_are_echoed_from_scripts),
        cmocka_unit_test(every_error_number_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
