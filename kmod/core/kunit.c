// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - what the unit tests may call of the engine.
 *
 * Owns: exports in a namespace of their own, in kernels that have KUnit. Built
 * into no other.
 *
 * Must not own: the tests (*_test.c), which are a module of their own.
 */

#include <kunit/visibility.h>

#include "decision.h"
#include "grant.h"
#include "names.h"
#include "volume.h"

EXPORT_SYMBOL_IF_KUNIT(trustgate_mutex);

EXPORT_SYMBOL_IF_KUNIT(trustgate_decide);

EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_prepare);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_discard);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_insert);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_enforce);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_end);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_end_volume);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_end_subject);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_by_id);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_next);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_first_to_expire);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_generation);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_totals);
EXPORT_SYMBOL_IF_KUNIT(trustgate_grants_of);
EXPORT_SYMBOL_IF_KUNIT(trustgate_subject_find);

EXPORT_SYMBOL_IF_KUNIT(trustgate_cause_name);
EXPORT_SYMBOL_IF_KUNIT(trustgate_access_names);

EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_filter);
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_filter_rebuild);
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_table);
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_count);
