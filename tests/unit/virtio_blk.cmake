# The block driver against a model of its device.
unit_test(virtio_blk SOURCES test_virtio_blk.c support/blk_model.c support/virtio_device.c support/plain_heap.c
          KERNEL drivers/virtio/blk.c drivers/virtio/blk_admin.c drivers/virtio/blk_complete.c drivers/virtio/blk_config.c
                 drivers/virtio/blk_queue.c drivers/virtio/blk_request.c drivers/virtio/blk_submit.c
                 drivers/virtio/blk_watch.c drivers/virtio/blk_work.c drivers/virtio/device.c
                 drivers/virtio/virtqueue.c drivers/virtio/split.c drivers/virtio/packed.c)
unit_test(virtio_blk_config SOURCES test_virtio_blk_config.c KERNEL drivers/virtio/blk_config.c)
