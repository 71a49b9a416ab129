#include "support/unit.h"

#include <base/errno.h>
#include <debug/instruction.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes as objdump shows them, the length it gives, and the memory operands. */
static const struct {
    uint8_t code[16];
    unsigned length;
    const char *operands; /* "rax+rcx*8+16 ..." built by format */
} samples[] = {
    {{0x90}, 1, ""},                                                  /* nop */
    {{0xc3}, 1, "rsp+0"},                                             /* ret */
    {{0x8b, 0x00}, 2, "rax+0"},                                       /* mov (%rax),%eax */
    {{0x48, 0x8b, 0x44, 0xc8, 0x10}, 5, "rax+rcx*8+16"},              /* mov 0x10(%rax,%rcx,8),%rax */
    {{0x4b, 0x8b, 0x04, 0xfe}, 4, "r14+r15*8+0"},                     /* mov (%r14,%r15,8),%rax */
    {{0x48, 0x8b, 0x04, 0x25, 8, 0, 0, 0}, 8, "none+8"},              /* mov 0x8,%rax */
    {{0x65, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0}, 9, "gs:none+40"}, /* mov %gs:0x28,%rax */
    {{0x48, 0x8b, 0x05, 0xf0, 0xff, 0xff, 0xff}, 7, "rip-16"},        /* mov -0x10(%rip),%rax */
    {{0xc7, 0x80, 0, 1, 0, 0, 1, 2, 3, 4}, 10, "rax+256"},            /* movl $0x4030201,0x100(%rax) */
    {{0x66, 0xc7, 0x00, 1, 2}, 5, "rax+0"},                           /* movw $0x201,(%rax) */
    {{0x48, 0xc7, 0x00, 1, 2, 3, 4}, 7, "rax+0"},                     /* movq $0x4030201,(%rax) */
    {{0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}, 10, ""},                   /* movabs $...,%rax */
    {{0x66, 0xb8, 1, 2}, 4, ""},                                      /* mov $0x201,%ax */
    {{0xa1, 8, 0, 0, 0, 0, 0, 0, 0}, 9, "none+8"},                    /* movabs 0x8,%eax */
    {{0x48, 0x8d, 0x04, 0x8f}, 4, ""},                                /* lea: names an address only */
    {{0xe8, 0, 0, 0, 0}, 5, "rsp-8"},                                 /* call */
    {{0xff, 0x10}, 2, "rax+0 rsp-8"},                                 /* call *(%rax) */
    {{0xff, 0xd0}, 2, "rsp-8"},                                       /* call *%rax */
    {{0x41, 0x55}, 2, "rsp-8"},                                       /* push %r13 */
    {{0xf3, 0x48, 0xa5}, 3, "rsi+0 rdi+0"},                           /* rep movsq */
    {{0xf3, 0xaa}, 2, "rdi+0"},                                       /* rep stosb */
    {{0xf7, 0x00, 1, 2, 3, 4}, 6, "rax+0"},                           /* testl $0x4030201,(%rax) */
    {{0xf7, 0x38}, 2, "rax+0"},                                       /* idivl (%rax) */
    {{0xf6, 0x00, 1}, 3, "rax+0"},                                    /* testb $1,(%rax) */
    {{0xf0, 0x48, 0x0f, 0xb1, 0x0a}, 5, "rdx+0"},                     /* lock cmpxchg %rcx,(%rdx) */
    {{0x0f, 0xb6, 0x45, 0xff}, 4, "rbp-1"},                           /* movzbl -0x1(%rbp),%eax */
    {{0x0f, 0x84, 0, 0, 0, 0}, 6, ""},                                /* je */
    {{0x0f, 0xba, 0x28, 3}, 4, "rax+0"},                              /* btsl $3,(%rax) */
    {{0x0f, 0x20, 0xd0}, 3, ""},                                      /* mov %cr2,%rax */
    {{0x0f, 0x0b}, 2, ""},                                            /* ud2 */
    {{0x66, 0x0f, 0x3a, 0x0f, 0x00, 8}, 6, "rax+0"},                  /* palignr $8,(%rax),%xmm0 */
    {{0x0f, 0x38, 0xf0, 0x00}, 4, "rax+0"},                           /* movbe (%rax),%eax */
    {{0xc5, 0xf8, 0x77}, 3, ""},                                      /* vzeroupper */
    {{0xc4, 0xe2, 0xf8, 0xf7, 0x00}, 5, "rax+0"},                     /* bextr %rax,(%rax),%rax */
    {{0xc8, 1, 2, 3}, 4, ""},                                         /* enter */
    {{0xc2, 1, 2}, 3, "rsp+0"},                                       /* ret $0x201 */
    {{0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}, 9, ""},                 /* nopw 0x0(%rax,%rax,1) */
};

