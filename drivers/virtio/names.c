#include "names.h"

#include <base/assert.h>
#include <hw/virtio.h>

static const char *const types[] = {
    [1] = "network",   [2] = "block",  [3] = "console", [4] = "entropy", [5] = "balloon",
    [8] = "SCSI host", [9] = "9P",     [16] = "GPU",    [18] = "input",  [19] = "socket",
    [20] = "crypto",   [23] = "IOMMU", [24] = "memory", [25] = "sound",  [26] = "file system",
    [27] = "PMEM",     [28] = "RPMB",  [34] = "SCMI",   [36] = "I2C",    [41] = "GPIO",
};

/* Of every type: chapter 6, and what only the legacy interface has. */
static const char *const common_features[] = {
    [24] = "NOTIFY_ON_EMPTY",   [27] = "ANY_LAYOUT",     [28] = "INDIRECT_DESC",   [29] = "EVENT_IDX",
    [30] = "BAD_FEATURE",       [32] = "VERSION_1",      [33] = "ACCESS_PLATFORM", [34] = "RING_PACKED",
    [35] = "IN_ORDER",          [36] = "ORDER_PLATFORM", [37] = "SR_IOV",          [38] = "NOTIFICATION_DATA",
    [39] = "NOTIF_CONFIG_DATA", [40] = "RING_RESET",
};

/* 5.2.3 */
static const char *const block_features[] = {
    [0] = "BARRIER",  [1] = "SIZE_MAX", [2] = "SEG_MAX",       [4] = "GEOMETRY",  [5] = "RO",
    [6] = "BLK_SIZE", [7] = "SCSI",     [9] = "FLUSH",         [10] = "TOPOLOGY", [11] = "CONFIG_WCE",
    [12] = "MQ",      [13] = "DISCARD", [14] = "WRITE_ZEROES", [15] = "LIFETIME", [16] = "SECURE_ERASE",
};

/* 2.1 */
static const char *const status_bits[] = {"ACKNOWLEDGE", "DRIVER", "DRIVER_OK",   "FEATURES_OK",
                                          NULL,          NULL,     "NEEDS_RESET", "FAILED"};

const char *virtio_type_name(uint16_t id)
{
    return id < ARRAY_SIZE(types) ? types[id] : NULL;
}

const char *virtio_feature_name(uint16_t id, unsigned bit)
{
    if (id == VIRTIO_ID_BLOCK && bit < ARRAY_SIZE(block_features))
        return block_features[bit];
    return bit < ARRAY_SIZE(common_features) ? common_features[bit] : NULL;
}

const char *virtio_status_name(unsigned bit)
{
    return bit < ARRAY_SIZE(status_bits) ? status_bits[bit] : NULL;
}
