/* The first and only program of the Linux that tools/compare-disk measures: loads the disk's driver, reads the disk
 * past every cache, prints a line for each row as Keel's `block bench` does, and ends the machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DISK        "/dev/vda"
#define DEPTH       8
#define SMALL_BYTES 4096u
#define LARGE_BYTES (128u << 10)
#define ROUNDS      5

static const char *const modules[] = {"virtio_ring",           "virtio",     "virtio_pci_modern_dev",
                                      "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk"};
static uint64_t disk_bytes;

static void fail(const char *what)
{
    printf("linux: %s: %s\n", what, strerror(errno));
    reboot(RB_AUTOBOOT);
}

static uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void load_modules(void)
{
    for (unsigned i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        char path[64];
        int file;

        snprintf(path, sizeof(path), "/modules/%s.ko", modules[i]);
        file = open(path, O_RDONLY);
        if (file < 0 || (syscall(SYS_finit_module, file, "", 0) < 0 && errno != EEXIST))
            fail(path);
        close(file);
    }
}

static int open_disk(void)
{
    int disk = open(DISK, O_RDONLY | O_DIRECT);
    off_t end = disk < 0 ? -1 : lseek(disk, 0, SEEK_END);

    if (end <= 0)
        fail(DISK);
    disk_bytes = (uint64_t)end;
    return disk;
}

static void *buffer_of(size_t length_bytes)
{
    void *buffer = mmap(NULL, length_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (buffer == MAP_FAILED)
        fail("memory");
    return buffer;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void read_randomly(int disk, uint64_t seed, unsigned nr)
{
    void *buffer = buffer_of(SMALL_BYTES);

    for (unsigned i = 0; i < nr; i++)
        if (pread(disk, buffer, SMALL_BYTES, (off_t)(next_random(&seed) % (disk_bytes / SMALL_BYTES) * SMALL_BYTES)) !=
            SMALL_BYTES)
            fail("read");
    munmap(buffer, SMALL_BYTES);
}

static void read_in_order(int disk, unsigned nr)
{
    void *buffer = buffer_of(LARGE_BYTES);

    for (unsigned i = 0; i < nr; i++)
        if (pread(disk, buffer, LARGE_BYTES, (off_t)(i * (uint64_t)LARGE_BYTES % disk_bytes)) != LARGE_BYTES)
            fail("read");
    munmap(buffer, LARGE_BYTES);
}

/* DEPTH processes at once: they begin when the pipe they wait at is closed. */
static uint64_t read_deep(int disk, unsigned nr)
{
    int gate[2];
    uint64_t begin_ns;

    if (pipe(gate) < 0)
        fail("pipe");
    for (unsigned i = 0; i < DEPTH; i++) {
        pid_t child = fork();

        if (child < 0)
            fail("fork");
        if (child == 0) {
            char byte;

            close(gate[1]);
            if (read(gate[0], &byte, 1) != 0)
                _exit(1);
            read_randomly(disk, i + 1, nr / DEPTH);
            _exit(0);
        }
    }
    begin_ns = now_ns();
    close(gate[0]);
    close(gate[1]);
    for (unsigned i = 0; i < DEPTH; i++) {
        int status;

        if (wait(&status) < 0 || status != 0)
            fail("a reader");
    }
    return now_ns() - begin_ns;
}

static uint64_t measure(const char *row, int disk, unsigned nr)
{
    uint64_t begin_ns = now_ns();

    if (strcmp(row, "block_read_4k_depth8") == 0)
        return read_deep(disk, nr);
    if (strcmp(row, "block_read_4k") == 0)
        read_randomly(disk, 1, nr);
    else
        read_in_order(disk, nr);
    return now_ns() - begin_ns;
}

static void print_row(const char *row, int disk, unsigned nr)
{
    uint64_t least = UINT64_MAX;

    measure(row, disk, nr / 8); /* warm */
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t took_ns = measure(row, disk, nr);

        least = took_ns < least ? took_ns : least;
    }
    printf("%s %llu\n", row, (unsigned long long)(least / nr));
}

int main(void)
{
    int disk;

    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir("/dev", 0755);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    load_modules();
    disk = open_disk();
    print_row("block_read_4k", disk, 4000);
    print_row("block_read_4k_depth8", disk, 8000);
    print_row("block_read_128k", disk, 1000);
    reboot(RB_AUTOBOOT);
    return 0;
}
