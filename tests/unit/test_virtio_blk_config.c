/* What the block driver makes of a device's configuration: everything, nothing and nonsense. */
#include "support/unit.h"

#include <base/errno.h>

#include "../../drivers/virtio/blk.h"

static void test_config(void **state)
{
    struct virtio_blk_config config = {.capacity = 1000,
                                       .size_max = 4096,
                                       .seg_max = 128,
                                       .blk_size = 4096,
                                       .physical_block_exp = 3,
                                       .num_queues = 4,
                                       .max_discard_sectors = 80,
                                       .max_discard_seg = 1,
                                       .max_write_zeroes_sectors = 16,
                                       .max_write_zeroes_seg = 1};
    struct blk_properties p;

    assert_int_equal(blk_parse_config(&config, 0, &p), 0); /* nothing offered: nothing believed */
    assert_int_equal(p.nr_sectors, 1000);
    assert_int_equal(p.limits.logical_block_bytes, 512);
    assert_int_equal(p.limits.physical_block_bytes, 512);
    assert_int_equal(p.limits.max_segments, 1);
    assert_int_equal(p.limits.max_segment_bytes, BLK_SEGMENT_BYTES_MAX);
    assert_int_equal(p.limits.max_discard_sectors + p.limits.max_write_zeroes_sectors, 0);
    assert_int_equal(p.nr_queues, 1);
    assert_false(p.is_read_only || p.is_write_back || p.can_set_write_back || p.limits.has_fua);

    assert_int_equal(blk_parse_config(&config, BLK_FEATURES, &p), 0);
    assert_int_equal(p.nr_sectors, 125);
    assert_int_equal(p.sector_shift, 3);
    assert_int_equal(p.limits.logical_block_bytes, 4096);
    assert_int_equal(p.limits.physical_block_bytes, 32768);
    assert_int_equal(p.limits.max_segments, 128);
    assert_int_equal(p.limits.max_segment_bytes, 4096);
    assert_int_equal(p.limits.max_discard_sectors, 10);
    assert_int_equal(p.limits.max_write_zeroes_sectors, 2);
    assert_int_equal(p.nr_queues, 4);
    assert_true(p.is_read_only && p.can_set_write_back && p.limits.has_fua);
    assert_false(p.is_write_back); /* its field says so */
    assert_int_equal(blk_parse_config(&config, VIRTIO_BLK_F_FLUSH, &p), 0);
    assert_true(p.is_write_back); /* no field */

    config = (struct virtio_blk_config){.blk_size = 512, .physical_block_exp = 200, .capacity = UINT64_MAX};
    assert_int_equal(blk_parse_config(&config, BLK_FEATURES, &p), 0); /* zeroes and nonsense */
    assert_int_equal(p.limits.physical_block_bytes, 512);
    assert_int_equal(p.limits.max_segments, 1);
    assert_int_equal(p.limits.max_segment_bytes, BLK_SEGMENT_BYTES_MAX);
    assert_int_equal(p.nr_queues, 1);
    for (unsigned i = 0; i < 32; i++) {
        config.blk_size = i == 31 ? 0 : (1u << i) + (i == 9 || i == 12);
        assert_int_equal(blk_parse_config(&config, VIRTIO_BLK_F_BLK_SIZE, &p), -ENOTSUP);
    }
}

static void test_config_length(void **state)
{
    assert_int_equal(blk_config_length(0), 8);
    assert_int_equal(blk_config_length(VIRTIO_BLK_F_SEG_MAX), 16);
    assert_int_equal(blk_config_length(VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_RO), 24);
    assert_int_equal(blk_config_length(VIRTIO_BLK_F_CONFIG_WCE), 33);
    assert_int_equal(blk_config_length(VIRTIO_BLK_F_MQ), 36);
    assert_int_equal(blk_config_length(BLK_FEATURES), 57);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_config), cmocka_unit_test(test_config_length)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
