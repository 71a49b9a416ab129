/* What every sleeping thread waits for: on a system request, with stacks, for when nothing moves any more; and in the
 * last report. There may be thousands: so many are shown, those first that wait for what somebody else has, or have it.
 */
#include <debug/log.h>
#include <debug/report_hooks.h>
#include <debug/sysrq.h>
#include <lib/format.h>
#include <watchdog/watchdog.h>

#include "sleepers.h"

#define SHOWN_MAX 64u /* the log has room for so many with their stacks, and not many more */

struct listing {
    void (*write)(const char *line);
    bool with_stacks;
    unsigned nr_threads, nr_waiting, nr_shown, nr_left_out;
    const struct thread *last;
};

static bool is_involved(const struct thread *thread, const struct thread_info *info)
{
    return sleeper_has_mutexes(thread) || (info->state == THREAD_WAITING && sleeper_should_end(info->wait));
}

static void show(struct listing *listing, const struct thread *thread, const struct thread_info *info)
{
    if (listing->nr_shown == SHOWN_MAX) {
        listing->nr_left_out++;
        return;
    }
    listing->nr_shown++;
    sleeper_describe(thread, info, listing->write);
    if (listing->with_stacks)
        sleeper_describe_stack(thread, listing->write);
}

/* Not inlined: a thread's facts are not on the stack twice. */
static NOINLINE void show_those(struct listing *listing, bool are_involved)
{
    const struct thread *thread;
    struct thread_info info;

    for (thread = thread_next_in_report(NULL); thread; thread = thread_next_in_report(thread)) {
        thread_get_info(thread, &info);
        listing->last = thread;
        if (are_involved) {
            listing->nr_threads++;
            listing->nr_waiting += info.state == THREAD_WAITING;
        }
        if (is_involved(thread, &info) == are_involved && (are_involved || info.state == THREAD_WAITING))
            show(listing, thread, &info);
    }
}

static void show_all(void (*write)(const char *line), bool with_stacks)
{
    struct listing listing = {.write = write, .with_stacks = with_stacks};
    char line[96];

    show_those(&listing, true);
    show_those(&listing, false);
    if (!thread_is_last_in_report(listing.last))
        write("the list of threads leads nowhere from here");
    if (listing.nr_left_out > 0)
        snprintf(line, sizeof(line), "%u of %u threads wait, %u are not shown", listing.nr_waiting, listing.nr_threads,
                 listing.nr_left_out);
    else
        snprintf(line, sizeof(line), "%u of %u threads wait", listing.nr_waiting, listing.nr_threads);
    write(line);
}

static void log_line(const char *line)
{
    log_info("  %s", line);
}

static void show_sleepers(void)
{
    show_all(log_line, true);
}

SYSRQ(sleepers, .letter = 'w', .summary = "what each sleeping thread waits for, and the mutexes threads have",
      .run = show_sleepers);

static void describe_threads(void (*write)(const char *line))
{
    show_all(write, false);
}

INIT void watchdog_report_threads(void)
{
    report_set_threads(describe_threads);
}
