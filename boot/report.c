#include <boot/report.h>
#include <lib/format.h>

static INIT_DATA void (*report_write)(enum boot_report_level level, const char *text);
static INIT_DATA unsigned nr_notes;

INIT void boot_report_connect(void (*write)(enum boot_report_level level, const char *text))
{
    report_write = write;
    nr_notes = 0;
}

static INIT __attribute__((format(printf, 2, 0))) void report(enum boot_report_level level, const char *format,
                                                              va_list arguments)
{
    char text[BOOT_REPORT_TEXT_MAX];

    if (!report_write)
        return;
    vsnprintf(text, sizeof(text), format, arguments);
    report_write(level, text);
}

INIT void boot_note(const char *format, ...)
{
    va_list arguments;

    if (nr_notes++ >= BOOT_REPORT_NOTES_MAX)
        return;
    va_start(arguments, format);
    report(BOOT_REPORT_NOTE, format, arguments);
    va_end(arguments);
}

INIT int boot_error(int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report(BOOT_REPORT_ERROR, format, arguments);
    va_end(arguments);
    return error;
}

INIT void boot_report_end(void)
{
    unsigned unseen = nr_notes > BOOT_REPORT_NOTES_MAX ? nr_notes - BOOT_REPORT_NOTES_MAX : 0;

    nr_notes = 0;
    if (unseen != 0)
        boot_note("%u more oddities are not shown", unseen);
}
