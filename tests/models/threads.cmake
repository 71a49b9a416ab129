# Sleeping and waking, and the hand-over of a thread between run queues.
# entity==1 is entity==OUT.
model_test(sleep_wake)
# Each of the first three loses a wake-up.
model_mutant(sleep_wake announced_without_fence
  FROM [[
        atomic {
            fence(cpu); /* the exchange in thread_wait_begin: W1 and W2 */
            memory[WAIT_STATE] = WAITS
        };
]]
  TO "        store(cpu, WAIT_STATE, WAITS);\n" EXPECT "^invalid end state")
model_mutant(sleep_wake wake_without_fence FROM "    fence(cpu); /* K2 */\n" TO "" EXPECT "^invalid end state")
model_mutant(sleep_wake sleeps_without_second_look
  FROM "    :: LOAD(cpu, WAIT_STATE) == WAITS ->\n" TO "    :: true ->\n" EXPECT "^invalid end state")
# The lock is what orders the condition before the look.
model_mutant(sleep_wake queue_locked_without_fence
  FROM [[
        fence(cpu);
        memory[LOCK] == 0;
]]
  TO "        memory[LOCK] == 0;\n" EXPECT "^invalid end state")
# A thread that runs, or was woken by another, is put into the queue.
model_mutant(sleep_wake woken_though_it_runs
  FROM ":: entity == OUT -> run_queue_add()" TO ":: run_queue_add()" EXPECT "entity==1")

model_test(run_queue_hand_over)
# T1: the thread went to another queue while this one's lock was waited for.
model_mutant(run_queue_hand_over queue_not_looked_at_again
  FROM "        :: LOAD(cpu, CPU_OF) == at -> break\n" TO "        :: break\n" EXPECT "entity==1|nr_owners==1|nr_on_stack==0")
# T2: somebody else runs it while this CPU is still on its stack.
model_mutant(run_queue_hand_over unlocked_before_the_switch
  FROM [[
    atomic {
        nr_saved++;
        store(cpu, SAVED, nr_saved)
    };
    nr_on_stack--; /* on the other thread's stack */
    unlock(cpu)
]]
  TO [[
    unlock(cpu);
    atomic {
        nr_saved++;
        store(cpu, SAVED, nr_saved)
    };
    nr_on_stack--
]]
  EXPECT "nr_on_stack==0|==nr_saved")
# T3: two make it runnable.
model_mutant(run_queue_hand_over woken_twice FROM "        is_awake = true;\n" TO "" EXPECT "nr_owners==1|entity==1")
model_mutant(run_queue_hand_over woken_though_it_runs
  FROM "        :: entity == OUT -> unlock(at); thread_arrive()\n" TO "        :: unlock(at); thread_arrive()\n"
  EXPECT "entity==1")
# T4: who moves it and who wakes it both put it into a queue.
model_mutant(run_queue_hand_over moved_and_still_announced
  FROM "        is_awake = true; /* thread_begin_transit */\n" TO "" EXPECT "nr_owners==1|entity==1")
# T5: two CPUs that steal from each other.
model_mutant(run_queue_hand_over steals_with_both_locks_waited_for
  FROM [[
    atomic {
        compare_exchange(cpu, LOCK(victim), expected, 1, is_locked);
        expected = 0
    };
]]
  TO "    lock(victim);\n    is_locked = true;\n" EXPECT "invalid end state|nr_saved==3")
# The same, of two that push to each other.
model_mutant(run_queue_hand_over pushes_with_its_own_lock_first
  FROM "    lock(0);\n    lock(1);\n" TO "    lock(cpu);\n    lock(to);\n" EXPECT "invalid end state|nr_saved==3")

