/* A split ring against a hostile device. */
#include "virtqueue_device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_virtqueue(VIRTQUEUE_SPLIT, data, size);
}
