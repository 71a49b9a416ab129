#include "run_queue.h"

/* Linux's weights, so that nice levels mean here what they mean there. */
static const uint32_t weights[NICE_MAX - NICE_MIN + 1] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, /* -20 to -11 */
    9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,  /* -10 to -1 */
    1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,   /* 0 to 9 */
    110,   87,    70,    56,    45,    36,    29,    23,    18,    15,    /* 10 to 19 */
};

uint32_t nice_weight(int nice)
{
    ASSERT(nice >= NICE_MIN && nice <= NICE_MAX);
    return weights[nice - NICE_MIN];
}
