/* Any bytes as a definition block. */
#include <string.h>

#include "../../drivers/acpi/aml.h"
#include "../unit/support/plain_heap.h"
#include "support.h"

struct seen {
    const uint8_t *bytes;
    size_t size;
    size_t nr_objects;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool look(const struct aml_object *object, void *context)
{
    struct seen *seen = context;
    uint64_t values[4], value;

    seen->nr_objects++;
    REQUIRE(object->path->depth <= AML_DEPTH_MAX, "a path of %u names", object->path->depth);
    REQUIRE(object->data >= seen->bytes && object->data + object->length_bytes <= seen->bytes + seen->size,
            "an object outside the block");
    (void)aml_path_is(object->path, "_SB_PCI0");
    int taken = aml_read_integer(object->data, object->length_bytes, &value);
    REQUIRE(taken <= (int)object->length_bytes, "a constant longer than its object");
    REQUIRE(aml_read_package(object->data, object->length_bytes, values, 4) <= 4, "more values than asked for");
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {data, size, 0};
    uint8_t a = 0, b = 0;

    REQUIRE(aml_walk(data, (uint32_t)size, look, &seen) >= 0, "out of memory");
    REQUIRE(seen.nr_objects <= size, "more objects than bytes");
    if (aml_find_s5(data, (uint32_t)size, &a, &b) == 0)
        REQUIRE(a <= 7 && b <= 7, "sleep types %u, %u", a, b);
    REQUIRE(plain_heap_in_use() == 0, "memory was lost");
    return 0;
}
