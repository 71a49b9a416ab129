unit_test(spinlock SOURCES test_spinlock.c)
unit_test(refcount SOURCES test_refcount.c)
unit_test(rwlock SOURCES test_rwlock.c KERNEL src/sync/rwlock.c DEFINITIONS PERCPU_STORAGE=__thread)
unit_test(seqlock SOURCES test_seqlock.c)
unit_test(lockdep_graph SOURCES test_lockdep_graph.c LOCKDEP
  KERNEL src/sync/lockdep_graph.c src/sync/lockdep_ranks.c)
