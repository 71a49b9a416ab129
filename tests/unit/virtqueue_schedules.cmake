# The ring's real code in every schedule of a driver and a device, and with bugs planted that the search must find.
# schedules/schedule.h says how.
include("${CMAKE_CURRENT_LIST_DIR}/schedules/search.cmake")
set(schedules_folder "${CMAKE_SOURCE_DIR}/drivers/virtio")
set(schedules_definitions MODEL_SEGMENTS_MAX=4)
set(schedules_includes "${CMAKE_SOURCE_DIR}/tests/unit/support/include" "${CMAKE_SOURCE_DIR}/include" "${schedules_folder}")
set(schedules_sources virtqueue split packed)
list(TRANSFORM schedules_sources REPLACE "(.+)" "${schedules_folder}/\\1.c")

schedule_objects(schedules schedules_machine schedules/search.c schedules/memory.c support/host.c
                 "${CMAKE_SOURCE_DIR}/src/sync/spinlock.c")
schedule_searched_objects(schedules schedules_sides schedules/test_virtqueue_schedules.c support/virtio_device.c)
schedule_test(schedules unit/schedules/virtqueue)

# Wake-ups lost. The first five are mutants of the model too (tests/models/virtqueue.cmake).
set(fence "    __atomic_thread_fence(__ATOMIC_SEQ_CST)")
set(sleeps "both sides sleep: [^\n]*\n[^\n]*")
schedule_plant(schedules enable_without_fence SOURCE virtqueue FROM "${fence}" TO "" EXPECT "${sleeps}")
schedule_plant(schedules enable_without_second_look SOURCE virtqueue
  FROM "return queue->operations->has_completion(queue)" TO "return false" EXPECT "${sleeps}")
schedule_plant(schedules split_notify_without_fence SOURCE split FROM "${fence}" TO "" EXPECT "${sleeps}split")
schedule_plant(schedules packed_notify_without_fence SOURCE packed FROM "${fence}" TO "" EXPECT "${sleeps}packed")
schedule_plant(schedules split_event_of_the_last_only SOURCE split
  FROM "(uint16_t)(queue->next_avail - nr_added)" TO "(uint16_t)(queue->next_avail - 1)" EXPECT "${sleeps}event index"
  ONLY several)
schedule_plant(schedules packed_event_of_the_last_only SOURCE packed
  FROM "(uint16_t)(queue->next_avail - nr_added)" TO "(uint16_t)(queue->next_avail - 1)" EXPECT "${sleeps}event index"
  ONLY several)
schedule_plant(schedules split_event_of_the_past SOURCE split
  FROM "WRITE_ONCE(*used_event(queue), queue->next_used)"
  TO "WRITE_ONCE(*used_event(queue), (uint16_t)(queue->next_used - 1u))" EXPECT "${sleeps}event index")
schedule_plant(schedules packed_event_of_another_round SOURCE packed
  FROM "slot = (uint16_t)(slot - queue->config.size)" TO "" EXPECT "${sleeps}event index")
schedule_plant(schedules packed_wish_of_another_round SOURCE packed
  FROM "(queue->used_wrap ? VIRTQ_PACKED_EVENT_WRAP : 0)" TO "VIRTQ_PACKED_EVENT_WRAP" EXPECT "${sleeps}event index")
schedule_plant(schedules packed_round_not_counted SOURCE packed
  FROM "queue->used_wrap = !queue->used_wrap" TO "" EXPECT "${sleeps}")

# The other side sees a part of what was written: by the order of the code, and as a compiler may change it.
set(torn "request->content == content")
schedule_plant(schedules split_index_before_descriptors SOURCE split
  FROM "uint16_t head = queue->free_chain, at = head;"
  TO "uint16_t head = queue->free_chain, at = head; WRITE_ONCE(avail_of(queue)->index, (uint16_t)(queue->next_avail + 1));"
  EXPECT "line [0-9]+: request->is_in_flight|${torn}" ONLY x86)
schedule_plant(schedules packed_head_before_chain SOURCE packed
  FROM "fill(head, segments, id);"
  TO "WRITE_ONCE(head->flags, (uint16_t)head_flags); fill(head, segments, id);"
  EXPECT "failed: [^\n]*" ONLY x86)
schedule_plant(schedules split_index_not_released SOURCE split
  FROM "queue->next_avail, __ATOMIC_RELEASE)" TO "queue->next_avail, __ATOMIC_RELAXED)" EXPECT "${torn}" ONLY weak)
schedule_plant(schedules packed_head_not_released SOURCE packed
  FROM "head_flags, __ATOMIC_RELEASE)" TO "head_flags, __ATOMIC_RELAXED)" EXPECT "${torn}" ONLY weak)
schedule_plant(schedules split_index_not_acquired SOURCE split
  FROM "__ATOMIC_ACQUIRE" TO "__ATOMIC_RELAXED" EXPECT "request->content \\+ ANSWERED" ONLY weak)
schedule_plant(schedules packed_flags_not_acquired SOURCE packed
  FROM "__ATOMIC_ACQUIRE" TO "__ATOMIC_RELAXED" EXPECT "request->content \\+ ANSWERED" ONLY weak)
schedule_plant(schedules split_reaped_without_index SOURCE split
  FROM "if (index == queue->next_used)" TO "if (index == queue->next_used && queue->nr_in_flight == 0)"
  EXPECT "failed: [^\n]*")

# Used again before the device is done, or never again.
schedule_plant(schedules split_free_when_added SOURCE split
  FROM "queue->free_chain = at" TO "" EXPECT "descriptor [0-9] is written while the device has it")
schedule_plant(schedules packed_not_full SOURCE virtqueue
  FROM "nr > queue->nr_free)" TO "nr > queue->nr_free + 1u)" EXPECT "is written while the device has it" ONLY packed)
schedule_plant(schedules table_free_when_added SOURCE virtqueue
  FROM "queue->free_table = queue->next_table[table]" TO "" EXPECT "table [0-9] is written while the device has it" ONLY tables)
schedule_plant(schedules descriptors_leak SOURCE split
  FROM "queue->nr_free = (uint16_t)(queue->nr_free + nr)" TO "" EXPECT "both sides sleep|nr_free == scenario->size")
