#include "machine_check_decode.h"

#include <lib/format.h>
#include <lib/string.h>

#define FAMILY_P6           6
#define MODEL_OWN_BANK_CTRL 0x1a

bool machine_check_may_control(const char *vendor, unsigned family, unsigned model, unsigned bank)
{
    bool is_aliased = strcmp(vendor, "GenuineIntel") == 0 && family == FAMILY_P6 && model < MODEL_OWN_BANK_CTRL;

    return bank != 0 || !is_aliased;
}

void machine_check_format_flags(char *buffer, size_t size, uint64_t status)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } flags[] = {
        {MCI_STATUS_VALID, "VAL"},           {MCI_STATUS_OVERFLOW, "OVER"},    {MCI_STATUS_UNCORRECTED, "UC"},
        {MCI_STATUS_ENABLED, "EN"},          {MCI_STATUS_MISC_VALID, "MISCV"}, {MCI_STATUS_ADDRESS_VALID, "ADDRV"},
        {MCI_STATUS_CONTEXT_CORRUPT, "PCC"},
    };
    size_t length = 0;

    buffer[0] = '\0';
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (status & flags[i].bit)
            length += (size_t)snprintf(buffer + length, size - length, "%s%s", length ? " " : "", flags[i].name);
}

/* SDM 3B table 15-10: TT, LL and RRRR of compound codes. */
static const char *const transactions[] = {"instruction", "data", "generic", "unknown"};
static const char *const levels[] = {"level 0", "level 1", "level 2", "generic level"};
static const char *const requests[] = {"generic error",     "generic read", "generic write", "data read", "data write",
                                       "instruction fetch", "prefetch",     "eviction",      "snoop"};
static const char *const memory_operations[] = {"generic", "read",    "write",   "address or command",
                                                "scrub",   "unknown", "unknown", "unknown"};

static const char *request_name(unsigned code)
{
    unsigned request = code >> 4 & 15;

    return request < sizeof(requests) / sizeof(requests[0]) ? requests[request] : "unknown request";
}

static const char *simple_code_name(unsigned code)
{
    static const char *const names[] = {
        "no error",        "unclassified",           "microcode ROM parity", "external", "functional redundancy check",
        "internal parity", "SMM handler code access"};

    return code < sizeof(names) / sizeof(names[0]) ? names[code] : "internal";
}

/* SDM 3B 15.9.2. Bit 12 only says that corrected errors are filtered. */
void machine_check_format_code(char *buffer, size_t size, uint64_t status)
{
    unsigned code = (unsigned)status & 0xefff;
    const char *level = levels[code & 3], *transaction = transactions[code >> 2 & 3];

    if (code & 0x0800)
        snprintf(buffer, size, "bus and interconnect: %s, %s", request_name(code), level);
    else if (code & 0x0100)
        snprintf(buffer, size, "cache hierarchy: %s, %s cache, %s", request_name(code), transaction, level);
    else if (code & 0x0080)
        snprintf(buffer, size, "memory controller: %s, channel %u", memory_operations[code >> 4 & 7], code & 15);
    else if (code & 0x0010)
        snprintf(buffer, size, "TLB: %s, %s", transaction, level);
    else if ((code & 0xfffc) == 0x000c)
        snprintf(buffer, size, "generic cache hierarchy: %s", level);
    else
        snprintf(buffer, size, "%s", simple_code_name(code));
}
