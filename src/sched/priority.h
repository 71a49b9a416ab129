/* Urgencies and policies. */
#pragma once

#include <base/types.h>
#include <sched/entity.h>

/* Context: any. */
unsigned urgency_of_policy(const struct sched_policy *policy);
bool policy_is_valid(const struct sched_policy *policy);
