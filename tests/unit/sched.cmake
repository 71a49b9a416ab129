set(sched_policy src/sched/fair.c src/sched/fair_check.c src/sched/fifo.c src/sched/nice.c src/sched/placement.c
    src/sched/run_queue.c src/lib/rbtree.c)
unit_test(sched_run_queue SOURCES test_sched_run_queue.c KERNEL ${sched_policy})
unit_test(sched_placement SOURCES test_sched_placement.c KERNEL ${sched_policy})
unit_test(sched_simulation SOURCES test_sched_simulation.c sched_simulator.c KERNEL ${sched_policy})

# What no bug is planted in is compiled once.
function(sched_objects out)
  set(objects)
  foreach(source IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "sched_code_${source}" code)
    if(NOT TARGET "${code}")
      add_library("${code}" OBJECT "${source}")
      unit_flags_of("${code}" "" "")
      target_compile_options("${code}" PRIVATE -Wno-error)
      target_include_directories("${code}" BEFORE PRIVATE "${CMAKE_SOURCE_DIR}/src/sched" "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    list(APPEND objects $<TARGET_OBJECTS:${code}>)
  endforeach()
  set("${out}" "${objects}" PARENT_SCOPE)
endfunction()

# sched_plant(BUG TEST run_queue|placement|simulation SOURCE fair|fifo|placement|run_queue FROM code TO code EXPECT regex
# [ONLY name]): FROM is in the source exactly once; with TO in its place the test of that name fails as EXPECT says.
function(sched_plant bug)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TEST;SOURCE;FROM;TO;EXPECT;ONLY" "")
  set(source "src/sched/${arg_SOURCE}.c")
  set(planted "${CMAKE_CURRENT_BINARY_DIR}/planted_sched/${bug}/${arg_SOURCE}.c")
  set(plant "${CMAKE_SOURCE_DIR}/tests/fuzz/plant.cmake")
  set(kernel ${sched_policy})
  list(REMOVE_ITEM kernel "${source}")
  list(TRANSFORM kernel PREPEND "${CMAKE_SOURCE_DIR}/")
  add_custom_command(OUTPUT "${planted}"
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${CMAKE_SOURCE_DIR}/${source}" "-DOUTPUT=${planted}" "-DFROM=${arg_FROM}"
            "-DTO=${arg_TO}" -P "${plant}"
    DEPENDS "${CMAKE_SOURCE_DIR}/${source}" "${plant}" "${CMAKE_CURRENT_LIST_FILE}" VERBATIM)
  set(simulator_run_queue "")
  set(simulator_placement "")
  set(simulator_simulation sched_simulator.c)
  unit_support(support "" "")
  sched_objects(objects "test_sched_${arg_TEST}.c" ${simulator_${arg_TEST}} "${planted}" ${kernel})
  add_executable("planted_sched_${bug}" ${objects} ${support})
  set_target_properties("planted_sched_${bug}" PROPERTIES LINKER_LANGUAGE C)
  target_link_options("planted_sched_${bug}" PRIVATE -fsanitize=address,undefined)
  target_link_libraries("planted_sched_${bug}" PRIVATE "${CMOCKA}")
  add_test(NAME "unit/sched/planted/${bug}" COMMAND "${CMAKE_COMMAND}"
    "-DPROGRAM=$<TARGET_FILE:planted_sched_${bug}>" "-DARGUMENTS=${arg_ONLY}" "-DEXPECT=${arg_EXPECT}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/schedules/expect_failure.cmake")
  set_tests_properties("unit/sched/planted/${bug}" PROPERTIES LABELS unit TIMEOUT 120
                       FIXTURES_REQUIRED "${KEEL_BUILD_FIXTURE}")
endfunction()

sched_plant(summary_of_one_child TEST simulation ONLY test_random_machines SOURCE fair
            FROM "least = fair_entity(child)->least_vruntime" TO "least += 0" EXPECT "least vruntime of a subtree is wrong")
sched_plant(sum_keeps_who_left TEST simulation ONLY test_random_machines SOURCE fair
            FROM "fair->sum -= weighed(fair, entity)" TO "fair->sum -= 0" EXPECT "the sum of the fair queue is wrong")
sched_plant(previous_is_lost TEST simulation ONLY test_random_machines SOURCE fair
            FROM "fair_insert(fair, previous)" TO "(void)fair" EXPECT "the load of the run queue is wrong")
sched_plant(waiting_clears_debts TEST run_queue SOURCE fair
            FROM "entity->lag = bounded(lag, " TO "entity->lag = 0 * bounded(lag, " EXPECT "FAILED")
sched_plant(lag_of_another_weight TEST run_queue SOURCE fair
            FROM "entity->lag = entity->lag * old / (int64_t)entity->weight" TO "entity->lag += 0"
            EXPECT "FAILED[^\n]*test_weight_change_keeps_lag")
sched_plant(preempted_goes_behind TEST run_queue SOURCE fifo
            FROM "if (place == FIFO_FRONT)" TO "if (place != FIFO_FRONT)" EXPECT "FAILED[^\n]*test_fifo_order")
sched_plant(load_keeps_who_waits TEST simulation ONLY test_random_machines SOURCE run_queue
            FROM "queue->load - previous->weight" TO "queue->load" EXPECT "the load of the run queue is wrong")
sched_plant(handed_over_and_lost TEST simulation ONLY test_random_machines SOURCE run_queue
            FROM "(void)run_queue_add(queue, entity, now, ARRIVAL_WOKEN)" TO "(void)now"
            EXPECT "a thread is lost, or runs while it waits")
sched_plant(key_outlives_policy TEST run_queue SOURCE run_queue
            FROM "hand_forget(changed)" TO "(void)changed"
            EXPECT "FAILED[^\n]*test_who_may_not_be_handed_over")
sched_plant(moves_without_claim TEST simulation ONLY test_equal_on_several_cpus SOURCE placement
            FROM "run_queue_add_with_claim(to, entity, now, ahead)" TO "run_queue_add_with_claim(to, entity, now, 0)"
            EXPECT "FAILED[^\n]*test_equal_on_several_cpus")
# FIFO threads that wait for ever on one CPU of several.
sched_plant(preempted_stays TEST simulation ONLY test_fifo_on_several_cpus SOURCE run_queue
            FROM "queue->fifo.nr != 0 || (queue->urgency" TO "(queue->urgency"
            EXPECT "waits while another CPU runs a less urgent one")
sched_plant(lower_one_goes_on TEST simulation ONLY test_fifo_on_several_cpus SOURCE run_queue
            FROM "&& queue->urgency > urgency" TO "&& queue->urgency < urgency"
            EXPECT "waits while another CPU runs a less urgent one")
sched_plant(next_one_goes_unnoticed TEST run_queue SOURCE run_queue
            FROM "if (sched_urgency(entity) > queue->urgency)" TO "if (entity->queue != queue)"
            EXPECT "FAILED[^\n]*test_fifo_is_pushed_when")
sched_plant(first_keeps_others_back TEST simulation ONLY test_fifo_on_several_cpus SOURCE placement
            FROM "cpu != CPU_MAX || ++looked_at >= CANDIDATES_MAX" TO "cpu != CPU_MAX || ++looked_at > 0"
            EXPECT "waits while another CPU runs a less urgent one")
sched_plant(pushed_behind_another TEST placement SOURCE placement
            FROM "uint32_t running = READ_ONCE(queue->urgency), waiting = fifo_highest(&queue->fifo)"
            TO "uint32_t running = READ_ONCE(queue->urgency), waiting = 0"
            EXPECT "FAILED[^\n]*test_fifo_is_placed")
