# The ring's real code in every schedule of a driver and a device, and with bugs planted that the search must find.
# schedules/schedule.h says how. What is searched is compiled with the thread sanitizer's hooks and without its library.
set(schedule_flags -std=gnu17 -g -O2 -Wall -Wextra -Werror -Wshadow -Wno-unused-parameter -fno-common
    $<$<C_COMPILER_ID:Clang>:-Wno-gnu-folding-constant>)
set(schedule_hooks -fsanitize=thread $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)

function(schedule_objects name)
  add_library("${name}" OBJECT ${ARGN})
  target_compile_options("${name}" PRIVATE ${schedule_flags})
  target_compile_definitions("${name}" PRIVATE CONFIG_DEBUG=1 CONFIG_UBSAN=0 CONFIG_LOCKDEP=0 MODEL_SEGMENTS_MAX=4)
  target_include_directories("${name}" BEFORE PRIVATE "${CMAKE_SOURCE_DIR}/tests/unit/support/include"
    "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/drivers/virtio")
endfunction()

schedule_objects(schedule_search schedules/search.c schedules/memory.c support/host.c
                 "${CMAKE_SOURCE_DIR}/src/sync/spinlock.c")
schedule_objects(schedule_sides schedules/test_virtqueue_schedules.c support/virtio_device.c)
target_compile_options(schedule_sides PRIVATE ${schedule_hooks})

# schedule_executable(NAME source...): a source is compiled once, however many search it.
function(schedule_executable name)
  set(objects $<TARGET_OBJECTS:schedule_search> $<TARGET_OBJECTS:schedule_sides>)
  foreach(source IN LISTS ARGN)
    file(RELATIVE_PATH code "${CMAKE_SOURCE_DIR}" "${source}")
    string(MAKE_C_IDENTIFIER "schedule_${code}" code)
    if(NOT TARGET "${code}")
      schedule_objects("${code}" "${source}")
      target_compile_options("${code}" PRIVATE ${schedule_hooks})
    endif()
    list(APPEND objects $<TARGET_OBJECTS:${code}>)
  endforeach()
  add_executable("${name}" ${objects})
  set_target_properties("${name}" PROPERTIES LINKER_LANGUAGE C)
endfunction()

