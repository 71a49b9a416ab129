/* What the symbol table's unit test looks up: functions whose lines the test knows by the markers in this file. */

int sample_object[4] = {1, 2, 3, 4};
int sample_other_object;

__attribute__((noinline)) int sample_leaf(int n);
__attribute__((noinline)) int sample_loop(int n);
__attribute__((noinline)) int sample_far_away(int n);
void _start(void);

int sample_leaf(int n) /* sample_leaf starts here */
{
    return sample_object[n & 3];
}

static inline int inlined(int n)
{
    return n * 3 + sample_object[1];
}

int sample_loop(int n) /* sample_loop starts here */
{
    int sum = 0;

    for (int i = 0; i < n; i++) {
        sum += sample_leaf(i);
        sum ^= inlined(sum);
        if (sum > 1000)
            sum -= sample_leaf(sum);
    }
    sample_other_object = sum;
    return sum;
}

#line 70000 "generated/far_away.c"
int sample_far_away(int n)
{
    sample_object[0] += n;
    __asm__ volatile("");
    return sample_object[2] - n;
}

void _start(void)
{
    sample_loop(sample_far_away(3));
    for (;;)
        __asm__ volatile("");
}
