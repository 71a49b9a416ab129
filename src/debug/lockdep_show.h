/* What the commands show of the lock checker. Only in builds with CONFIG_LOCKDEP. */
#pragma once

/* Context: thread. */
void lockdep_show(void);
void latency_show(void);
