/* The block driver against a model of its device: contents, order and errors of many requests at a time in every kind
 * of ring, and devices that fail, lie, fall silent, ask for a reset or are taken away. Nothing may be lost or leak. */
#include "support/blk_model.h"
#include "support/plain_heap.h"
#include "support/random.h"
#include "support/unit.h"

#include <string.h>

#include <base/errno.h>
#include <cpu/percpu.h>
#include <hw/virtio.h>
#include <mm/physmap.h>

#include "../../drivers/virtio/blk.h"

#define RINGS       (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)
#define NR_REQUESTS 40u
#define SLICE       6u /* sectors that belong to one request, so that no two overlap */
#define SECOND      1000000000ull
#define PENDING     12345

struct job {
    struct block_request request;
    struct block_segment segments[4];
    uint8_t memory[4 * 1024];
    unsigned nr_done;
};

static struct job jobs[NR_REQUESTS];
static struct block_device *disk;
static uint8_t expected[MODEL_SECTORS * 512];

static void note_done(struct block_request *request)
{
    struct job *job = CONTAINER_OF(request, struct job, request);

    job->nr_done++;
    assert_int_not_equal(request->result, PENDING);
}

static void start(struct job *job, enum block_operation operation, uint64_t sector, unsigned nr_sectors)
{
    unsigned nr = operation == BLOCK_READ || operation == BLOCK_WRITE ? nr_sectors : 0;

    for (unsigned i = 0; i < nr; i++)
        job->segments[i] = (struct block_segment){physmap_to_phys(job->memory + i * 1024), 512};
    job->nr_done = 0;
    job->request = (struct block_request){.operation = operation,
                                          .sector = sector,
                                          .nr_sectors = nr_sectors,
                                          .segments = job->segments,
                                          .nr_segments = nr,
                                          .complete = note_done,
                                          .result = PENDING};
    disk->operations->submit(disk, &job->request);
}

static void begin(uint16_t ring_size, uint64_t ring_features, bool has_interrupts)
{
    blk_model_set_up(ring_size, ring_features, has_interrupts);
    memset(expected, 0, sizeof(expected));
    assert_int_equal(blk_model_probe(), 0);
    disk = blk_model_disk();
    assert_non_null(disk);
}

static void end(void)
{
    blk_model_remove();
    assert_int_equal(model.nr_released, 1);
    assert_int_equal(plain_heap_in_use(), 0);
}

/* ---- many requests ---- */

/* One of each job's kind in its own slice of the disk; what the disk has to hold afterwards goes into expected. */
static void start_any(unsigned n, uint64_t *random)
{
    uint64_t first = n * SLICE, sector = first + random_below(random, SLICE);
    unsigned nr = 1 + (unsigned)random_below(random, first + SLICE - sector < 2 ? 1 : 2);
    struct job *job = &jobs[n];

    switch (random_below(random, 5)) {
    case 0:
    case 1:
        memset(job->memory, 0xee, sizeof(job->memory));
        start(job, BLOCK_READ, sector, nr);
        break;
    case 2:
    case 3:
        for (unsigned i = 0; i < nr; i++) {
            memset(job->memory + i * 1024, (int)(random_next(random) & 0xff), 512);
            memcpy(expected + (sector + i) * 512, job->memory + i * 1024, 512);
        }
        start(job, BLOCK_WRITE, sector, nr);
        break;
    default:
        memset(expected + sector * 512, 0, nr * 512);
        start(job, BLOCK_WRITE_ZEROES, sector, nr);
    }
}

static void expect_done(const struct job *job)
{
    assert_int_equal(job->nr_done, 1);
    assert_int_equal(job->request.result, 0);
    if (job->request.operation != BLOCK_READ)
        return;
    for (unsigned i = 0; i < job->request.nr_segments; i++)
        assert_memory_equal(job->memory + i * 1024, expected + (job->request.sector + i) * 512, 512);
}

static void many_requests(uint16_t size, uint64_t features, bool has_interrupts)
{
    uint64_t random = 12345 + size + features;

    begin(size, features, has_interrupts);
    for (size_t i = 0; i < sizeof(expected); i++)
        expected[i] = model.content[i] = (uint8_t)(i / 512 + i);
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned n = 0; n < NR_REQUESTS; n++) {
            start_any(n, &random);
            if (random_below(&random, 8) == 0)
                blk_model_run();
        }
        for (unsigned i = 0; i < NR_REQUESTS + 2; i++)
            blk_model_run(); /* a ring of 4 takes them one by one */
        for (unsigned n = 0; n < NR_REQUESTS; n++)
            expect_done(&jobs[n]);
        assert_memory_equal(expected, model.content, sizeof(expected));
    }
    end();
}

