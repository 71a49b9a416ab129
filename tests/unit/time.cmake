unit_test(time SOURCES test_time.c KERNEL src/time/clock_math.c src/time/timer_queue.c src/time/calendar.c src/lib/rbtree.c)
unit_test(irq_storm SOURCES test_irq_storm.c KERNEL src/irq/storm.c)
