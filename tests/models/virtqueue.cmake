# Mutants of the virtqueue's model. The first four each lose a wake-up: both sides sleep.
model_test(virtqueue)
model_mutant(virtqueue notify_without_fence
  FROM "    fence(DRIVER); /* must_notify */\n" TO "" EXPECT "^invalid end state")
model_mutant(virtqueue enable_without_fence
  FROM "        fence(DRIVER); /* enable_interrupts */\n" TO "" EXPECT "^invalid end state")
model_mutant(virtqueue enable_without_second_look
  FROM "        :: limit == next_used -> break\n        :: else\n" TO "        :: true -> break\n"
  EXPECT "^invalid end state")
model_mutant(virtqueue device_sleeps_without_fence
  FROM "                fence(DEVICE); /* sleep */\n" TO "" EXPECT "^invalid end state")
model_mutant(virtqueue device_returns_without_fence
  FROM "    fence(DEVICE); /* must_interrupt */\n" TO "" EXPECT "^invalid end state")
# The device sees a chain before its descriptor.
model_mutant(virtqueue index_before_descriptor
  FROM [[
    store(DRIVER, DESC(id), nr_added + 1);
    store(DRIVER, AVAIL(next_avail), id);
    store(DRIVER, AVAIL_INDEX, (next_avail + 1) & 255);
]]
  TO [[
    store(DRIVER, AVAIL(next_avail), id);
    store(DRIVER, AVAIL_INDEX, (next_avail + 1) & 255);
    store(DRIVER, DESC(id), nr_added + 1);
]]
  EXPECT [[^assertion violated]])
# A descriptor is used again before the device returned it.
model_mutant(virtqueue free_when_added
  FROM "        is_free[id] = false;\n" TO "" EXPECT [[^assertion violated .*is_with_device]])
# A completion is read before the index shows it.
model_mutant(virtqueue reap_without_index
  FROM "        :: next_used != limit -> reap()\n        :: else -> break\n" TO "        :: true -> reap(); break\n"
  EXPECT [[^assertion violated]])