set(scheduled virtqueue split packed)
list(TRANSFORM scheduled REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/drivers/virtio/\\1.c" OUTPUT_VARIABLE scheduled_sources)
schedule_executable(schedules_virtqueue ${scheduled_sources})
add_test(NAME unit/schedules/virtqueue COMMAND schedules_virtqueue)
set_tests_properties(unit/schedules/virtqueue PROPERTIES LABELS unit TIMEOUT 180
                     FIXTURES_REQUIRED "${KEEL_BUILD_FIXTURE}")

# schedule_plant(BUG SOURCE virtqueue|split|packed FROM code TO code EXPECT regex [ONLY text]): FROM is in the source exactly
# once. ONLY scenarios that have the text in their name are searched.
function(schedule_plant bug)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE;FROM;TO;EXPECT;ONLY" "")
  set(source "${CMAKE_SOURCE_DIR}/drivers/virtio/${arg_SOURCE}.c")
  set(planted "${CMAKE_CURRENT_BINARY_DIR}/planted_schedules/${bug}/${arg_SOURCE}.c")
  set(plant "${CMAKE_SOURCE_DIR}/tests/fuzz/plant.cmake")
  add_custom_command(OUTPUT "${planted}"
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${source}" "-DOUTPUT=${planted}" "-DFROM=${arg_FROM}" "-DTO=${arg_TO}"
            -P "${plant}"
    DEPENDS "${source}" "${plant}" "${CMAKE_CURRENT_LIST_FILE}" VERBATIM)
  set(sources ${scheduled_sources})
  list(REMOVE_ITEM sources "${source}")
  schedule_executable("planted_schedules_${bug}" ${sources} "${planted}")
  set_source_files_properties("${planted}" PROPERTIES COMPILE_OPTIONS -Wno-error)
  add_test(NAME "unit/schedules/planted/${bug}" COMMAND "${CMAKE_COMMAND}"
    "-DPROGRAM=$<TARGET_FILE:planted_schedules_${bug}>" "-DARGUMENTS=${arg_ONLY}" "-DEXPECT=${arg_EXPECT}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/schedules/expect_failure.cmake")
  set_tests_properties("unit/schedules/planted/${bug}" PROPERTIES LABELS unit TIMEOUT 180
                       FIXTURES_REQUIRED "${KEEL_BUILD_FIXTURE}")
endfunction()

# Wake-ups lost. The first five are mutants of the model too (tests/models/virtqueue.cmake).
set(fence "    __atomic_thread_fence(__ATOMIC_SEQ_CST)")
set(sleeps "both sides sleep: [^\n]*\n[^\n]*")
schedule_plant(enable_without_fence SOURCE virtqueue FROM "${fence}" TO "" EXPECT "${sleeps}")
schedule_plant(enable_without_second_look SOURCE virtqueue
  FROM "return queue->operations->has_completion(queue)" TO "return false" EXPECT "${sleeps}")
schedule_plant(split_notify_without_fence SOURCE split FROM "${fence}" TO "" EXPECT "${sleeps}split")
schedule_plant(packed_notify_without_fence SOURCE packed FROM "${fence}" TO "" EXPECT "${sleeps}packed")
schedule_plant(split_event_of_the_last_only SOURCE split
  FROM "(uint16_t)(queue->next_avail - nr_added)" TO "(uint16_t)(queue->next_avail - 1)" EXPECT "${sleeps}event index"
  ONLY several)
schedule_plant(packed_event_of_the_last_only SOURCE packed
  FROM "(uint16_t)(queue->next_avail - nr_added)" TO "(uint16_t)(queue->next_avail - 1)" EXPECT "${sleeps}event index"
  ONLY several)
schedule_plant(split_event_of_the_past SOURCE split
  FROM "WRITE_ONCE(*used_event(queue), queue->next_used)"
  TO "WRITE_ONCE(*used_event(queue), (uint16_t)(queue->next_used - 1u))" EXPECT "${sleeps}event index")
schedule_plant(packed_event_of_another_round SOURCE packed
  FROM "slot = (uint16_t)(slot - queue->config.size)" TO "" EXPECT "${sleeps}event index")
schedule_plant(packed_wish_of_another_round SOURCE packed
  FROM "(queue->used_wrap ? VIRTQ_PACKED_EVENT_WRAP : 0)" TO "VIRTQ_PACKED_EVENT_WRAP" EXPECT "${sleeps}event index")
schedule_plant(packed_round_not_counted SOURCE packed
  FROM "queue->used_wrap = !queue->used_wrap" TO "" EXPECT "${sleeps}")

# The other side sees a part of what was written: by the order of the code, and as a compiler may change it.
set(torn "request->content == content")
schedule_plant(split_index_before_descriptors SOURCE split
  FROM "uint16_t head = queue->free_chain, at = head;"
  TO "uint16_t head = queue->free_chain, at = head; WRITE_ONCE(avail_of(queue)->index, (uint16_t)(queue->next_avail + 1));"
  EXPECT "line [0-9]+: request->is_in_flight|${torn}" ONLY x86)
schedule_plant(packed_head_before_chain SOURCE packed
  FROM "fill(head, segments, id);"
  TO "WRITE_ONCE(head->flags, (uint16_t)head_flags); fill(head, segments, id);"
  EXPECT "failed: [^\n]*" ONLY x86)
schedule_plant(split_index_not_released SOURCE split
  FROM "queue->next_avail, __ATOMIC_RELEASE)" TO "queue->next_avail, __ATOMIC_RELAXED)" EXPECT "${torn}" ONLY weak)
schedule_plant(packed_head_not_released SOURCE packed
  FROM "head_flags, __ATOMIC_RELEASE)" TO "head_flags, __ATOMIC_RELAXED)" EXPECT "${torn}" ONLY weak)
schedule_plant(split_index_not_acquired SOURCE split
  FROM "__ATOMIC_ACQUIRE" TO "__ATOMIC_RELAXED" EXPECT "request->content \\+ ANSWERED" ONLY weak)
schedule_plant(packed_flags_not_acquired SOURCE packed
  FROM "__ATOMIC_ACQUIRE" TO "__ATOMIC_RELAXED" EXPECT "request->content \\+ ANSWERED" ONLY weak)
schedule_plant(split_reaped_without_index SOURCE split
  FROM "if (index == queue->next_used)" TO "if (index == queue->next_used && queue->nr_in_flight == 0)"
  EXPECT "failed: [^\n]*")

# Used again before the device is done, or never again.
schedule_plant(split_free_when_added SOURCE split
  FROM "queue->free_chain = at" TO "" EXPECT "descriptor [0-9] is written while the device has it")
schedule_plant(packed_not_full SOURCE virtqueue
  FROM "nr > queue->nr_free)" TO "nr > queue->nr_free + 1u)" EXPECT "is written while the device has it" ONLY packed)
schedule_plant(table_free_when_added SOURCE virtqueue
  FROM "queue->free_table = queue->next_table[table]" TO "" EXPECT "table [0-9] is written while the device has it" ONLY tables)
schedule_plant(descriptors_leak SOURCE split
  FROM "queue->nr_free = (uint16_t)(queue->nr_free + nr)" TO "" EXPECT "both sides sleep|nr_free == scenario->size")
