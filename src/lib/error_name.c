#include <base/compiler.h>
#include <base/errno.h>
#include <base/types.h>
#include <lib/error_name.h>

static const struct {
    int error;
    const char *name;
    const char *text;
} errors[] = {
    {EPERM, "EPERM", "operation not permitted"}, {ENOENT, "ENOENT", "not found"},
    {EIO, "EIO", "input/output error"},          {E2BIG, "E2BIG", "too many words"},
    {EAGAIN, "EAGAIN", "not available yet"},     {ENOMEM, "ENOMEM", "out of memory"},
    {EFAULT, "EFAULT", "bad address"},           {EBUSY, "EBUSY", "in use"},
    {EEXIST, "EEXIST", "exists already"},        {ENODEV, "ENODEV", "no such device"},
    {EINVAL, "EINVAL", "invalid argument"},      {ENOSPC, "ENOSPC", "no space left"},
    {ERANGE, "ERANGE", "number out of range"},   {ENAMETOOLONG, "ENAMETOOLONG", "name too long"},
    {ENOSYS, "ENOSYS", "not implemented"},       {EBADMSG, "EBADMSG", "malformed data"},
    {EOVERFLOW, "EOVERFLOW", "value too large"}, {ENOTSUP, "ENOTSUP", "not supported"},
    {ETIMEDOUT, "ETIMEDOUT", "timed out"},       {EROFS, "EROFS", "read-only"},
};

static size_t find(int error)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(errors) && errors[i].error != error && errors[i].error != -error)
        i++;
    return i;
}

const char *error_name(int error)
{
    size_t i = find(error);

    return i < ARRAY_SIZE(errors) ? errors[i].name : "E?";
}

const char *error_text(int error)
{
    size_t i = find(error);

    return i < ARRAY_SIZE(errors) ? errors[i].text : "unknown error";
}