static void test_many_requests(void **state)
{
    static const uint16_t sizes[] = {4, 8, 64, 256};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes) * 16; i++)
        many_requests(sizes[i / 16],
                      (i & 1 ? VIRTIO_F_RING_PACKED : 0) | (i & 2 ? VIRTIO_F_EVENT_IDX : 0) |
                          (i & 4 ? VIRTIO_F_INDIRECT_DESC : 0),
                      i & 8);
}

static void test_first_come_first_served(void **state)
{
    begin(4, 0, true);
    model.random = 1;
    for (unsigned n = 0; n < NR_REQUESTS; n++)
        start(&jobs[n], BLOCK_READ, n, 1);
    for (unsigned n = 0; n < NR_REQUESTS; n++) {
        blk_model_run(); /* the ring has room for one */
        for (unsigned i = 0; i < NR_REQUESTS; i++)
            assert_int_equal(jobs[i].nr_done, i <= n);
    }
    end();
}

/* A short one for which there is room does not overtake a long one that waits. */
static void test_no_overtaking(void **state)
{
    begin(8, 0, true);
    model.is_paused = true;
    for (unsigned n = 0; n < 3; n++)
        start(&jobs[n], BLOCK_READ, n, 1); /* three descriptors each: the third waits */
    start(&jobs[3], BLOCK_FLUSH, 0, 0);
    blk_model_run();
    assert_int_equal(model.nr_held, 2);
    model.is_paused = false;
    blk_model_run();
    blk_model_run();
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(jobs[n].nr_done, 1);
    end();
}

static void expect_all_failed(void)
{
    for (unsigned n = 0; n < NR_REQUESTS; n++) {
        assert_int_equal(jobs[n].nr_done, 1);
        assert_int_equal(jobs[n].request.result, -EIO);
    }
    start(&jobs[0], BLOCK_READ, 0, 1);
    assert_int_equal(jobs[0].nr_done, 1);
    assert_int_equal(jobs[0].request.result, -EIO);
}

/* ---- several queues ---- */

static void begin_queues(unsigned nr_cpus, uint16_t nr_offered)
{
    blk_model_set_up(8, RINGS, true);
    memset(expected, 0, sizeof(expected));
    model.nr_cpus = nr_cpus;
    model.offers |= VIRTIO_BLK_F_MQ;
    model.config.num_queues = nr_offered;
    assert_int_equal(blk_model_probe(), 0);
    disk = blk_model_disk();
}

/* As many as there are CPUs and the device has; each CPU keeps to its own. */
static void test_queues(void **state)
{
    static const struct {
        unsigned nr_cpus;
        uint16_t nr_offered;
        unsigned nr_expected;
    } cases[] = {{1, 4, 1}, {3, 4, 3}, {4, 2, 2}, {2, 0, 1}, {4, 4, 4}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        begin_queues(cases[i].nr_cpus, cases[i].nr_offered);
        assert_int_equal(model.nr_rings, cases[i].nr_expected);
        assert_int_equal(model.interrupts.nr_queues, cases[i].nr_expected);
        model.is_paused = true;
        for (unsigned n = 0; n < 8; n++) {
            percpu.cpu_number = n % cases[i].nr_cpus;
            start(&jobs[n], BLOCK_READ, n, 1);
            blk_model_run();
            if (n < model.nr_held)
                assert_int_equal(model.held_from[n], percpu.cpu_number % cases[i].nr_expected);
        }
        percpu.cpu_number = 0;
        model.is_paused = false;
        for (unsigned n = 0; n < 8; n++)
            blk_model_run();
        for (unsigned n = 0; n < 8; n++)
            expect_done(&jobs[n]);
        end();
    }
}

/* One queue's lie, or silence, is the device's: all queues' requests end, and none is started any more. */
static void test_queues_fail_together(void **state)
{
    for (unsigned is_silent = 0; is_silent < 2; is_silent++) {
        begin_queues(4, 4);
        model.is_paused = true;
        for (unsigned n = 0; n < NR_REQUESTS; n++) {
            percpu.cpu_number = n % 4;
            start(&jobs[n], BLOCK_READ, n, 1);
        }
        percpu.cpu_number = 0;
        blk_model_run();
        if (is_silent) {
            blk_model_pass_time(31 * SECOND);
        } else {
            model_write_used(&model.rings[2], 7777, 1);
            model.interrupts.queue(model.queue_contexts[2]);
            blk_model_run_deferred();
        }
        expect_all_failed();
        end();
    }
}

/* ---- errors ---- */

