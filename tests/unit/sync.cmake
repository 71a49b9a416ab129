unit_test(spinlock SOURCES test_spinlock.c)
