/* Undefined behaviour on purpose, one kind a function. The arguments keep the compiler from seeing it coming. */
#pragma once

int provoke_add(int a, int b);
int provoke_sub(int a, int b);
long provoke_mul(long a, long b);
int provoke_negate(int a);
int provoke_divide(int a, int b);
int provoke_shift(int a, int count);
unsigned provoke_unsigned_shift(unsigned a, int count);
int provoke_bounds(int index);
int provoke_trailing_bounds(int index);
struct trailing;
int *provoke_null_member(struct trailing *pointer);
void provoke_misaligned_store(char *bytes);
int provoke_bool(const unsigned char *byte);
int provoke_length(int length);
int provoke_ctz(unsigned value);
int provoke_nonnull(const char *text);
char *provoke_pointer_overflow(char *base, unsigned long offset);
void *provoke_null_return(void *pointer);
__int128 provoke_wide_add(__int128 a, __int128 b);
void provoke_unreachable(int is_reached);