model_test(cpu_hand_over)
set(not_asleep [[==3\)&&\(at\[[012]\]==cpu\)\)&&is_announced]])
set(not_equal [[&&\(policy\[[012]\]==policy\[running|==3\)&&\(at\[[012]\]==cpu\)\)&&is_announced]])
# Each of the first four hands over who is queued, in transit or runs.
model_mutant(cpu_hand_over key_of_handed_one_forgotten
  FROM [[
            :: entity[woken] == OUT -> rouse()
            :: else
            fi
        :: else
]]
  TO [[
            :: entity[woken] == OUT -> rouse()
            :: else
            fi
        :: else -> hand_forget(woken)
]]
  EXPECT "${not_asleep}")
model_mutant(cpu_hand_over key_kept_in_transit
  FROM "    :: hand_forget(woken); own(woken)" TO "    :: own(woken)" EXPECT "${not_asleep}")
model_mutant(cpu_hand_over key_kept_by_who_runs
  FROM "    handed[cpu] = NOBODY;\n    hand_forget(next);\n" TO "    handed[cpu] = NOBODY;\n" EXPECT "${not_asleep}")
model_mutant(cpu_hand_over handed_over_twice
  FROM "        takes_key[cpu] = HAND_TAKES_NOBODY;\n        handed[cpu] = thread" TO "        handed[cpu] = thread"
  EXPECT "${not_equal}")
# Who wakes it finds it OUT, as its owner has it.
model_mutant(cpu_hand_over moved_while_announced
  FROM "    is_announced[thread] = false;\n    moves[thread] = false;\n" TO "    moves[thread] = false;\n"
  EXPECT "nr_owners")
# It would run where it may not, or before who goes before it.
model_mutant(cpu_hand_over key_kept_by_who_must_leave
  FROM "    hand_forget(previous);\n" TO "" EXPECT "${not_equal}")
model_mutant(cpu_hand_over key_kept_over_affinity
  FROM "    affinity[thread] = BIT(1 - at[thread]);\n    hand_forget(thread);\n"
  TO "    affinity[thread] = BIT(1 - at[thread]);\n" EXPECT "${not_equal}")
model_mutant(cpu_hand_over key_kept_over_policy
  FROM "    policy[thread] = to;\n    hand_forget(thread);\n" TO "    policy[thread] = to;\n" EXPECT "${not_equal}")
model_mutant(cpu_hand_over taken_though_others_wait
  FROM "!HAS_WAITING(cpu) && is_timed[cpu] ->" TO "is_timed[cpu] ->" EXPECT "${not_equal}")
# Something better comes, or anything else happens, and the hand-over is not forgotten.
model_mutant(cpu_hand_over added_without_settling
  FROM "    had_waiting = HAS_WAITING(queue);\n    run_queue_settle(queue);\n"
  TO "    had_waiting = HAS_WAITING(queue);\n" EXPECT [[queued\[cpu\]==0]])
model_mutant(cpu_hand_over preempted_without_settling
  FROM "inline run_queue_next(departure)\n{\n    run_queue_settle(cpu);\n" TO "inline run_queue_next(departure)\n{\n"
  EXPECT [[array index|is_over|queued|==3]])
