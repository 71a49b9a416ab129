/* Device types, features and status bits by the names virtio 1.2 gives them. */
#pragma once

#include <base/types.h>

/* NULL for one that is not known here. */
const char *virtio_type_name(uint16_t id);
const char *virtio_feature_name(uint16_t id, unsigned bit);
const char *virtio_status_name(unsigned bit);
