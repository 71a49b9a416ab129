/* Error numbers: the Linux x86-64 values (man 3 errno), returned negated. Success is 0 or a count. */
#pragma once

#define EPERM        1
#define ENOENT       2
#define EIO          5
#define E2BIG        7
#define EAGAIN       11
#define ENOMEM       12
#define EFAULT       14
#define EBUSY        16
#define EEXIST       17
#define ENODEV       19
#define EINVAL       22
#define ENOSPC       28
#define EROFS        30
#define ERANGE       34
#define ENAMETOOLONG 36
#define ENOSYS       38
#define EBADMSG      74
#define EOVERFLOW    75
#define ETIMEDOUT    110
#define ENOTSUP      95
