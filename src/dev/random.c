/* The random pool: entropy is collected in a hash, numbers come from a ChaCha20 key that is replaced by every use.
 *
 * 1. Input only ever goes through BLAKE2s into the pool: no source can take away what another gave.
 * 2. The key changes at once by 256 credited bits or not at all (catastrophic reseeding): whoever knew the key and sees
 *    output cannot follow by guessing a few bits at a time. What is not credited goes in with what is.
 * 3. Fast key erasure: a request takes one block, of which the first half replaces the key and the second is the key of
 *    that request's output. Earlier output cannot be computed from what is in memory later. */
#include <dev/random.h>

#include <base/errno.h>
#include <cpu/random.h>
#include <lib/blake2s.h>
#include <lib/chacha20.h>
#include <lib/string.h>
#include <sync/spinlock.h>

#define SEED_BITS      256u
#define CPU_VALUES     8u         /* asked for at a time */
#define CPU_VALUE_BITS 32u        /* credited for 64: half, for nobody can look into that generator */
#define FEED_BYTES     (1u << 20) /* of output between two times that the sources and the CPU are asked */
#define OUTPUT_REQUEST (1u << 30) /* bytes of one key: its 32-bit block counter does not wrap */

static struct spinlock lock = SPINLOCK_INITIALIZER("random pool"); /* interrupts take it */
static struct blake2s pool;                                        /* [lock] */
static bool is_pool_started;                                       /* [lock] */
static unsigned credited_bits;                          /* [lock] since the last reseeding, up to SEED_BITS */
static uint8_t key[CHACHA20_KEY_BYTES];                 /* [lock] */
static bool is_seeded;                                  /* [lock] */
static uint64_t nr_reseeds;                             /* [lock] */
static uint64_t until_feed;                             /* [lock] bytes of output */
static struct list sources = LIST_INITIALIZER(sources); /* [lock] */

static const uint8_t no_nonce[CHACHA20_NONCE_BYTES]; /* no key is used twice */

/* A store the compiler may not leave out. */
static void wipe(void *bytes, size_t length)
{
    memset(bytes, 0, length);
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

/* New key: of the old one and the pool, which begins again. */
static void reseed_locked(void)
{
    uint8_t digest[BLAKE2S_HASH_BYTES];

    blake2s_update(&pool, key, sizeof(key));
    blake2s_final(&pool, digest);
    memcpy(key, digest, sizeof(key));
    blake2s_init(&pool);
    wipe(digest, sizeof(digest));
    credited_bits = 0;
    nr_reseeds++;
}

void random_add(const void *bytes, size_t length, unsigned entropy_bits)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    uint64_t most = (uint64_t)length * 8; /* no source has more than it gives */
    uint64_t total = credited_bits + (entropy_bits < most ? entropy_bits : most);

    if (!is_pool_started)
        blake2s_init(&pool);
    is_pool_started = true;
    blake2s_update(&pool, &length, sizeof(length));
    blake2s_update(&pool, bytes, length);
    credited_bits = total < SEED_BITS ? (unsigned)total : SEED_BITS;
    if (credited_bits == SEED_BITS) {
        reseed_locked();
        is_seeded = true;
    }
    spinlock_unlock_irqrestore(&lock, flags);
}

/* The CPU's generator where there is one, and what else tells this boot from another, without credit. */
static void feed_from_cpu(void)
{
    uint64_t value = boot_random();

    random_add(&value, sizeof(value), 0);
    for (unsigned i = 0; i < CPU_VALUES; i++)
        if (cpu_random(&value))
            random_add(&value, sizeof(value), CPU_VALUE_BITS);
    wipe(&value, sizeof(value));
}

/* Before the first seed: numbers that are at least not the same every boot. The pool is not asked, or its few bits so
 * far could be guessed from the output and would not count any more (2). */
static void stir_key_locked(void)
{
    uint64_t value = boot_random();
    struct blake2s hash;

    blake2s_init(&hash);
    blake2s_update(&hash, key, sizeof(key));
    blake2s_update(&hash, &value, sizeof(value));
    blake2s_final(&hash, key);
    wipe(&hash, sizeof(hash));
}

/* Takes a key for so many bytes of output; the pool's key is another one when it returns. */
static bool take_key(uint8_t output_key[static CHACHA20_KEY_BYTES], size_t length)
{
    uint8_t block[CHACHA20_BLOCK_BYTES];
    uint64_t flags = spinlock_lock_irqsave(&lock);
    bool was_seeded = is_seeded;

    if (!was_seeded)
        stir_key_locked();
    chacha20_block(key, 0, no_nonce, block);
    memcpy(key, block, CHACHA20_KEY_BYTES);
    until_feed = until_feed > length ? until_feed - length : 0;
    spinlock_unlock_irqrestore(&lock, flags);
    memcpy(output_key, block + CHACHA20_KEY_BYTES, CHACHA20_KEY_BYTES);
    wipe(block, sizeof(block));
    return was_seeded;
}

void random_source_register(struct random_source *source)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    list_add_last(&sources, &source->link);
    spinlock_unlock_irqrestore(&lock, flags);
}

void random_source_unregister(struct random_source *source)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    list_remove(&source->link);
    spinlock_unlock_irqrestore(&lock, flags);
}

static void ask_sources_locked(void)
{
    struct random_source *source;

    list_for_each_entry (source, &sources, link)
        source->ask(source);
}

/* True, once the sources have been asked, when it is time for the CPU, too. */
static bool is_feed_due(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    bool is_due = until_feed == 0;

    if (is_due) {
        until_feed = FEED_BYTES;
        ask_sources_locked();
    }
    spinlock_unlock_irqrestore(&lock, flags);
    return is_due;
}

static bool fill(uint8_t *to, size_t length)
{
    uint8_t output_key[CHACHA20_KEY_BYTES], block[CHACHA20_BLOCK_BYTES];
    bool was_seeded = take_key(output_key, length);

    for (uint32_t counter = 0; length != 0; counter++) {
        size_t step = length < sizeof(block) ? length : sizeof(block);

        chacha20_block(output_key, counter, no_nonce, block);
        memcpy(to, block, step);
        to += step;
        length -= step;
    }
    wipe(output_key, sizeof(output_key));
    wipe(block, sizeof(block));
    return was_seeded;
}

int random_bytes(void *buffer, size_t length)
{
    uint8_t *to = buffer;
    bool was_seeded = true;

    if (is_feed_due())
        feed_from_cpu();
    do {
        size_t step = length < OUTPUT_REQUEST ? length : OUTPUT_REQUEST;

        was_seeded &= fill(to, step);
        to += step;
        length -= step;
    } while (length != 0);
    return was_seeded ? 0 : -EAGAIN;
}

void random_status(struct random_status *status)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    *status = (struct random_status){is_seeded, credited_bits, nr_reseeds};
    spinlock_unlock_irqrestore(&lock, flags);
}
