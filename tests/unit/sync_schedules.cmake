# The sleeping locks' real code in every order of a few threads, and with bugs planted that the search must find.
# sync_schedules/explore.h says how. What is searched is compiled with the thread sanitizer's hooks, without its library.
set(sync_schedule_flags -std=gnu17 -g -O2 -Wall -Wextra -Werror -Wshadow -Wno-unused-parameter -fno-common)
set(sync_schedule_hooks -fsanitize=thread $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)
set(sync_schedules_folder "${CMAKE_CURRENT_SOURCE_DIR}/sync_schedules")

function(sync_schedule_objects name)
  add_library("${name}" OBJECT ${ARGN})
  target_compile_options("${name}" PRIVATE ${sync_schedule_flags})
  target_compile_definitions("${name}" PRIVATE CONFIG_DEBUG=1 CONFIG_UBSAN=0 CONFIG_LOCKDEP=0)
  target_include_directories("${name}" BEFORE PRIVATE "${sync_schedules_folder}/include"
    "${CMAKE_SOURCE_DIR}/tests/unit/support/include" "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src/sync"
    "${sync_schedules_folder}")
endfunction()

sync_schedule_objects(sync_schedule_search sync_schedules/explore.c sync_schedules/scheduler.c support/host.c
  "${CMAKE_SOURCE_DIR}/src/sync/spinlock.c" "${CMAKE_SOURCE_DIR}/src/lib/rbtree.c")
sync_schedule_objects(sync_schedule_threads sync_schedules/test_sync_schedules.c)
target_compile_options(sync_schedule_threads PRIVATE ${sync_schedule_hooks})

# sync_schedule_executable(NAME source...): a source is compiled once, however many search it.
function(sync_schedule_executable name)
  set(objects $<TARGET_OBJECTS:sync_schedule_search> $<TARGET_OBJECTS:sync_schedule_threads>)
  foreach(source IN LISTS ARGN)
    file(RELATIVE_PATH code "${CMAKE_SOURCE_DIR}" "${source}")
    string(MAKE_C_IDENTIFIER "sync_schedule_${code}" code)
    if(NOT TARGET "${code}")
      sync_schedule_objects("${code}" "${source}")
      target_compile_options("${code}" PRIVATE ${sync_schedule_hooks})
    endif()
    list(APPEND objects $<TARGET_OBJECTS:${code}>)
  endforeach()
  add_executable("${name}" ${objects})
  set_target_properties("${name}" PROPERTIES LINKER_LANGUAGE C)
endfunction()

set(sync_scheduled waiter wait_queue semaphore completion once mutex inherit)
list(TRANSFORM sync_scheduled REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/src/sync/\\1.c" OUTPUT_VARIABLE sync_scheduled_sources)
sync_schedule_executable(schedules_sync ${sync_scheduled_sources})
add_test(NAME unit/sync_schedules COMMAND schedules_sync)
set_tests_properties(unit/sync_schedules PROPERTIES LABELS unit TIMEOUT 180 FIXTURES_REQUIRED "${KEEL_BUILD_FIXTURE}")

# sync_schedule_plant(BUG SOURCE name FROM code TO code EXPECT regex ONLY text): FROM is in the source exactly once. The
# tests that have ONLY in their name are searched.
function(sync_schedule_plant bug)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE;FROM;TO;EXPECT;ONLY" "")
  set(source "${CMAKE_SOURCE_DIR}/src/sync/${arg_SOURCE}.c")
  set(planted "${CMAKE_CURRENT_BINARY_DIR}/planted_sync_schedules/${bug}/${arg_SOURCE}.c")
  set(plant "${CMAKE_SOURCE_DIR}/tests/fuzz/plant.cmake")
  add_custom_command(OUTPUT "${planted}"
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${source}" "-DOUTPUT=${planted}" "-DFROM=${arg_FROM}" "-DTO=${arg_TO}"
            -P "${plant}"
    DEPENDS "${source}" "${plant}" "${CMAKE_CURRENT_LIST_FILE}" VERBATIM)
  set(sources ${sync_scheduled_sources})
  list(REMOVE_ITEM sources "${source}")
  sync_schedule_executable("planted_sync_schedules_${bug}" ${sources} "${planted}")
  set_source_files_properties("${planted}" PROPERTIES COMPILE_OPTIONS -Wno-error)
  add_test(NAME "unit/sync_schedules/planted/${bug}" COMMAND "${CMAKE_COMMAND}"
    "-DPROGRAM=$<TARGET_FILE:planted_sync_schedules_${bug}>" "-DARGUMENTS=${arg_ONLY}" "-DEXPECT=${arg_EXPECT}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/schedules/expect_failure.cmake")
  set_tests_properties("unit/sync_schedules/planted/${bug}" PROPERTIES LABELS unit TIMEOUT 180
                       FIXTURES_REQUIRED "${KEEL_BUILD_FIXTURE}")
endfunction()

# Wake-ups lost. Who has not announced that it will sleep does not sleep.
sync_schedule_plant(announced_after_the_look SOURCE wait_queue
  FROM "thread_wait_begin(WAIT_QUEUE, queue);" TO "" EXPECT "without end" ONLY "for a flag")
sync_schedule_plant(choice_kept SOURCE wait_queue
  FROM "if (entry->is_chosen && !entry->is_choice_used)" TO "if (false)" EXPECT "sleeps for ever" ONLY "a token each")
sync_schedule_plant(taken_and_not_queued_again SOURCE wait_queue
  FROM "    state = waiter_state(&entry->waiter);"
  TO "    state = waiter_state(&entry->waiter) == WAITER_TAKEN ? WAITER_QUEUED : waiter_state(&entry->waiter);"
  EXPECT "sleeps for ever" ONLY "another was faster")
sync_schedule_plant(permit_without_a_look SOURCE semaphore
  FROM "return withdraw(semaphore, waiter);" TO "return (void)withdraw(semaphore, waiter), -ETIMEDOUT;"
  EXPECT "nr_done . semaphore.permits == 1" ONLY "time may be over")
sync_schedule_plant(mark_forgotten SOURCE inherit
  FROM "(mutex->waiters.root ? MUTEX_HAS_WAITERS : 0)" TO "0" EXPECT "sleeps for ever" ONLY "mutex")

# What is no longer there.
sync_schedule_plant(released_before_it_is_woken SOURCE semaphore
  FROM "thread_wake_long_irq_off(waiter->thread);"
  TO "__atomic_store_n(&waiter->state, WAITER_RELEASED, __ATOMIC_RELEASE), thread_wake_long_irq_off(waiter->thread);"
  EXPECT "on its stack|which has ended" ONLY "completion")
sync_schedule_plant(looked_at_when_free SOURCE inherit
  FROM "if (!next)" TO "if (!next && !mutex->waiters.root)" EXPECT "on its stack" ONLY "gone with")

# Urgency that stays, or does not arrive.
sync_schedule_plant(urgency_kept SOURCE inherit FROM "    settle(from);" TO "" EXPECT "inherited urgency" ONLY "urgent")
sync_schedule_plant(urgency_not_passed_on SOURCE inherit
  FROM "    settle(owner);" TO "" EXPECT "spins for what nobody does" ONLY "a chain")
