/* random */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <dev/random.h>
#include <lib/parse.h>

#define COUNT_MAX 4096u

static void print_bytes(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        console_printf("%02x", bytes[i]);
    console_printf("\n");
}

static int run_random(int argc, char **argv)
{
    struct random_status status;
    uint64_t count = 16;
    int error = 0;

    if (argc > 2)
        return -E2BIG;
    if (argc == 2)
        error = parse_u64(argv[1], &count);
    if (error < 0 || count > COUNT_MAX)
        return error < 0 ? error : -ERANGE;
    while (count != 0) {
        uint8_t bytes[32];
        size_t step = count < sizeof(bytes) ? count : sizeof(bytes);

        error = random_bytes(bytes, step);
        print_bytes(bytes, step);
        count -= step;
    }
    random_status(&status);
    console_printf("%s, %u of 256 bits towards the next seed, %lu reseeds\n",
                   status.is_seeded ? "seeded" : "not seeded: not for secrets", status.credited_bits,
                   status.nr_reseeds);
    return 0;
}

COMMAND(random, .name = "random", .arguments = "[COUNT]", .summary = "bytes from the random pool, and its state",
        .run = run_random);
