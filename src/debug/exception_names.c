#include <debug/exception_names.h>

#include <base/compiler.h>
#include <cpu/trap_frame.h>
#include <lib/format.h>

/* SDM 3A table 6-1; 28 to 30 are AMD's (APM 2 table 8-1). */
static const struct {
    const char *mnemonic, *name;
    bool has_error_code;
} exceptions[NR_EXCEPTIONS] = {
    {"#DE", "divide error", false},
    {"#DB", "debug", false},
    {"NMI", "non-maskable interrupt", false},
    {"#BP", "breakpoint", false},
    {"#OF", "overflow", false},
    {"#BR", "bound range exceeded", false},
    {"#UD", "invalid opcode", false},
    {"#NM", "device not available", false},
    {"#DF", "double fault", true},
    {"#9", "coprocessor segment overrun", false},
    {"#TS", "invalid TSS", true},
    {"#NP", "segment not present", true},
    {"#SS", "stack segment fault", true},
    {"#GP", "general protection", true},
    {"#PF", "page fault", true},
    {"#15", "reserved", false},
    {"#MF", "x87 floating point", false},
    {"#AC", "alignment check", true},
    {"#MC", "machine check", false},
    {"#XM", "SIMD floating point", false},
    {"#VE", "virtualization", false},
    {"#CP", "control protection", true},
    {"#22", "reserved", false},
    {"#23", "reserved", false},
    {"#24", "reserved", false},
    {"#25", "reserved", false},
    {"#26", "reserved", false},
    {"#27", "reserved", false},
    {"#HV", "hypervisor injection", false},
    {"#VC", "VMM communication", true},
    {"#SX", "security", true},
    {"#31", "reserved", false},
};

const char *exception_mnemonic(uint64_t vector)
{
    return vector < NR_EXCEPTIONS ? exceptions[vector].mnemonic : "interrupt";
}

const char *exception_name(uint64_t vector)
{
    return vector < NR_EXCEPTIONS ? exceptions[vector].name : "interrupt";
}

bool exception_has_error_code(uint64_t vector)
{
    return vector < NR_EXCEPTIONS && exceptions[vector].has_error_code;
}

/* Puts " name" behind what is there, for each set bit. */
static void format_bits(char *buffer, size_t size, uint64_t value, const char *const names[64])
{
    size_t length = 0;

    buffer[0] = '\0';
    for (unsigned bit = 0; bit < 64 && length < size; bit++) {
        if (!(value >> bit & 1))
            continue;
        if (names[bit])
            length += (size_t)snprintf(buffer + length, size - length, "%s%s", length ? " " : "", names[bit]);
        else
            length += (size_t)snprintf(buffer + length, size - length, "%sbit%u", length ? " " : "", bit);
    }
}

/* SDM 1 figure 3-8. Bit 1 is always set and says nothing. */
void format_rflags(char *buffer, size_t size, uint64_t rflags)
{
    static const char *const names[64] = {
        [0] = "CF",  [2] = "PF",  [4] = "AF",  [6] = "ZF",     [7] = "SF",     [8] = "TF",
        [9] = "IF",  [10] = "DF", [11] = "OF", [12] = "IOPL0", [13] = "IOPL1", [14] = "NT",
        [16] = "RF", [17] = "VM", [18] = "AC", [19] = "VIF",   [20] = "VIP",   [21] = "ID"};

    format_bits(buffer, size, rflags & ~(uint64_t)2, names);
}

/* SDM 3A 2.5. */
void format_cr0(char *buffer, size_t size, uint64_t cr0)
{
    static const char *const names[64] = {[0] = "PE",  [1] = "MP",  [2] = "EM",  [3] = "TS",  [4] = "ET", [5] = "NE",
                                          [16] = "WP", [18] = "AM", [29] = "NW", [30] = "CD", [31] = "PG"};

    format_bits(buffer, size, cr0, names);
}

/* SDM 3A 2.5. */
void format_cr4(char *buffer, size_t size, uint64_t cr4)
{
    static const char *const names[64] = {
        [0] = "VME",   [1] = "PVI",   [2] = "TSD",   [3] = "DE",        [4] = "PSE",         [5] = "PAE",
        [6] = "MCE",   [7] = "PGE",   [8] = "PCE",   [9] = "OSFXSR",    [10] = "OSXMMEXCPT", [11] = "UMIP",
        [12] = "LA57", [13] = "VMXE", [14] = "SMXE", [16] = "FSGSBASE", [17] = "PCIDE",      [18] = "OSXSAVE",
        [20] = "SMEP", [21] = "SMAP", [22] = "PKE",  [23] = "CET"};

    format_bits(buffer, size, cr4, names);
}

/* SDM 3A 2.2.1; 12 to 15 are AMD's (APM 2 3.1.7). */
void format_efer(char *buffer, size_t size, uint64_t efer)
{
    static const char *const names[64] = {[0] = "SCE",   [8] = "LME",    [10] = "LMA",   [11] = "NXE",
                                          [12] = "SVME", [13] = "LMSLE", [14] = "FFXSR", [15] = "TCE"};

    format_bits(buffer, size, efer, names);
}

static const char *page_fault_action(uint64_t code)
{
    return code & PAGE_FAULT_FETCH ? "instruction fetch from" : code & PAGE_FAULT_WRITE ? "write to" : "read of";
}

/* SDM 3A figure 4-12. */
static void format_page_fault(char *buffer, size_t size, uint64_t code)
{
    const char *page = code & PAGE_FAULT_RESERVED_BIT ? "a page table entry with reserved bits set"
                       : code & PAGE_FAULT_PRESENT    ? "a page that does not allow it"
                                                      : "a page that is not present";

    snprintf(buffer, size, "P=%u W=%u U=%u RSVD=%u I=%u PK=%u SS=%u SGX=%u: %s %s, by %s",
             !!(code & PAGE_FAULT_PRESENT), !!(code & PAGE_FAULT_WRITE), !!(code & PAGE_FAULT_USER),
             !!(code & PAGE_FAULT_RESERVED_BIT), !!(code & PAGE_FAULT_FETCH), !!(code & PAGE_FAULT_PROTECTION_KEY),
             !!(code & PAGE_FAULT_SHADOW_STACK), !!(code & PAGE_FAULT_SGX), page_fault_action(code), page,
             code & PAGE_FAULT_USER ? "user code" : "the kernel");
}

/* SDM 3A figure 6-7. */
static void format_selector_error(char *buffer, size_t size, uint64_t code)
{
    unsigned idt = code >> 1 & 1, table = code >> 2 & 1, index = code >> 3 & 0x1fff;

    if (code == 0)
        snprintf(buffer, size, "EXT=0 IDT=0 TI=0 index=0: no selector");
    else
        snprintf(buffer, size, "EXT=%u IDT=%u TI=%u index=%u: %s entry %u%s", (unsigned)code & 1, idt, table, index,
                 idt     ? "IDT"
                 : table ? "LDT"
                         : "GDT",
                 index, code & 1 ? ", for an event from outside" : "");
}

void format_error_code(char *buffer, size_t size, uint64_t vector, uint64_t error_code)
{
    if (!exception_has_error_code(vector))
        snprintf(buffer, size, "none");
    else if (vector == VECTOR_PAGE_FAULT)
        format_page_fault(buffer, size, error_code);
    else if (vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_ALIGNMENT_CHECK)
        snprintf(buffer, size, "always 0");
    else
        format_selector_error(buffer, size, error_code);
}
