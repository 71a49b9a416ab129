/* log [LEVEL] [-n COUNT] */
#include "style.h"

#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/log.h>
#include <lib/parse.h>
#include <lib/string.h>

#define NS_PER_US     1000u
#define NS_PER_SECOND 1000000000u

static const char *const levels[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

struct selection {
    enum log_level level; /* and all that are more urgent */
    uint64_t limit;       /* the newest so many of them */
};

static int parse_level(const char *text, enum log_level *level)
{
    for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
        if (strcmp(text, levels[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return command_error(-EINVAL, "'%s' is no level: error, warn, info or debug", text);
}

static int parse_arguments(int argc, char **argv, struct selection *selection)
{
    for (int i = 1; i < argc; i++) {
        int error;

        if (strcmp(argv[i], "-n") != 0)
            error = parse_level(argv[i], &selection->level);
        else if (++i < argc)
            error = parse_u64(argv[i], &selection->limit);
        else
            error = -EINVAL;
        if (error < 0)
            return error;
    }
    return 0;
}

static void print_record(const struct log_record *record)
{
    const char *before = record->level == LOG_ERROR ? style(STYLE_ERROR) : "";
    const char *after = record->level == LOG_ERROR ? style(STYLE_NONE) : "";

    console_printf("%s[%5lu.%06lu] %-5s %s%s\n", before, record->time_ns / NS_PER_SECOND,
                   record->time_ns % NS_PER_SECOND / NS_PER_US, levels[record->level], record->text, after);
}

/* Walks the records from first to before end; prints those of the level after the first `skipped`. Returns how many are
 * of the level. What is overwritten meanwhile is left out. */
static uint64_t walk(uint64_t first, uint64_t end, enum log_level level, uint64_t skipped, bool is_printed)
{
    struct log_record record;
    uint64_t found = 0;

    for (uint64_t sequence = first; sequence < end; sequence++) {
        uint64_t oldest;
        int error = log_read(sequence, &record, &oldest);

        if (error == -ENOENT && oldest > sequence)
            sequence = oldest - 1;
        if (error < 0 || record.level > level)
            continue;
        if (is_printed && found >= skipped)
            print_record(&record);
        found++;
    }
    return found;
}

static int run_log(int argc, char **argv)
{
    struct selection selection = {LOG_DEBUG, UINT64_MAX};
    uint64_t end = log_next_sequence();
    uint64_t found, skipped;
    int error = parse_arguments(argc, argv, &selection);

    if (error < 0)
        return error;
    found = walk(0, end, selection.level, 0, false);
    skipped = found > selection.limit ? found - selection.limit : 0;
    walk(0, end, selection.level, skipped, true);
    return 0;
}

static const char *complete_log(unsigned n)
{
    return n < ARRAY_SIZE(levels) ? levels[n] : n == ARRAY_SIZE(levels) ? "-n" : NULL;
}

COMMAND(log, .name = "log", .arguments = "[LEVEL] [-n COUNT]", .summary = "print the kernel log", .run = run_log,
        .complete = complete_log,
        .details =
            "LEVEL is error, warn, info or debug: records of this level and of more urgent ones. COUNT is how many,\n"
            "the newest ones.");