static void test_each_its_own_error(void **state)
{
    static const struct {
        int status, result;
    } cases[] = {{VIRTIO_BLK_S_IOERR, -EIO},
                 {VIRTIO_BLK_S_UNSUPP, -ENOTSUP},
                 {3, -EIO},
                 {0x80, -EIO},
                 {BLK_STATUS_MISSING, -EIO}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        begin(8, RINGS, true);
        model.fail_sector = 17;
        model.fail_status = cases[i].status;
        for (unsigned n = 0; n < NR_REQUESTS; n++)
            start(&jobs[n], n % 2 ? BLOCK_READ : BLOCK_WRITE, n, 1);
        for (unsigned n = 0; n < NR_REQUESTS; n++)
            blk_model_run();
        for (unsigned n = 0; n < NR_REQUESTS; n++) {
            assert_int_equal(jobs[n].nr_done, 1);
            assert_int_equal(jobs[n].request.result, n == 17 ? cases[i].result : 0);
        }
        end();
    }
}

/* A device that returns a request without a word: an earlier request's word is not taken for its. */
static void test_no_status(void **state)
{
    begin(4, 0, true);
    for (unsigned n = 0; n < 4; n++) {
        model.next_status = n == 2 ? MODEL_NO_STATUS : -1;
        start(&jobs[n], BLOCK_READ, n, 1);
        blk_model_run();
        assert_int_equal(jobs[n].nr_done, 1);
        assert_int_equal(jobs[n].request.result, n == 2 ? -EIO : 0);
    }
    end();
}

static void test_fua(void **state)
{
    begin(4, 0, true);
    for (unsigned n = 0; n < 10; n++) {
        start(&jobs[n], BLOCK_WRITE, n, 1);
        assert_int_equal(jobs[n].nr_done, 0);
    }
    for (unsigned n = 0; n < 10; n++)
        blk_model_run();
    assert_int_equal(model.nr_flushes, 0);
    for (unsigned n = 0; n < 10; n++) { /* some wait in the list */
        jobs[n].request.flags = BLOCK_FUA;
        jobs[n].nr_done = 0;
        disk->operations->submit(disk, &jobs[n].request);
    }
    for (unsigned n = 0; n < 20; n++) {
        blk_model_run();
        assert_int_equal(jobs[n / 2].nr_done, n % 2); /* when its flush is done, not before */
    }
    assert_int_equal(model.nr_flushes, 10);
    assert_int_equal(blk_set_write_back(disk, false), 0);
    assert_int_equal(model.nr_flushes, 11); /* what the cache held */
    assert_int_equal(model.config.writeback, 0);
    disk->operations->submit(disk, &jobs[0].request);
    blk_model_run();
    assert_int_equal(model.nr_flushes, 11); /* write-through: the write alone is enough */
    model.fail_sector = 1;
    model.fail_status = VIRTIO_BLK_S_IOERR;
    assert_int_equal(blk_set_write_back(disk, true), 0);
    disk->operations->submit(disk, &jobs[1].request);
    blk_model_run();
    assert_int_equal(jobs[1].request.result, -EIO);
    assert_int_equal(model.nr_flushes, 11); /* nothing was written */
    end();
}

static void test_identify(void **state)
{
    char id[32];

    begin(4, RINGS, true);
    assert_int_equal(disk->operations->identify(disk, id, sizeof(id)), 0);
    assert_string_equal(id, "twenty bytes, no end");
    assert_int_equal(disk->operations->identify(disk, id, 7), 0);
    assert_string_equal(id, "twenty");
    memcpy(model.id, "a\n\033[1m\xff\0z", 9);
    assert_int_equal(disk->operations->identify(disk, id, sizeof(id)), 0);
    assert_string_equal(id, "a??[1m?");
    model.next_status = VIRTIO_BLK_S_UNSUPP;
    assert_int_equal(disk->operations->identify(disk, id, sizeof(id)), -ENOTSUP);
    end();
}

/* ---- devices that are given up ---- */

static void start_all(void)
{
    for (unsigned n = 0; n < NR_REQUESTS; n++)
        start(&jobs[n], BLOCK_READ, n, 1);
}

static void test_lie(void **state)
{
    for (unsigned i = 0; i < 8; i++) {
        begin(8, i & 1 ? RINGS | VIRTIO_F_RING_PACKED : RINGS, i & 2);
        model.resets = !(i & 4);
        model.is_paused = true;
        start_all();
        blk_model_run();
        model_write_used(&model.rings[0], 7777, 1);
        if (model.interrupts.queue)
            model.interrupts.queue(model.queue_contexts[0]);
        else
            disk->operations->poll(disk);
        if (i & 2)
            assert_int_equal(jobs[0].nr_done, 0); /* not in the handler: the reset may take long */
        blk_model_run_deferred();
        assert_int_equal(model.nr_resets, 2);
        assert_true(model.status & VIRTIO_STATUS_FAILED);
        expect_all_failed();
        end();
    }
}

static void test_needs_reset(void **state)
{
    begin(8, RINGS, true);
    model.is_paused = true;
    start_all();
    model.status |= VIRTIO_STATUS_NEEDS_RESET;
    model.interrupts.config_changed(model.interrupts.config_context);
    blk_model_run_deferred();
    expect_all_failed();
    end();
}

