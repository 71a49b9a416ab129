#include "fifo.h"

#include <base/align.h>

void fifo_init(struct fifo_queue *fifo)
{
    fifo->ready[0] = fifo->ready[1] = 0;
    fifo->nr = 0;
    for (unsigned priority = 0; priority < FIFO_PRIORITIES; priority++)
        list_init(&fifo->list[priority]);
}

static void write_ready(struct fifo_queue *fifo, unsigned priority, uint64_t word)
{
    WRITE_ONCE(fifo->ready[priority / 64], word);
}

void fifo_insert(struct fifo_queue *fifo, struct sched_entity *entity, enum fifo_place place)
{
    struct list *list = &fifo->list[entity->priority];

    if (place == FIFO_FRONT)
        list_add_first(list, &entity->link);
    else
        list_add_last(list, &entity->link);
    write_ready(fifo, entity->priority, fifo->ready[entity->priority / 64] | 1ull << entity->priority % 64);
    WRITE_ONCE(fifo->nr, fifo->nr + 1);
}

void fifo_remove(struct fifo_queue *fifo, struct sched_entity *entity)
{
    list_remove(&entity->link);
    if (list_is_empty(&fifo->list[entity->priority]))
        write_ready(fifo, entity->priority, fifo->ready[entity->priority / 64] & ~(1ull << entity->priority % 64));
    WRITE_ONCE(fifo->nr, fifo->nr - 1);
}

unsigned fifo_highest(const struct fifo_queue *fifo)
{
    uint64_t high = READ_ONCE(fifo->ready[1]), low = READ_ONCE(fifo->ready[0]);

    if (high != 0)
        return 64 + log2_floor(high);
    return low != 0 ? log2_floor(low) : 0;
}

struct sched_entity *fifo_take(struct fifo_queue *fifo)
{
    struct list *first = list_first(&fifo->list[fifo_highest(fifo)]);
    struct sched_entity *entity;

    ASSERT(first != NULL);
    entity = CONTAINER_OF(first, struct sched_entity, link);
    fifo_remove(fifo, entity);
    return entity;
}

const char *fifo_check(const struct fifo_queue *fifo)
{
    uint32_t nr = 0;

    for (unsigned priority = 0; priority < FIFO_PRIORITIES; priority++) {
        const struct sched_entity *entity;
        bool is_ready = (fifo->ready[priority / 64] >> priority % 64 & 1) != 0;

        if (is_ready == list_is_empty(&fifo->list[priority]))
            return "a priority's bit differs from its list";
        list_for_each_entry (entity, &fifo->list[priority], link) {
            if (entity->class != SCHED_FIFO || entity->state != ENTITY_QUEUED || entity->priority != priority)
                return "somebody in a FIFO list does not belong there";
            if (++nr > fifo->nr)
                return "more in the FIFO lists than counted";
        }
    }
    return nr == fifo->nr ? NULL : "fewer in the FIFO lists than counted";
}
