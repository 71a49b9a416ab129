/* A hostile device for the virtqueue fuzzers: the input says what it and the driver do. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <virtio/virtqueue.h>

/* Plays the input: two bytes of configuration, then steps of four bytes: what, and three bytes for it. */
int fuzz_virtqueue(enum virtqueue_format format, const uint8_t *data, size_t size);
