/* The first and only program of the Linux that tools/compare-scaling measures: how long one, two and four processes
 * take for the same work each, side by side, in the lines that Keel's command `scaling` prints. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 4u
#define ROUNDS        12u /* the least of them counts */
#define AREA_BYTES    (8u << 20)

struct kind {
    const char *name;
    void (*work)(void);
};

static void fail(const char *what)
{
    printf("linux: %s failed\n", what);
    reboot(RB_AUTOBOOT);
    _exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void compute(void)
{
    uint64_t x = 88172645463325252u;

    for (unsigned i = 0; i < 30000000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    __asm__ volatile("" : : "r"(x));
}

static void enter_kernel(void)
{
    for (unsigned i = 0; i < 120000; i++)
        syscall(SYS_getppid);
}

/* Each page is cleared by the kernel, and given back. */
static void touch_pages(void)
{
    for (unsigned round = 0; round < 3; round++) {
        volatile char *area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (area == MAP_FAILED)
            fail("mmap");
        madvise((void *)area, AREA_BYTES, MADV_NOHUGEPAGE);
        for (size_t at = 0; at < AREA_BYTES; at += 4096)
            area[at] = 1;
        munmap((void *)area, AREA_BYTES);
    }
}

static const struct kind kinds[] = {{"cpu", compute}, {"service", enter_kernel}, {"page", touch_pages}};

/* A pipe that nobody writes holds them back until it is closed. */
static uint64_t measure(const struct kind *kind, unsigned nr)
{
    pid_t processes[PROCESSES_MAX];
    int begin[2], status;
    uint64_t since;

    if (pipe(begin) < 0)
        fail("pipe");
    for (unsigned i = 0; i < nr; i++) {
        char byte;

        processes[i] = fork();
        if (processes[i] < 0)
            fail("fork");
        if (processes[i] != 0)
            continue;
        close(begin[1]);
        if (read(begin[0], &byte, 1) != 0)
            _exit(1);
        kind->work();
        _exit(0);
    }
    usleep(20000); /* they are all there by then, or begin late, which is against this kernel */
    since = now_ns();
    close(begin[1]);
    for (unsigned i = 0; i < nr; i++)
        if (waitpid(processes[i], &status, 0) < 0 || status != 0)
            fail("a process");
    close(begin[0]);
    return now_ns() - since;
}

int main(void)
{
    unsigned nr_cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);

    setvbuf(stdout, NULL, _IONBF, 0);
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (unsigned nr = 1; nr <= PROCESSES_MAX && nr <= nr_cpus; nr *= 2) {
            uint64_t least = UINT64_MAX;

            for (unsigned round = 0; round < ROUNDS; round++) {
                uint64_t took = measure(&kinds[i], nr);

                least = took < least ? took : least;
            }
            printf("scaling_%s %u %llu ns\n", kinds[i].name, nr, (unsigned long long)least);
        }
    }
    reboot(RB_AUTOBOOT);
    return 1;
}
