/* The driver of virtio entropy devices (virtio 1.2 5.4). */
#pragma once

/* Registers it. Context: init, once. */
void virtio_rng_init(void);
