/* The driver of virtio block devices (virtio 1.2 5.2). docs/block.md says what it can do. */
#pragma once

/* Registers it: the devices found become block devices "vda" and on. Their partitions are read, so interrupts have to
 * be on. Context: init, once; thread. */
void virtio_blk_init(void);
