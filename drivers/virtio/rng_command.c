#include "rng.h"

#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>

static int run_rng(int argc, char **argv)
{
    static const char *const states[] = {[RNG_STOPPED] = "stopped",
                                         [RNG_IDLE] = "idle",
                                         [RNG_WAITING] = "waiting",
                                         [RNG_RESETTING] = "being reset",
                                         [RNG_FAILED] = "failed"};
    struct rng_figures rng;
    unsigned n = 0;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    for (; rng_look(n, &rng); n++)
        console_printf("%s: %s, %s ring of %u, %s%s, %lu bytes received\n", rng.name,
                       rng.is_legacy ? "legacy" : "modern", rng.is_packed ? "packed" : "split", rng.queue_size,
                       rng.is_polled ? "polled, " : "", states[rng.state], rng.nr_bytes);
    if (n == 0)
        console_printf("there are no entropy devices\n");
    return 0;
}

COMMAND(rng, .name = "rng", .arguments = "", .summary = "entropy devices, and what they gave", .run = run_rng,
        .details = "Asks each device for more, too.");
