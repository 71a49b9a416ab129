# The sleeping locks' real code in every order of a few threads, and with bugs planted that the search must find.
# sync_schedules/explore.h says how.
include("${CMAKE_CURRENT_LIST_DIR}/schedules/search.cmake")
set(sync_schedules_folder "${CMAKE_SOURCE_DIR}/src/sync")
set(sync_schedules_includes "${CMAKE_CURRENT_SOURCE_DIR}/sync_schedules/include"
    "${CMAKE_SOURCE_DIR}/tests/unit/support/include" "${CMAKE_SOURCE_DIR}/include" "${sync_schedules_folder}"
    "${CMAKE_CURRENT_SOURCE_DIR}/sync_schedules")
set(sync_schedules_sources waiter wait_queue semaphore completion once mutex inherit)
list(TRANSFORM sync_schedules_sources REPLACE "(.+)" "${sync_schedules_folder}/\\1.c")

schedule_objects(sync_schedules sync_schedules_machine sync_schedules/explore.c sync_schedules/scheduler.c support/host.c
                 "${CMAKE_SOURCE_DIR}/src/sync/spinlock.c" "${CMAKE_SOURCE_DIR}/src/lib/rbtree.c")
schedule_searched_objects(sync_schedules sync_schedules_sides sync_schedules/test_sync_schedules.c)
schedule_test(sync_schedules unit/sync_schedules)

# Wake-ups lost. Who has not announced that it will sleep does not sleep.
schedule_plant(sync_schedules announced_after_the_look SOURCE wait_queue
  FROM "thread_wait_begin(WAIT_QUEUE, queue);" TO "" EXPECT "without end" ONLY "for a flag")
schedule_plant(sync_schedules choice_kept SOURCE wait_queue
  FROM "if (entry->is_chosen && !entry->is_choice_used)" TO "if (false)" EXPECT "sleeps for ever" ONLY "a token each")
schedule_plant(sync_schedules taken_and_not_queued_again SOURCE wait_queue
  FROM "    state = waiter_state(&entry->waiter);"
  TO "    state = waiter_state(&entry->waiter) == WAITER_TAKEN ? WAITER_QUEUED : waiter_state(&entry->waiter);"
  EXPECT "sleeps for ever" ONLY "another was faster")
schedule_plant(sync_schedules permit_without_a_look SOURCE semaphore
  FROM "return withdraw(semaphore, waiter);" TO "return (void)withdraw(semaphore, waiter), -ETIMEDOUT;"
  EXPECT "nr_done . semaphore.permits == 1" ONLY "time may be over")
schedule_plant(sync_schedules mark_forgotten SOURCE inherit
  FROM "(mutex->waiters.root ? MUTEX_HAS_WAITERS : 0)" TO "0" EXPECT "sleeps for ever" ONLY "mutex")

# What is no longer there.
schedule_plant(sync_schedules released_before_it_is_woken SOURCE semaphore
  FROM "thread_wake_long_irq_off(waiter->thread);"
  TO "__atomic_store_n(&waiter->state, WAITER_RELEASED, __ATOMIC_RELEASE), thread_wake_long_irq_off(waiter->thread);"
  EXPECT "on its stack|which has ended" ONLY "completion")
schedule_plant(sync_schedules looked_at_when_free SOURCE inherit
  FROM "if (!next)" TO "if (!next && !mutex->waiters.root)" EXPECT "on its stack" ONLY "gone with")

# Urgency that stays, or does not arrive.
schedule_plant(sync_schedules urgency_kept SOURCE inherit FROM "    settle(from);" TO "" EXPECT "inherited urgency" ONLY "urgent")
schedule_plant(sync_schedules urgency_not_passed_on SOURCE inherit
  FROM "    settle(owner);" TO "" EXPECT "spins for what nobody does" ONLY "a chain")
