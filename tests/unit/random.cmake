unit_test(random SOURCES test_random.c KERNEL src/dev/random.c src/lib/blake2s.c src/lib/chacha20.c)
