/* Package, core and thread out of the APIC id: how many of its bits are whose comes from CPUID leaf 0x1f or 0xb (SDM 3A
 * 9.9.2), else from leaves 1 and 4, or AMD's 0x80000008 and 0x8000001e (APM 3, appendix E). */
#include "topology.h"

#include <cpu/features.h>
#include <cpu/registers.h>

#include "internal.h"

#define LEAF_TOPOLOGY    0xbu
#define LEAF_TOPOLOGY_V2 0x1fu
#define LEVELS_MAX       8u
#define DOMAIN_SMT       1u /* SDM 2A, CPUID leaf 0xb, ECX bits 8 to 15 */
#define HTT              (1u << 28)

#define LEAF_CACHES       4u
#define CACHE_TYPE        0x1fu /* of its EAX; 0: there is none, the leaf says nothing */
#define LEAF_EXTENDED     0x80000000u
#define LEAF_AMD_FEATURES 0x80000001u
#define LEAF_AMD_SIZES    0x80000008u /* ECX: NC in bits 0 to 7, ApicIdSize in 12 to 15 */
#define LEAF_AMD_TOPOLOGY 0x8000001eu /* EBX: threads of a core less one in bits 8 to 15 */
#define AMD_TOPOLOGY      (1u << 22)  /* TopologyExtensions */

static unsigned bits_for(uint32_t count)
{
    return count <= 1 ? 0 : 32u - (unsigned)__builtin_clz(count - 1);
}

/* Levels go from the innermost outwards; the last one's shift leaves the package. */
bool topology_shifts_of_levels(const struct cpuid_result *levels, unsigned nr_levels, struct topology_shifts *shifts)
{
    *shifts = (struct topology_shifts){0};
    for (unsigned i = 0; i < nr_levels; i++) {
        unsigned type = levels[i].ecx >> 8 & 0xff, shift = levels[i].eax & 0x1f;

        if (type == 0 || levels[i].ebx == 0)
            return i > 0;
        if (type == DOMAIN_SMT)
            shifts->core = shift;
        shifts->package = shift;
    }
    return nr_levels > 0;
}

struct topology_shifts topology_shifts_of_counts(uint32_t threads_of_package, uint32_t cores_of_package)
{
    unsigned package = bits_for(threads_of_package), cores = bits_for(cores_of_package);

    return (struct topology_shifts){.core = package > cores ? package - cores : 0, .package = package};
}

/* ApicIdSize may be 0 on the oldest: as many bits as the ids need then. */
struct topology_shifts topology_shifts_of_amd(uint32_t ecx, uint32_t threads_of_core)
{
    unsigned size = ecx >> 12 & 0xf, package = size > 0 ? size : bits_for((ecx & 0xff) + 1);
    unsigned core = bits_for(threads_of_core);

    return (struct topology_shifts){.core = core < package ? core : package, .package = package};
}

struct cpu_place topology_place(uint32_t apic_id, struct topology_shifts shifts)
{
    return (struct cpu_place){
        .package = apic_id >> shifts.package,
        .core = (apic_id & ((1u << shifts.package) - 1)) >> shifts.core,
        .thread = apic_id & ((1u << shifts.core) - 1),
    };
}

static bool read_levels(uint32_t leaf, struct topology_shifts *shifts)
{
    struct cpuid_result levels[LEVELS_MAX];

    for (uint32_t i = 0; i < LEVELS_MAX; i++)
        levels[i] = cpuid(leaf, i);
    return topology_shifts_of_levels(levels, LEVELS_MAX, shifts);
}

static uint32_t amd_threads_of_core(uint32_t max_extended)
{
    if (max_extended < LEAF_AMD_TOPOLOGY || !(cpuid(LEAF_AMD_FEATURES, 0).ecx & AMD_TOPOLOGY))
        return 1;
    return (cpuid(LEAF_AMD_TOPOLOGY, 0).ebx >> 8 & 0xff) + 1;
}

static struct topology_shifts read_counts(uint32_t max_leaf)
{
    struct cpuid_result one = cpuid(1, 0);
    uint32_t threads = one.edx & HTT ? one.ebx >> 16 & 0xff : 1, cores = 1;
    uint32_t caches = max_leaf >= LEAF_CACHES ? cpuid(LEAF_CACHES, 0).eax : 0;
    uint32_t max_extended = cpuid(LEAF_EXTENDED, 0).eax;

    if (caches & CACHE_TYPE)
        cores = (caches >> 26) + 1;
    else if (threads > 1 && max_extended >= LEAF_AMD_SIZES)
        return topology_shifts_of_amd(cpuid(LEAF_AMD_SIZES, 0).ecx, amd_threads_of_core(max_extended));
    return topology_shifts_of_counts(threads, cores);
}

struct cpu_place topology_read(uint32_t apic_id)
{
    uint32_t max_leaf = cpuid(0, 0).eax;
    struct topology_shifts shifts;

    if (max_leaf >= LEAF_TOPOLOGY_V2 && read_levels(LEAF_TOPOLOGY_V2, &shifts))
        return topology_place(apic_id, shifts);
    if (max_leaf >= LEAF_TOPOLOGY && read_levels(LEAF_TOPOLOGY, &shifts))
        return topology_place(apic_id, shifts);
    return topology_place(apic_id, read_counts(max_leaf));
}
