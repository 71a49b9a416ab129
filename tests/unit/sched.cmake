set(sched_policy src/sched/fair.c src/sched/fair_check.c src/sched/fifo.c src/sched/nice.c src/sched/placement.c
    src/sched/run_queue.c src/lib/rbtree.c)
unit_test(sched_run_queue SOURCES test_sched_run_queue.c KERNEL ${sched_policy})
unit_test(sched_simulation SOURCES test_sched_simulation.c sched_simulator.c KERNEL ${sched_policy})
