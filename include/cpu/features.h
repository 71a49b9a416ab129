/* What this CPU is and can do, from CPUID (SDM 2A, CPUID; AMD APM 3, appendix E). The boot CPU is asked;
 * the others are compared with it when they start. */
#pragma once

#include <base/types.h>

/* The register words of CPUID that features are read from. */
enum cpu_feature_word {
    CPU_WORD_1_EDX,
    CPU_WORD_1_ECX,
    CPU_WORD_7_EBX,
    CPU_WORD_7_ECX,
    CPU_WORD_7_EDX,
    CPU_WORD_81_EDX, /* leaf 0x80000001 */
    CPU_WORD_81_ECX,
    CPU_WORD_87_EDX, /* leaf 0x80000007 */
    CPU_NR_WORDS,
};

#define CPU_FEATURE_(word, bit) ((word) << 5 | (bit))

enum cpu_feature {
    CPU_PSE = CPU_FEATURE_(CPU_WORD_1_EDX, 3),
    CPU_TSC = CPU_FEATURE_(CPU_WORD_1_EDX, 4),
    CPU_MSR = CPU_FEATURE_(CPU_WORD_1_EDX, 5),
    CPU_MCE = CPU_FEATURE_(CPU_WORD_1_EDX, 7),
    CPU_APIC = CPU_FEATURE_(CPU_WORD_1_EDX, 9),
    CPU_MTRR = CPU_FEATURE_(CPU_WORD_1_EDX, 12),
    CPU_PGE = CPU_FEATURE_(CPU_WORD_1_EDX, 13),
    CPU_MCA = CPU_FEATURE_(CPU_WORD_1_EDX, 14),
    CPU_PAT = CPU_FEATURE_(CPU_WORD_1_EDX, 16),
    CPU_CLFLUSH = CPU_FEATURE_(CPU_WORD_1_EDX, 19),
    CPU_FXSR = CPU_FEATURE_(CPU_WORD_1_EDX, 24),
    CPU_SSE2 = CPU_FEATURE_(CPU_WORD_1_EDX, 26),
    CPU_SSE3 = CPU_FEATURE_(CPU_WORD_1_ECX, 0),
    CPU_MONITOR = CPU_FEATURE_(CPU_WORD_1_ECX, 3),
    CPU_SSSE3 = CPU_FEATURE_(CPU_WORD_1_ECX, 9),
    CPU_CX16 = CPU_FEATURE_(CPU_WORD_1_ECX, 13),
    CPU_PCID = CPU_FEATURE_(CPU_WORD_1_ECX, 17),
    CPU_SSE4_1 = CPU_FEATURE_(CPU_WORD_1_ECX, 19),
    CPU_SSE4_2 = CPU_FEATURE_(CPU_WORD_1_ECX, 20),
    CPU_X2APIC = CPU_FEATURE_(CPU_WORD_1_ECX, 21),
    CPU_POPCNT = CPU_FEATURE_(CPU_WORD_1_ECX, 23),
    CPU_TSC_DEADLINE = CPU_FEATURE_(CPU_WORD_1_ECX, 24),
    CPU_AES = CPU_FEATURE_(CPU_WORD_1_ECX, 25),
    CPU_XSAVE = CPU_FEATURE_(CPU_WORD_1_ECX, 26),
    CPU_AVX = CPU_FEATURE_(CPU_WORD_1_ECX, 28),
    CPU_RDRAND = CPU_FEATURE_(CPU_WORD_1_ECX, 30),
    CPU_HYPERVISOR = CPU_FEATURE_(CPU_WORD_1_ECX, 31),
    CPU_FSGSBASE = CPU_FEATURE_(CPU_WORD_7_EBX, 0),
    CPU_AVX2 = CPU_FEATURE_(CPU_WORD_7_EBX, 5),
    CPU_SMEP = CPU_FEATURE_(CPU_WORD_7_EBX, 7),
    CPU_ERMS = CPU_FEATURE_(CPU_WORD_7_EBX, 9),
    CPU_INVPCID = CPU_FEATURE_(CPU_WORD_7_EBX, 10),
    CPU_RDSEED = CPU_FEATURE_(CPU_WORD_7_EBX, 18),
    CPU_SMAP = CPU_FEATURE_(CPU_WORD_7_EBX, 20),
    CPU_UMIP = CPU_FEATURE_(CPU_WORD_7_ECX, 2),
    CPU_PKU = CPU_FEATURE_(CPU_WORD_7_ECX, 3),
    CPU_LA57 = CPU_FEATURE_(CPU_WORD_7_ECX, 16),
    CPU_SYSCALL = CPU_FEATURE_(CPU_WORD_81_EDX, 11),
    CPU_NX = CPU_FEATURE_(CPU_WORD_81_EDX, 20),
    CPU_PDPE1GB = CPU_FEATURE_(CPU_WORD_81_EDX, 26),
    CPU_RDTSCP = CPU_FEATURE_(CPU_WORD_81_EDX, 27),
    CPU_LONG_MODE = CPU_FEATURE_(CPU_WORD_81_EDX, 29),
    CPU_INVARIANT_TSC = CPU_FEATURE_(CPU_WORD_87_EDX, 8),
};

struct cpu_identity {
    char vendor[13]; /* "GenuineIntel" */
    char brand[49];  /* empty where the CPU has none */
    unsigned family, model, stepping;
    uint32_t max_leaf, max_extended_leaf;
    unsigned physical_bits, virtual_bits; /* of addresses */
    uint32_t words[CPU_NR_WORDS];
};

/* Asks the CPU. Context: init, once, before any call below. */
void cpu_features_detect(void);

/* What CPUID says in the words that features are read from. Context: any. */
void cpu_features_read(uint32_t words[CPU_NR_WORDS]);

/* Features this kernel has a name for that are in `words` and not in `others`: one at a time, from *cursor (0 at first)
 * on. False when there is no more. Pure. */
bool cpu_features_extra(const uint32_t words[CPU_NR_WORDS], const uint32_t others[CPU_NR_WORDS], unsigned *cursor,
                        enum cpu_feature *feature);

/* The kernel, or a program on it, may use it on any CPU once the boot CPU has it: a CPU without cannot take part. Pure.
 */
bool cpu_feature_is_needed(enum cpu_feature feature);

/* Context: any, after cpu_features_detect. */
bool cpu_has(enum cpu_feature feature);
const struct cpu_identity *cpu_identity(void);

/* The n-th feature this kernel has a name for, as the field writes it ("nx", "rdrand"); NULL past the last. */
const char *cpu_feature_name(unsigned n, enum cpu_feature *feature);
/* The name of this one. */
const char *cpu_feature_word(enum cpu_feature feature);
