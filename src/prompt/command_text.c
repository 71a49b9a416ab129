/* echo [WORD...], clear, version */
#include "style.h"

#include <base/errno.h>
#include <debug/build_id.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/string.h>

static int run_echo(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        console_write(argv[i], strlen(argv[i]));
        console_write(" ", i + 1 < argc);
    }
    console_write("\n", 1);
    return 0;
}

COMMAND(echo, .name = "echo", .arguments = "[WORD...]", .summary = "print the words", .run = run_echo);

static int run_clear(int argc, char **argv)
{
    (void)argc, (void)argv;
    console_printf("%s", style_clear_screen());
    return 0;
}

COMMAND(clear, .name = "clear", .arguments = "", .summary = "clear the screen", .run = run_clear);

static int run_version(int argc, char **argv)
{
    char id[BUILD_ID_TEXT_MAX];

    (void)argc, (void)argv;
    build_id_text(id);
    console_printf("Keel, preset %s\ncompiler: %s %s\nbuild id: %s\n", KEEL_PRESET, KEEL_COMPILER_ID, __VERSION__, id);
    return 0;
}

COMMAND(version, .name = "version", .arguments = "", .summary = "preset, compiler and build id of this kernel",
        .run = run_version);
