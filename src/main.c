/* The boot list: from the first C instruction to the prompt, one line a step, in the order they need each other. The
 * one file that may name every subsystem. */
#include <acpi/tables.h>
#include <base/errno.h>
#include <base/kasan.h>
#include <boot/boot_info.h>
#include <boot/command_line.h>
#include <boot/image.h>
#include <boot/report.h>
#include <cpu/features.h>
#include <cpu/fpu.h>
#include <cpu/gdt.h>
#include <cpu/interrupts.h>
#include <cpu/io.h>
#include <cpu/percpu.h>
#include <cpu/protection.h>
#include <cpu/tsc.h>
#include <debug/boot_stage.h>
#include <debug/build_id.h>
#include <debug/kcsan.h>
#include <debug/log.h>
#include <debug/panic.h>
#include <debug/ubsan.h>
#include <dev/tsc_watch.h>
#include <dev/work.h>
#include <drivers/apic.h>
#include <drivers/clocks.h>
#include <drivers/debug_port.h>
#include <drivers/framebuffer.h>
#include <drivers/ps2_keyboard.h>
#include <drivers/serial.h>
#include <drivers/vga_text.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/init.h>
#include <pci/pci.h>
#include <prompt/prompt.h>
#include <sched/sched.h>
#include <smp/cpu.h>
#include <smp/tsc.h>
#include <sync/lockdep_report.h>
#include <time/clock.h>
#include <time/irq_poll.h>
#include <time/source.h>
#include <trap/trap.h>
#include <virtio/blk.h>
#include <virtio/bus.h>
#include <virtio/rng.h>
#include <watchdog/watchdog.h>

/* How often a halted CPU looks for hardware errors that were corrected. */
#define POLL_MS     500u
#define POLL_MS_MAX 86400000u /* a day */

#define LOCKUP_MS_MAX 86400000u

#define DELAY_US_MAX 1000000u /* of the race detector: a second */

/* docs/boot.md, "Early failures". */
enum { POST_PORT = 0x80, POST_NO_NX = 0xe4, POST_BAD_BOOT_INFO = 0xe5, POST_NO_MEMORY = 0xe6 };

