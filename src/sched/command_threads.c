/* threads: who there is and what each does. sched: what each CPU does with them. */
#include <base/errno.h>
#include <cpu/tsc.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/format.h>
#include <mm/stack.h>

#include "cpu_queue.h"

#define NS_PER_MS 1000000ul

static uint64_t idle_time(const struct cpu_queue *queue)
{
    uint64_t since = READ_ONCE(queue->idle_since), idle_ns = READ_ONCE(queue->idle_ns), now = sched_now_ns();

    return since != 0 && now > since ? idle_ns + now - since : idle_ns;
}

static void format_class(char *text, size_t size, const struct thread_info *info)
{
    if (info->is_idle)
        snprintf(text, size, "idle");
    else if (info->class == SCHED_FIFO)
        snprintf(text, size, "fifo %u", info->priority);
    else
        snprintf(text, size, "fair %d", info->nice);
}

static void format_state(char *text, size_t size, const struct thread_info *info)
{
    static const char *const names[] = {[THREAD_RUNNING] = "running",
                                        [THREAD_RUNNABLE] = "runnable",
                                        [THREAD_WAITING] = "waiting",
                                        [THREAD_DEAD] = "dead"};
    uint64_t now = tsc_now_ns(), since = info->waiting_since_ns;
    uint64_t ms = (now > since ? now - since : 0) / NS_PER_MS;

    if (info->state != THREAD_WAITING)
        snprintf(text, size, "%s", names[info->state]);
    else if (!info->wait_object)
        snprintf(text, size, "waits %lu ms for %s", ms, thread_wait_name(info->wait));
    else
        snprintf(text, size, "waits %lu ms for %s %p", ms, thread_wait_name(info->wait), info->wait_object);
}

static int run_threads(int argc, char **argv)
{
    struct thread *thread;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    console_printf("  no  cpu  class    time ms  switches  stack  name                     state\n");
    thread_for_each(thread)
    {
        struct thread_info info;
        char class[16], state[80];
        uint64_t time_ns;
        size_t used;

        thread_get_info(thread, &info);
        time_ns = info.is_idle ? idle_time(cpu_queue_of(info.cpu)) : info.cpu_time_ns;
        used = info.stack ? stack_bytes_used(info.stack, info.stack_bytes) : 0;
        format_class(class, sizeof(class), &info);
        format_state(state, sizeof(state), &info);
        console_printf("%4u  %3u  %-7s %8lu  %8lu  %5zu  %-24s %s\n", info.number, info.cpu, class, time_ns / NS_PER_MS,
                       info.nr_switches, used, info.name, state);
    }
    return 0;
}

COMMAND(threads, .name = "threads", .arguments = "", .summary = "show the threads and what they wait for",
        .run = run_threads);

static void print_queue(const struct cpu_queue *queue)
{
    console_printf("%3u  %8u  %9lu  %9lu  %8lu\n", queue->queue.cpu, run_queue_length(&queue->queue),
                   READ_ONCE(queue->nr_switches), READ_ONCE(queue->nr_arrivals), idle_time(queue) / NS_PER_MS);
}

static int run_sched(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return -E2BIG;
    console_printf("cpu  runnable   switches   arrivals   idle ms\n");
    for (uint32_t cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        print_queue(cpu_queue_of(cpu));
    return 0;
}

COMMAND(sched, .name = "sched", .arguments = "", .summary = "show what each CPU does with the threads",
        .run = run_sched);