static void format_operands(const struct instruction *instruction, char *text)
{
    *text = '\0';
    for (unsigned i = 0; i < instruction->nr_operands; i++) {
        const struct memory_operand *operand = &instruction->operands[i];

        text += sprintf(text, "%s%s%s", i ? " " : "",
                        operand->segment == SEGMENT_GS   ? "gs:"
                        : operand->segment == SEGMENT_FS ? "fs:"
                                                         : "",
                        instruction_register_name(operand->base));
        if (operand->index != REGISTER_NONE)
            text += sprintf(text, "+%s*%u", instruction_register_name(operand->index), operand->scale);
        text += sprintf(text, "%+ld", (long)operand->displacement);
    }
}

static void test_samples(void **state)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct instruction instruction;
        char text[64];

        assert_int_equal(instruction_decode(samples[i].code, 16, &instruction), 0);
        format_operands(&instruction, text);
        if (instruction.length != samples[i].length || strcmp(text, samples[i].operands) != 0)
            fail_msg("sample %zu: length %u '%s', expected %u '%s'", i, instruction.length, text, samples[i].length,
                     samples[i].operands);
    }
}

/* One byte less than it has is not an instruction, and nothing behind the end is read. */
static void test_cut(void **state)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        for (unsigned length = 0; length < samples[i].length; length++) {
            uint8_t *copy = malloc(length ? length : 1); /* AddressSanitizer watches its end */
            struct instruction instruction;

            memcpy(copy, samples[i].code, length);
            assert_int_equal(instruction_decode(copy, length, &instruction), -EINVAL);
            free(copy);
        }
}

static void test_refused(void **state)
{
    static const uint8_t too_many_prefixes[16] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                                  0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90};
    static const uint8_t push_es[] = {0x06}, evex[] = {0x62, 0xf1, 0x7c, 0x48}, rex_rex[] = {0x48, 0x48, 0x90};
    struct instruction instruction;

    assert_int_equal(instruction_decode(too_many_prefixes, 16, &instruction), -EINVAL);
    assert_int_equal(instruction_decode(push_es, 1, &instruction), -EINVAL);
    assert_int_equal(instruction_decode(evex, 4, &instruction), -ENOTSUP);
    assert_int_equal(instruction_decode(rex_rex, 3, &instruction), -EINVAL);
}

/* Whatever the bytes: no crash, no length beyond what there is. */
static void test_random_bytes(void **state)
{
    uint64_t seed = 1;

    for (int round = 0; round < 200000; round++) {
        struct instruction instruction;
        uint8_t code[16];

        for (int i = 0; i < 16; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            code[i] = (uint8_t)(seed >> 56);
        }
        if (instruction_decode(code, 16, &instruction) == 0) {
            assert_in_range(instruction.length, 1, INSTRUCTION_LENGTH_MAX);
            assert_in_range(instruction.nr_operands, 0, 2);
        }
    }
}

static void test_operand_address(void **state)
{
    static const uint8_t indexed[] = {0x48, 0x8b, 0x44, 0xc8, 0x10},
                         relative[] = {0x48, 0x8b, 0x05, 0xf0, 0xff, 0xff, 0xff};
    static const uint8_t per_cpu[] = {0x65, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0};
    struct trap_frame frame = {.rax = 0x1000, .rcx = 3, .rip = 0x5000};
    struct instruction instruction;

    assert_int_equal(instruction_decode(indexed, sizeof(indexed), &instruction), 0);
    assert_int_equal(instruction_operand_address(&instruction, &instruction.operands[0], &frame, 0, 0), 0x1028);
    assert_int_equal(instruction_decode(relative, sizeof(relative), &instruction), 0);
    assert_int_equal(instruction_operand_address(&instruction, &instruction.operands[0], &frame, 0, 0),
                     0x5000 + 7 - 16);
    assert_int_equal(instruction_decode(per_cpu, sizeof(per_cpu), &instruction), 0);
    assert_int_equal(instruction_operand_address(&instruction, &instruction.operands[0], &frame, 1, 0x10000), 0x10028);
}

static void test_canonical(void **state)
{
    assert_true(address_is_canonical(0x00007fffffffffff, false));
    assert_false(address_is_canonical(0x0000800000000000, false));
    assert_true(address_is_canonical(0xffff800000000000, false));
    assert_false(address_is_canonical(0xffff7fffffffffff, false));
    assert_true(address_is_canonical(0x0000800000000000, true));
    assert_false(address_is_canonical(0x0100000000000000, true));
    assert_false(address_is_canonical(0xdeadf1eedeadf1ee, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),         cmocka_unit_test(test_cut),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_operand_address), cmocka_unit_test(test_canonical),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