/* A machine Keel cannot run on: says why and stops. Never a reset, which would only come here again. */
INIT static NORETURN void cannot_start(uint8_t post_code, const char *reason)
{
    out8(POST_PORT, post_code);
    log_error("Keel cannot start: %s", reason);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* The first lines of every log: which kernel, started how, on what. */
INIT static void say_kernel(void)
{
    char id[BUILD_ID_TEXT_MAX];

    build_id_text(id);
    log_info("Keel, build %.12s", id);
}

INIT static void say_loader(const struct boot_info *info)
{
    log_info("loader: %s by %s on %s", info->loader_name[0] ? info->loader_name : "unnamed",
             boot_protocol_name(info->protocol), firmware_name(info->firmware));
}

INIT static void say_cpu(const struct cpu_identity *cpu)
{
    uint64_t khz = tsc_frequency_hz() / 1000;

    log_info("cpu: %s %s, %lu.%03lu MHz %s", cpu->vendor, cpu->brand, khz / 1000, khz % 1000,
             tsc_source_name(tsc_frequency_source()));
}

INIT static void report_boot_note(enum boot_report_level level, const char *text)
{
    log_write(level == BOOT_REPORT_ERROR ? LOG_ERROR : LOG_WARN, "boot: %s", text);
}

/* The value of a keel.* option among words; what is none of them is said and ignored. Returns its index, or -ENOENT. */
INIT static int option_choice(const char *key, const char *const *words, int nr_words)
{
    char value[16];
    int length = command_line_get(boot_info()->command_line, key, value, sizeof(value));

    if (length == -ENOENT)
        return -ENOENT;
    for (int i = 0; length >= 0 && i < nr_words; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    log_warn("%s: value not known, ignored", key);
    return -ENOENT;
}

/* A number up to `most`; fallback where the option is not there, or is none, which is said. */
INIT static uint64_t option_number(const char *key, uint64_t most, uint64_t fallback)
{
    char value[24];
    uint64_t number;
    int length = command_line_get(boot_info()->command_line, key, value, sizeof(value));

    if (length == -ENOENT)
        return fallback;
    if (length >= 0 && parse_u64(value, &number) == 0 && number <= most)
        return number;
    log_warn("%s: not a number up to %lu, ignored", key, most);
    return fallback;
}

/* For tests: one allocation of boot, or of what keel.run= says, fails. */
INIT static void apply_fail_option(void)
{
    uint64_t nth = option_number("keel.fail", UINT64_MAX, 0);

    if (nth > 0)
        fail_inject_arm(FAIL_ANY, nth);
}

INIT static void start_race_detector(void)
{
    if (CONFIG_KCSAN)
        kcsan_start(option_number("keel.kcsan-every", UINT32_MAX / 4, KCSAN_EVERY_DEFAULT),
                    option_number("keel.kcsan-delay-us", DELAY_US_MAX, KCSAN_DELAY_US_DEFAULT));
}

INIT static void start_machine_check_poll(void)
{
    trap_start_machine_check_poll(option_number("keel.mce-poll-ms", POLL_MS_MAX, POLL_MS) * NS_PER_MS);
}

INIT static void apply_options(void)
{
    static const char *const panic_words[] = {[PANIC_HALT] = "halt", [PANIC_REBOOT] = "reboot", [PANIC_EXIT] = "exit"};
    static const char *const level_words[] = {
        [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    static const char *const lockdep_words[] = {[LOCKDEP_PANIC] = "panic", [LOCKDEP_WARN] = "warn"};
    static const char *const ubsan_words[] = {[UBSAN_WARN] = "warn", [UBSAN_PANIC] = "panic"};
    int choice = option_choice("keel.panic", panic_words, ARRAY_SIZE(panic_words));

    if (choice >= 0)
        panic_set_action((enum panic_action)choice);
    choice = option_choice("keel.loglevel", level_words, ARRAY_SIZE(level_words));
    if (choice >= 0)
        log_set_console_level((enum log_level)choice);
    choice = option_choice("keel.ubsan", ubsan_words, ARRAY_SIZE(ubsan_words));
    if (choice >= 0)
        ubsan_set_action((enum ubsan_action)choice);
    choice = option_choice("keel.lockdep", lockdep_words, ARRAY_SIZE(lockdep_words));
    if (CONFIG_LOCKDEP && choice >= 0)
        lockdep_set_action((enum lockdep_action)choice);
    apply_fail_option();
}

/* What is still to do once init code may go: nothing here is INIT. */
static NORETURN NOINLINE void finish_boot(void)
{
    mm_free_init_memory(); /* the last thing of boot: what ran once is memory now */
    boot_stage(BOOT_STAGE_SEALED);
    work_start(); /* devices may come and go */
    work_run();   /* what drivers left to do */
    boot_stage(BOOT_STAGE_PROMPT);
    prompt_run();
}

/* Another CPU's own boot list, on it. It has its stack, its per-CPU area and the kernel's page tables, and no
 * interrupts yet; nothing depends on its number, which may change. */
static int begin_cpu(void)
{
    trap_init_cpu();           /* from here on no fault is silent on this CPU */
    page_types_cpu_init();     /* before anything is mapped in another way than memory */
    cpu_enable_protections();  /* as on the boot CPU */
    trap_init_machine_check(); /* hardware errors are this CPU's own */
    if (fpu_init_cpu() < 0)    /* threads' vector registers come with them */
        return -ENOTSUP;
    return apic_init_cpu(); /* it can be interrupted */
}

/* Its number is final: done on the boot CPU, for it. */
INIT static int number_cpu(uint32_t cpu)
{
    trap_name_cpu(cpu);            /* its stacks */
    return sched_prepare_cpu(cpu); /* its idle thread */
}

/* On it again: it has its number and is online; interrupts are still off. */
static void join_cpu(void)
{
    page_alloc_cpu_init(); /* its list of pages: it may allocate */
}

INIT static void start_other_cpus(void)
{
    static const struct smp_cpu_steps steps = {.prepare = trap_prepare_cpu,
                                               .undo = trap_undo_cpu,
                                               .begin = begin_cpu,
                                               .number = number_cpu,
                                               .join = join_cpu,
                                               .run = sched_run_cpu};
    uint64_t most = option_number("keel.cpus", CPU_MAX, CPU_MAX);

    smp_init(&steps, most > 0 ? (uint32_t)most : 1);
    (void)smp_tsc_check_all(); /* it says what it finds */
    tsc_watch_init();
}

INIT static void start_watchdog(void)
{
    static const char *const words[] = {[LOCKUP_WARN] = "warn", [LOCKUP_PANIC] = "panic"};
    int action = option_choice("keel.lockup", words, ARRAY_SIZE(words));
    struct watchdog_options options = {
        .soft_ns = option_number("keel.soft-lockup-ms", LOCKUP_MS_MAX, WATCHDOG_SOFT_NS / NS_PER_MS) * NS_PER_MS,
        .hard_ns = option_number("keel.hard-lockup-ms", LOCKUP_MS_MAX, WATCHDOG_HARD_NS / NS_PER_MS) * NS_PER_MS,
        .hung_ns = option_number("keel.hung-thread-ms", LOCKUP_MS_MAX, WATCHDOG_HUNG_NS / NS_PER_MS) * NS_PER_MS,
        .action = action >= 0 ? (enum lockup_action)action : LOCKUP_WARN,
    };

    watchdog_init(&options);
}

/* boot/entry.asm calls this: protocol, physical address of the loader's information, how far above its link address the
 * image lies, TSC at the first instruction. */
NORETURN void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc);

INIT NO_KASAN void kernel_main(enum boot_protocol protocol, uint64_t info, uint64_t load_distance, uint64_t entry_tsc)
{
    image_set_load_distance(load_distance); /* physical addresses of the image can be told */
    kasan_early_init();                     /* nothing instrumented runs before */
    percpu_init_boot_cpu();                 /* a canary, before a function that checks one returns */
    boot_stage(BOOT_STAGE_ENTRY);
    trap_init_early(); /* from here on no fault is silent */
    gdt_init();        /* the loader's segments lie in memory that will be given away */
    trap_init();       /* stacks of their own for double fault, NMI and machine check: needs the TSS */
    boot_stage(BOOT_STAGE_TRAPS);

    serial_init();     /* from here on nothing at all is silent */
    debug_port_init(); /* QEMU's, for tests */
    say_kernel();
    boot_stage(BOOT_STAGE_CONSOLE);

    boot_report_connect(report_boot_note); /* the parsers lie below the log */
    if (boot_info_init(protocol, info) < 0)
        cannot_start(POST_BAD_BOOT_INFO, "the loader's information is not usable (see above)");
    apply_options();                          /* what the command line says of log and panic holds from here on */
    serial_assign(boot_info()->command_line); /* one port for the log and one for the prompt, where asked for */
    framebuffer_init(&boot_info()->framebuffer);
    vga_text_init(boot_info());
    say_loader(boot_info());
    boot_stage(BOOT_STAGE_INFO);

    cpu_features_detect();
    tsc_init(entry_tsc); /* needs CPUID; from here on log lines have times */
    say_cpu(cpu_identity());
    if (!cpu_has(CPU_NX))
        cannot_start(POST_NO_NX, "this CPU has no no-execute pages (NX), or the firmware hides them");
    cpu_enable_protections(); /* NX before the page tables that use it */
    fpu_init();
    trap_init_machine_check(); /* needs to know what the CPU has */
    boot_stage(BOOT_STAGE_CPU);

    if (mm_init(boot_info()) < 0) /* our own page tables; the loader's and the identity map are gone */
        cannot_start(POST_NO_MEMORY, "there is not enough usable memory (see above)");
    if (trap_guard_stacks() < 0)
        cannot_start(POST_NO_MEMORY, "there is not enough usable memory for page tables");
    boot_stage(BOOT_STAGE_MEMORY);
    if (heap_init() < 0) /* kmalloc and vmalloc: needs pages and page tables */
        cannot_start(POST_NO_MEMORY, "there is not enough usable memory for the heap");
    if (sched_init() < 0) /* this is the boot thread from here on: waiting lets others run */
        cannot_start(POST_NO_MEMORY, "there is not enough usable memory for threads");
    watchdog_report_threads();
    if (work_init() < 0) /* before drivers queue any; it runs when boot is done */
        cannot_start(POST_NO_MEMORY, "there is not enough usable memory for threads");
    boot_stage(BOOT_STAGE_HEAP);
    framebuffer_remap(); /* write-combining, wherever it lies: needs device_map, which needs the heap */
    vga_text_remap();
    boot_stage(BOOT_STAGE_SCREEN);
    acpi_init(boot_info()); /* what the machine has: interrupts, time and PCI ask it */
    apic_init();            /* interrupts have somewhere to go */
    smp_init_boot_cpu();    /* this CPU can interrupt itself */
    serial_use_interrupts();
    ps2_keyboard_init(boot_info()->command_line);
    hpet_init(); /* counters whose frequency is known, ... */
    acpi_pm_timer_init();
    tsc_clock_init(); /* ... which the TSC is measured against, or the PIT */
    log_set_clock(clock_now_ns);
    lapic_timer_init(); /* measured against the clock */
    hpet_event_init();
    event_sources_done();
    irq_poll_init(); /* devices that share an input with one that is stuck are polled: needs timers */
    rtc_init();
    start_race_detector();
    start_machine_check_poll(); /* a halted CPU's banks are looked at too: needs timers */
    irq_enable();               /* sources nobody claims are masked; drivers wait for their devices */
    start_other_cpus();         /* needs timers to wait; before drivers ask how many CPUs there are */
    start_watchdog();           /* CPUs that hang are found: needs all of them, and timers */
    sched_spread_threads();     /* from here on a thread may run on any of them */
    pci_init();                 /* finds what drivers will be asked about */
    virtio_pci_init();          /* PCI's virtio functions become devices of their own */
    virtio_rng_init();          /* the random pool is fed */
    virtio_blk_init();          /* disks, and their partitions */
    pci_hotplug_init();         /* what is plugged in later is found */
    finish_boot();
}
