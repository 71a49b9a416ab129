# include/sync/rwlock.h, and what happens without each of its orders.
model_test(rwlock)
# A reader that is out before the writer that let it in has counted itself is lost.
model_mutant(rwlock turn_is_set
  FROM [[
    admit_next_reader();
    fetch_add(cpu, WRITER_TURN, 1) /* lock add */
]]
  TO [[
    admit_next_reader();
    store(cpu, WRITER_TURN, BYTE(number + 1))
]]
  EXPECT [[invalid end state|assertion violated]])
# The next writer is out, and has raised both turns, before the first raises the readers'.
model_mutant(rwlock writers_turn_first
  FROM [[
    admit_next_reader();
    fetch_add(cpu, WRITER_TURN, 1) /* lock add */
]]
  TO [[
    fetch_add(cpu, WRITER_TURN, 1);
    admit_next_reader()
]]
  EXPECT [[invalid end state|assertion violated]])
model_mutant(rwlock reader_leaves_in_two_steps
  FROM [[
inline read_unlock()
{
    fetch_add(cpu, WRITER_TURN, 1) /* lock add */
]]
  TO [[
inline read_unlock()
{
    number = LOAD(cpu, WRITER_TURN);
    store(cpu, WRITER_TURN, BYTE(number + 1))
]]
  EXPECT [[invalid end state|assertion violated]])
model_mutant(rwlock number_in_two_steps
  FROM [[
    compare_exchange(cpu, NEXT_NUMBER, expected, BYTE(number + 1), is_inside);
]]
  TO [[
    is_inside = (memory[NEXT_NUMBER] == expected);
    if
    :: is_inside -> store(cpu, NEXT_NUMBER, BYTE(number + 1))
    :: else
    fi;
]]
  EXPECT [[invalid end state|assertion violated]])
