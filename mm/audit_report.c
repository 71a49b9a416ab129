/* What audits find, kept until it can be printed. */
#include <lib/format.h>
#include <mm/audit.h>

void audit_violation(struct audit_report *report, const char *format, ...)
{
    unsigned n = report->nr_violations++;
    va_list arguments;

    if (n >= AUDIT_KEPT)
        return;
    va_start(arguments, format);
    vsnprintf(report->text[n], AUDIT_TEXT_SIZE, format, arguments);
    va_end(arguments);
}

void audit_account(struct audit_report *report, enum page_owner owner, uint64_t nr_pages)
{
    report->is_accounted[owner] = true;
    report->nr_accounted[owner] += nr_pages;
}
