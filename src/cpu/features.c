/* CPUID, read once. */
#include <cpu/features.h>

#include <base/compiler.h>
#include <cpu/registers.h>
#include <lib/string.h>

static READ_ONLY_AFTER_INIT struct cpu_identity identity;

static const struct {
    const char *name;
    enum cpu_feature feature;
} feature_names[] = {
    {"pse", CPU_PSE},
    {"tsc", CPU_TSC},
    {"msr", CPU_MSR},
    {"mce", CPU_MCE},
    {"apic", CPU_APIC},
    {"mtrr", CPU_MTRR},
    {"pge", CPU_PGE},
    {"mca", CPU_MCA},
    {"pat", CPU_PAT},
    {"clflush", CPU_CLFLUSH},
    {"fxsr", CPU_FXSR},
    {"sse2", CPU_SSE2},
    {"sse3", CPU_SSE3},
    {"monitor", CPU_MONITOR},
    {"ssse3", CPU_SSSE3},
    {"cx16", CPU_CX16},
    {"pcid", CPU_PCID},
    {"sse4_1", CPU_SSE4_1},
    {"sse4_2", CPU_SSE4_2},
    {"x2apic", CPU_X2APIC},
    {"popcnt", CPU_POPCNT},
    {"tsc_deadline", CPU_TSC_DEADLINE},
    {"aes", CPU_AES},
    {"xsave", CPU_XSAVE},
    {"avx", CPU_AVX},
    {"rdrand", CPU_RDRAND},
    {"hypervisor", CPU_HYPERVISOR},
    {"fsgsbase", CPU_FSGSBASE},
    {"avx2", CPU_AVX2},
    {"smep", CPU_SMEP},
    {"erms", CPU_ERMS},
    {"invpcid", CPU_INVPCID},
    {"rdseed", CPU_RDSEED},
    {"smap", CPU_SMAP},
    {"umip", CPU_UMIP},
    {"pku", CPU_PKU},
    {"la57", CPU_LA57},
    {"syscall", CPU_SYSCALL},
    {"nx", CPU_NX},
    {"pdpe1gb", CPU_PDPE1GB},
    {"rdtscp", CPU_RDTSCP},
    {"lm", CPU_LONG_MODE},
    {"invariant_tsc", CPU_INVARIANT_TSC},
};

INIT static void read_vendor(void)
{
    struct cpuid_result leaf = cpuid(0, 0);

    identity.max_leaf = leaf.eax;
    memcpy(identity.vendor, &leaf.ebx, 4);
    memcpy(identity.vendor + 4, &leaf.edx, 4);
    memcpy(identity.vendor + 8, &leaf.ecx, 4);
    identity.max_extended_leaf = cpuid(0x80000000, 0).eax;
    if (identity.max_extended_leaf < 0x80000000)
        identity.max_extended_leaf = 0;
}

INIT static void read_brand(void)
{
    if (identity.max_extended_leaf < 0x80000004)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid_result part = cpuid(0x80000002 + i, 0);
        memcpy(identity.brand + 16 * i, &part, 16);
    }
}

/* SDM 2A, CPUID leaf 1: the extended fields count only for families 6 and 15. */
INIT static void read_version(void)
{
    uint32_t eax = cpuid(1, 0).eax;
    unsigned family = eax >> 8 & 15, model = eax >> 4 & 15;

    if (family == 6 || family == 15)
        model |= (eax >> 16 & 15) << 4;
    if (family == 15)
        family += eax >> 20 & 255;
    identity.family = family;
    identity.model = model;
    identity.stepping = eax & 15;
}

void cpu_features_read(uint32_t words[CPU_NR_WORDS])
{
    uint32_t max_leaf = cpuid(0, 0).eax, max_extended_leaf = cpuid(0x80000000, 0).eax;
    struct cpuid_result leaf = cpuid(1, 0);

    memset(words, 0, CPU_NR_WORDS * sizeof(*words));
    words[CPU_WORD_1_EDX] = leaf.edx;
    words[CPU_WORD_1_ECX] = leaf.ecx;
    if (max_leaf >= 7) {
        leaf = cpuid(7, 0);
        words[CPU_WORD_7_EBX] = leaf.ebx;
        words[CPU_WORD_7_ECX] = leaf.ecx;
        words[CPU_WORD_7_EDX] = leaf.edx;
    }
    if (max_extended_leaf < 0x80000001) /* also where there are none */
        return;
    leaf = cpuid(0x80000001, 0);
    words[CPU_WORD_81_EDX] = leaf.edx;
    words[CPU_WORD_81_ECX] = leaf.ecx;
    if (max_extended_leaf >= 0x80000007)
        words[CPU_WORD_87_EDX] = cpuid(0x80000007, 0).edx;
}

bool cpu_features_extra(const uint32_t words[CPU_NR_WORDS], const uint32_t others[CPU_NR_WORDS], unsigned *cursor,
                        enum cpu_feature *feature)
{
    while (*cursor < ARRAY_SIZE(feature_names)) {
        *feature = feature_names[(*cursor)++].feature;
        if ((words[*feature >> 5] & ~others[*feature >> 5]) >> (*feature & 31) & 1)
            return true;
    }
    return false;
}

/* Not among them: what says something of the machine, and what neither the kernel nor a program can use yet. */
bool cpu_feature_is_needed(enum cpu_feature feature)
{
    switch (feature) {
    case CPU_HYPERVISOR:
    case CPU_INVARIANT_TSC:
    case CPU_MONITOR:
    case CPU_PCID:
    case CPU_INVPCID:
    case CPU_PKU:
    case CPU_LA57:
        return false;
    default:
        return true;
    }
}

INIT static void read_address_bits(void)
{
    identity.physical_bits = 36; /* SDM 3A 4.1.4: without the leaf, 36 with PAE */
    identity.virtual_bits = 48;
    if (identity.max_extended_leaf >= 0x80000008) {
        uint32_t eax = cpuid(0x80000008, 0).eax;
        identity.physical_bits = eax & 255;
        identity.virtual_bits = eax >> 8 & 255;
    }
}

INIT void cpu_features_detect(void)
{
    read_vendor();
    read_brand();
    read_version();
    cpu_features_read(identity.words);
    read_address_bits();
}

bool cpu_has(enum cpu_feature feature)
{
    return identity.words[feature >> 5] >> (feature & 31) & 1;
}

const struct cpu_identity *cpu_identity(void)
{
    return &identity;
}

const char *cpu_feature_name(unsigned n, enum cpu_feature *feature)
{
    if (n >= ARRAY_SIZE(feature_names))
        return NULL;
    *feature = feature_names[n].feature;
    return feature_names[n].name;
}

const char *cpu_feature_word(enum cpu_feature feature)
{
    for (unsigned n = 0; n < ARRAY_SIZE(feature_names); n++)
        if (feature_names[n].feature == feature)
            return feature_names[n].name;
    return "?";
}