model_mutant(cpu_hand_over removed_without_settling
  FROM "inline run_queue_remove(queue, thread)\n{\n    run_queue_settle(queue);\n"
  TO "inline run_queue_remove(queue, thread)\n{\n" EXPECT [[queued\[at]])
model_mutant(cpu_hand_over policy_without_settling
  FROM "    :: entity[thread] != OUT -> run_queue_settle(at[thread])\n" TO "    :: entity[thread] != OUT\n"
  EXPECT "${not_equal}")
# Who is handed over waits for ever for one that never waits.
model_mutant(cpu_hand_over slice_ends_without_settling
  FROM "inline slice_over()\n{\n    run_queue_account(cpu);\n" TO "inline slice_over()\n{\n" EXPECT "handed|is_over")
model_mutant(cpu_hand_over taken_without_timer
  FROM "!HAS_WAITING(cpu) && is_timed[cpu] ->" TO "!HAS_WAITING(cpu) ->" EXPECT "is_over")
# Nobody wakes it again; and the other way round.
model_mutant(cpu_hand_over sleeps_without_second_look
  FROM "        :: is_announced[SELF] -> schedule_locked(WAITS)\n" TO "        :: true -> schedule_locked(WAITS)\n"
  EXPECT "is_over")
model_mutant(cpu_hand_over woken_though_it_runs
  FROM "            :: entity[woken] == OUT -> rouse()\n" TO "            :: true -> rouse()\n" EXPECT [[entity\[woken]])

model_test(tlb_shootdown)
set(still_cached [[is_free|is_cached]])
# The others flush before they can see that the entry has gone, and cache it again.
model_mutant(tlb_shootdown asked_without_fence
  FROM "        fence(cpu);\n        was_empty" TO "        was_empty" EXPECT "${still_cached}")
model_mutant(tlb_shootdown counted_before_the_flush
  FROM ":: (askers & 1) -> TLB(cpu, 0) = false; count_down(0)" TO ":: (askers & 1) -> count_down(0); TLB(cpu, 0) = false"
  EXPECT "${still_cached}")
# Two CPUs that wait for each other, interrupts off.
model_mutant(tlb_shootdown waits_without_answering
  FROM "    :: memory[ASKERS(cpu)] != 0 -> run_asked()\n" TO "" EXPECT "is_free")
# Who asks in between is forgotten.
model_mutant(tlb_shootdown taken_in_two_steps
  FROM [[
        askers = memory[ASKERS(cpu)];
        memory[ASKERS(cpu)] = 0
    };
]]
  TO [[
        askers = memory[ASKERS(cpu)]
    };
    memory[ASKERS(cpu)] = 0;
]]
  EXPECT "is_free")
# Of a CPU that joins, or stops on its way, nobody gets an answer.
model_mutant(tlb_shootdown waits_for_who_was_left_out
  FROM "    :: memory[STATE] == LEFT_OUT && (memory[ASKERS(2)] & (1 << cpu)) -> take_back()\n" TO "" EXPECT "is_free")
model_mutant(tlb_shootdown taken_before_it_is_online
  FROM "    :: is_raised[cpu] -> is_raised[cpu] = false\n    :: break\n"
  TO "    :: memory[ASKERS(cpu)] != 0 -> memory[ASKERS(cpu)] = 0; goto stopped\n    :: break\n" EXPECT "is_free")
model_mutant(tlb_shootdown joins_without_looking FROM "    run_asked(); /* answers_begin */\n" TO "" EXPECT "is_free")
model_mutant(tlb_shootdown given_up_though_online
  FROM "    compare_exchange(cpu, STATE, expected, LEFT_OUT, is_swapped);\n" TO "    memory[STATE] = LEFT_OUT;\n"
  EXPECT "is_free|is_cached")

model_test(tlb_idle)
# Each of them uses a translation whose frame is somebody else's.
model_mutant(tlb_idle looks_without_fence FROM "    fence(cpu); /* tlb_mark_begin: order 1 */\n" TO "" EXPECT "is_cached")
model_mutant(tlb_idle flushes_before_it_says_so
  FROM [[
        atomic {
            fence(SLEEPER);
            old = memory[STATE];
            memory[STATE] = WAKING
        };
        if
        :: old == IDLE_STALE || old == WAKING -> flush_everything()
        :: else
        fi;
]]
  TO [[
        old = LOAD(SLEEPER, STATE);
        if
        :: old == IDLE_STALE || old == WAKING -> flush_everything()
        :: else
        fi;
]]
  EXPECT "is_cached")
model_mutant(tlb_idle nmi_finds_it_awake FROM "memory[STATE] = WAKING" TO "memory[STATE] = BUSY" EXPECT "is_cached")
model_mutant(tlb_idle uses_before_the_flush
  FROM "        wake();\n        use_pages();\n" TO "        use_pages();\n        wake();\n" EXPECT "is_cached")
model_mutant(tlb_idle mark_over_a_cpu_that_wakes
  FROM "            :: old == IDLE -> memory[STATE] = IDLE_STALE\n"
  TO "            :: true -> old = IDLE; memory[STATE] = IDLE_STALE\n" EXPECT "is_cached|is_free")
