#include "virtqueue_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void queue_start_anew(struct queue_fixture *fixture)
{
    struct virtqueue_config config = fixture->queue.config;

    if (virtqueue_init(&fixture->queue, &config, &fixture->memory) != 0)
        abort();
    model_init(&fixture->device, &fixture->queue);
}

/* Dirty: nothing may be taken for set. */
static void *dirty_memory(size_t alignment, size_t size)
{
    void *memory = NULL;

    if (size == 0)
        return NULL;
    if (posix_memalign(&memory, alignment, size) != 0)
        abort();
    return memset(memory, 0xa5, size);
}

void queue_set_up(struct queue_fixture *fixture, const struct virtqueue_config *config)
{
    struct virtqueue_layout layout;

    if (virtqueue_plan(config, &layout) != 0)
        abort();
    fixture->memory.ring = dirty_memory(4096, layout.ring_bytes);
    fixture->memory.tables = dirty_memory(16, layout.tables_bytes);
    fixture->memory.tables_base = paddr((uint64_t)(uintptr_t)fixture->memory.tables);
    fixture->memory.private = dirty_memory(8, layout.private_bytes);
    fixture->queue.config = *config;
    fixture->random = 0x9e3779b97f4a7c15ull ^ config->size;
    queue_start_anew(fixture);
}

void queue_tear_down(struct queue_fixture *fixture)
{
    free(fixture->memory.ring);
    free(fixture->memory.tables);
    free(fixture->memory.private);
}

void queue_for_each_config(void (*test)(const struct virtqueue_config *config))
{
    static const uint16_t sizes[] = {4, 8, 256, 1024, 1, 3, 7, 100};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 8; i++) {
        struct virtqueue_config config = {
            .format = i & 1 ? VIRTQUEUE_PACKED : VIRTQUEUE_SPLIT,
            .size = sizes[i / 8],
            .has_event_index = i & 2,
            .nr_tables = i & 4 ? (uint16_t)(sizes[i / 8] / 2 + 1) : 0,
            .table_length = i & 4 ? (sizes[i / 8] < 16 ? sizes[i / 8] : 16) : 0,
        };
        struct virtqueue_layout layout;

        if (virtqueue_plan(&config, &layout) == 0)
            test(&config);
        else if (config.format == VIRTQUEUE_PACKED || (config.size & (config.size - 1)) == 0)
            abort();
    }
}