static void test_silence(void **state)
{
    for (unsigned has_interrupts = 0; has_interrupts < 2; has_interrupts++) {
        begin(8, RINGS, has_interrupts);
        for (unsigned i = 0; i < 5; i++) { /* slow, but alive */
            start_all();
            blk_model_pass_time(20 * SECOND);
            for (unsigned n = 0; n < NR_REQUESTS; n++)
                blk_model_run();
            for (unsigned n = 0; n < NR_REQUESTS; n++)
                expect_done(&jobs[n]);
        }
        blk_model_pass_time(100 * SECOND); /* idle is not silent */
        blk_model_run();
        model.is_paused = true;
        start_all();
        blk_model_pass_time(25 * SECOND);
        blk_model_run();
        assert_int_equal(jobs[0].nr_done, 0);
        blk_model_pass_time(10 * SECOND);
        blk_model_run();
        expect_all_failed();
        assert_int_equal(model.nr_resets, 2);
        end();
    }
}

/* The device was done, and its interrupt never came: the last chance finds out. */
static void test_lost_interrupt(void **state)
{
    void (*handler)(void *context);

    begin(8, RINGS, true);
    handler = model.interrupts.queue;
    start(&jobs[0], BLOCK_READ, 0, 1);
    model.interrupts.queue = NULL;
    blk_model_run();
    assert_int_equal(jobs[0].nr_done, 0);
    model.interrupts.queue = handler;
    blk_model_pass_time(31 * SECOND);
    assert_int_equal(jobs[0].nr_done, 1);
    assert_int_equal(jobs[0].request.result, 0);
    assert_int_equal(model.nr_resets, 1);
    end();
}

static void test_remove(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        begin(8, RINGS, i & 1);
        model.is_paused = true;
        model.resets = !(i & 2);
        start_all();
        blk_model_run();
        blk_model_remove();
        assert_null(model.interrupts.queue);
        assert_int_equal(plain_heap_in_use(), 0);
        for (unsigned n = 0; n < NR_REQUESTS; n++) {
            assert_int_equal(jobs[n].nr_done, 1);
            assert_int_equal(jobs[n].request.result, -EIO);
        }
    }
}

static void test_resize(void **state)
{
    begin(8, RINGS, true);
    model.config.capacity = 2 * MODEL_SECTORS;
    model.interrupts.config_changed(model.interrupts.config_context);
    assert_int_equal(disk->nr_sectors, MODEL_SECTORS);
    blk_model_run_deferred();
    assert_int_equal(disk->nr_sectors, 2 * MODEL_SECTORS);
    end();
}

/* ---- probe ---- */

static void test_without_memory(void **state)
{
    for (long n = 0; n < 6; n++) {
        blk_model_set_up(8, RINGS, true);
        plain_heap_fail_after(n);
        int result = blk_model_probe();
        plain_heap_fail_after(-1);
        assert_int_equal(result, n < 5 ? -ENOMEM : 0);
        if (result == 0)
            blk_model_remove();
        assert_int_equal(plain_heap_in_use(), 0);
    }
}

static void refuse(int error)
{
    assert_int_equal(blk_model_probe(), error);
    assert_null(blk_model_disk());
    assert_true(model.status & VIRTIO_STATUS_FAILED);
    assert_int_equal(plain_heap_in_use(), 0);
}

static void test_refused(void **state)
{
    blk_model_set_up(8, RINGS, true);
    model.config.blk_size = 1024;
    refuse(-ENOTSUP);
    blk_model_set_up(2, RINGS, true); /* no room for header, data and status */
    refuse(-ENOTSUP);
    blk_model_set_up(8, RINGS, true);
    model.offers |= VIRTIO_BLK_F_SIZE_MAX;
    model.config.size_max = 1; /* six segments of a byte hold no sector */
    refuse(-EINVAL);
    blk_model_set_up(4, 0, true);
    model.config.seg_max = 1000;
    assert_int_equal(blk_model_probe(), 0);
    assert_int_equal(blk_model_disk()->limits.max_segments, 2); /* the ring's limit */
    end();
}

static int tear_down(void **state)
{
    plain_heap_fail_after(-1);
    return plain_heap_in_use() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, tear_down)
    const struct CMUnitTest tests[] = {

        TEST(test_many_requests),
        TEST(test_first_come_first_served),
        TEST(test_no_overtaking),
        TEST(test_queues),
        TEST(test_queues_fail_together),
        TEST(test_each_its_own_error),
        TEST(test_no_status),
        TEST(test_fua),
        TEST(test_identify),
        TEST(test_lie),
        TEST(test_needs_reset),
        TEST(test_silence),
        TEST(test_lost_interrupt),
        TEST(test_remove),
        TEST(test_resize),
        TEST(test_without_memory),
        TEST(test_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
