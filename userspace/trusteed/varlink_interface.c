// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the declaration of the interface io.trustgate.Agent.
 *
 * Owns: the symbols that varlinkctl introspect shows, made of varlink_fields.h.
 *
 * Must not own: code. sd-varlink checks calls against this declaration before
 * any of the agent's code sees them.
 */
#include <systemd/sd-varlink-idl.h>

#include "varlink_fields.h"
#include "varlink_interface.h"

/*
 * The lists of varlink_fields.h end with a comma, which the macros for whole
 * symbols do not take.
 */
#define SYMBOL(kind, prefix, symbol, flags, ...) \
	static const sd_varlink_symbol vl_##prefix##_##symbol = { \
		.name = #symbol, \
		.symbol_type = SD_VARLINK_##kind, \
		.symbol_flags = (flags), \
		.fields = { __VA_ARGS__ {} }, \
	}

#define TYPE(name, ...) SYMBOL(STRUCT_TYPE, type, name, 0, __VA_ARGS__)
#define METHOD(name, flags, ...) SYMBOL(METHOD, method, name, flags, __VA_ARGS__)

#define FLAGS_0		0
#define FLAGS_ARRAY	SD_VARLINK_ARRAY
#define FLAGS_NULLABLE	SD_VARLINK_NULLABLE
#define FLAGS_MANDATORY	0

#define FIELD(name, type, flags, comment, ...) \
	SD_VARLINK_FIELD_COMMENT(comment), \
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_##type, FLAGS_##flags),
#define FIELD_BY_TYPE(name, type, flags, comment, ...) \
	SD_VARLINK_FIELD_COMMENT(comment), \
	SD_VARLINK_DEFINE_FIELD_BY_TYPE(name, type, FLAGS_##flags),
#define OUTPUT(name, type, flags, comment, ...) \
	SD_VARLINK_FIELD_COMMENT(comment), \
	SD_VARLINK_DEFINE_OUTPUT(name, SD_VARLINK_##type, FLAGS_##flags),
#define OUTPUT_BY_TYPE(name, type, flags, comment, ...) \
	SD_VARLINK_FIELD_COMMENT(comment), \
	SD_VARLINK_DEFINE_OUTPUT_BY_TYPE(name, type, FLAGS_##flags),

#define INPUT_TEXT		SD_VARLINK_STRING, 0
#define INPUT_WORDS		SD_VARLINK_STRING, SD_VARLINK_ARRAY
#define INPUT_FLAG		SD_VARLINK_BOOL, 0
#define INPUT_PID		SD_VARLINK_INT, 0
#define INPUT_NUMBER		SD_VARLINK_INT, 0
#define INPUT_REQUEST		SD_VARLINK_INT, 0
#define INPUT_TIME		SD_VARLINK_INT, 0
#define INPUT_GIVEN_TIME	SD_VARLINK_INT, 0
#define INPUT_GIVEN_WORDS	SD_VARLINK_STRING, SD_VARLINK_ARRAY
#define INPUT_GIVEN_NUMBERS	SD_VARLINK_INT, SD_VARLINK_ARRAY
#define INPUT_OF(name, kind, need) INPUT_AS(name, kind, need)
#define INPUT_AS(name, type, flags, need) \
	SD_VARLINK_DEFINE_INPUT(name, type, (flags) | (need))
#define INPUT(name, kind, need, comment, ...) \
	SD_VARLINK_FIELD_COMMENT(comment), \
	INPUT_OF(name, INPUT_##kind, FLAGS_##need),

TYPE(Counter, COUNTER_FIELDS(FIELD));
TYPE(Observation, OBSERVATION_FIELDS(FIELD));
TYPE(Volume, VOLUME_FIELDS(FIELD, FIELD_BY_TYPE));
TYPE(Grant, GRANT_FIELDS(FIELD));
TYPE(Event, EVENT_FIELDS(FIELD));
TYPE(Keeper, KEEPER_FIELDS(FIELD));
TYPE(Request, REQUEST_FIELDS(FIELD));
TYPE(Approval, APPROVAL_FIELDS(FIELD));
TYPE(Transition, TRANSITION_FIELDS(FIELD));
TYPE(EventCount, EVENT_COUNT_FIELDS(FIELD));
TYPE(Waited, WAITED_FIELDS(FIELD));

METHOD(Status, 0, STATUS_FIELDS(OUTPUT, OUTPUT_BY_TYPE));
METHOD(Metrics, 0, METRICS_FIELDS(OUTPUT, OUTPUT_BY_TYPE));
METHOD(ListVolumes, 0,
       VOLUME_NAME_PARAMETERS(INPUT, NULLABLE)
       OUTPUT_BY_TYPE(volumes, Volume, ARRAY, "All, or the one of that name"));
METHOD(AddVolume, 0,
       ADD_VOLUME_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(volume, Volume, 0, "As it is protected now"));
METHOD(SetVolume, 0,
       SET_VOLUME_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(volume, Volume, 0, "As it is set now"));
METHOD(RemoveVolume, 0,
       VOLUME_NAME_PARAMETERS(INPUT, MANDATORY)
       OUTPUT(ended, INT, 0, "Grants that ended with it"));
METHOD(Grant, 0,
       GRANT_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(grant, Grant, 0, "What was given"));
METHOD(Ask, 0,
       ASK_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(request, Request, 0, "It waits for approval, unless the glass is broken")
       OUTPUT_BY_TYPE(grant, Grant, NULLABLE, "What was given then"));
METHOD(Acknowledge, 0,
       DECIDE_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(request, Request, 0, "As it is now"));
METHOD(ListRequests, 0,
       LIST_REQUESTS_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(requests, Request, ARRAY, "In the order of their numbers, the history in the opposite one"));
METHOD(ShowRequest, 0,
       SHOW_REQUEST_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(request, Request, 0, "As it is now")
       OUTPUT_BY_TYPE(approvals, Approval, ARRAY, "What people have said, in that order")
       OUTPUT_BY_TYPE(transitions, Transition, ARRAY, "How it came there"));
METHOD(Approve, 0,
       APPROVE_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(request, Request, 0, "As it is now")
       OUTPUT_BY_TYPE(grant, Grant, NULLABLE, "What was given; absent while others have to approve, or before it begins"));
METHOD(Deny, 0,
       DECIDE_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(request, Request, 0, "As it is now"));
METHOD(RevokeRequest, 0,
       DECIDE_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(request, Request, 0, "As it is now")
       OUTPUT(ended, INT, 0, "Grants that ended"));
METHOD(ExtendRequest, 0,
       EXTEND_REQUEST_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(request, Request, 0, "The new one, which needs the same approvals"));
METHOD(Service, 0,
       SERVICE_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(grants, Grant, ARRAY, "What the caller holds now"));
METHOD(Revoke, 0,
       REVOKE_PARAMETERS(INPUT)
       OUTPUT(ended, INT, 0, "Grants that ended"));
METHOD(Stop, 0,
       STOP_PARAMETERS(INPUT)
       OUTPUT(ended, INT, 0, "Grants that ended")
       OUTPUT(refused, INT, 0, "Requests that were refused"));
METHOD(Start, 0,
       STOP_PARAMETERS(INPUT));
METHOD(Observe, 0,
       OBSERVE_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(volume, Volume, 0, "As it is observed now"));
METHOD(Unobserve, 0,
       UNOBSERVE_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(volume, Volume, 0, "As it is set now"));
METHOD(ListGrants, SD_VARLINK_SUPPORTS_MORE,
       LIST_GRANTS_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(grants, Grant, ARRAY, "In the order of their numbers"));
METHOD(ListKeepers, 0,
       LIST_KEEPERS_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(keepers, Keeper, ARRAY, "At most 256, those first who have mappings")
       OUTPUT(more, INT, 0, "How many more there are"));
METHOD(Watch, SD_VARLINK_REQUIRES_MORE,
       WATCH_PARAMETERS(INPUT)
       OUTPUT_BY_TYPE(event, Event, 0, "One for each reply"));

static SD_VARLINK_DEFINE_ERROR(NotPermitted,
	SD_VARLINK_FIELD_COMMENT("Who asked"),
	SD_VARLINK_DEFINE_FIELD(who, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("What he may not do"),
	SD_VARLINK_DEFINE_FIELD(what, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("What would help"),
	SD_VARLINK_DEFINE_FIELD(cure, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_ERROR(NoSuchVolume,
	SD_VARLINK_DEFINE_FIELD(name, SD_VARLINK_STRING, 0));

static SD_VARLINK_DEFINE_ERROR(NoSuchGrant,
	SD_VARLINK_DEFINE_FIELD(id, SD_VARLINK_INT, 0));

static SD_VARLINK_DEFINE_ERROR(Refused,
	SD_VARLINK_FIELD_COMMENT("Error number"),
	SD_VARLINK_DEFINE_FIELD(errno, SD_VARLINK_INT, 0),
	SD_VARLINK_FIELD_COMMENT("What the kernel or the agent has against it"),
	SD_VARLINK_DEFINE_FIELD(message, SD_VARLINK_STRING, 0),
	SD_VARLINK_FIELD_COMMENT("Parameter or attribute at fault"),
	SD_VARLINK_DEFINE_FIELD(attribute, SD_VARLINK_STRING, SD_VARLINK_NULLABLE));

SD_VARLINK_DEFINE_INTERFACE(io_trustgate_Agent, "io.trustgate.Agent",
	SD_VARLINK_INTERFACE_COMMENT("The agent of Trustgate, which alone gives access to protected volumes. Times are CLOCK_BOOTTIME."),
	SD_VARLINK_SYMBOL_COMMENT("Verdicts that ended with one cause"),
	&vl_type_Counter,
	SD_VARLINK_SYMBOL_COMMENT("A volume is observed, or was: nothing is denied on it"),
	&vl_type_Observation,
	SD_VARLINK_SYMBOL_COMMENT("A filesystem under protection"),
	&vl_type_Volume,
	SD_VARLINK_SYMBOL_COMMENT("A time-limited permission of one process on one file or subtree"),
	&vl_type_Grant,
	SD_VARLINK_SYMBOL_COMMENT("Something that happened"),
	&vl_type_Event,
	SD_VARLINK_SYMBOL_COMMENT("A process that has files of a volume open or mapped, with a grant or without"),
	&vl_type_Keeper,
	SD_VARLINK_SYMBOL_COMMENT("Something that people have to decide about, such as an open that waits"),
	&vl_type_Request,
	SD_VARLINK_SYMBOL_COMMENT("What one person has said about a request"),
	&vl_type_Approval,
	SD_VARLINK_SYMBOL_COMMENT("A change of a request's state"),
	&vl_type_Transition,
	SD_VARLINK_SYMBOL_COMMENT("Events of one type"),
	&vl_type_EventCount,
	SD_VARLINK_SYMBOL_COMMENT("How long opens waited that ended in one way"),
	&vl_type_Waited,
	SD_VARLINK_SYMBOL_COMMENT("State of the gate, its limits and totals. For root and trustees."),
	&vl_method_Status,
	SD_VARLINK_SYMBOL_COMMENT("What the agent has counted since its start, beyond Status and ListVolumes. For root and trustees."),
	&vl_method_Metrics,
	SD_VARLINK_SYMBOL_COMMENT("Volumes under protection. For root and trustees."),
	&vl_method_ListVolumes,
	SD_VARLINK_SYMBOL_COMMENT("Protect a mounted filesystem. For trustees."),
	&vl_method_AddVolume,
	SD_VARLINK_SYMBOL_COMMENT("Change settings of a volume. For trustees."),
	&vl_method_SetVolume,
	SD_VARLINK_SYMBOL_COMMENT("End all grants of a volume and stop protecting it. For trustees."),
	&vl_method_RemoveVolume,
	SD_VARLINK_SYMBOL_COMMENT("Give a grant. For trustees; for the caller itself also by a rule in self-grants."),
	&vl_method_Grant,
	SD_VARLINK_SYMBOL_COMMENT("Ask for a grant for the caller itself, to be approved by people. For everybody."),
	&vl_method_Ask,
	SD_VARLINK_SYMBOL_COMMENT("Acknowledge that somebody broke the glass. For trustees other than him."),
	&vl_method_Acknowledge,
	SD_VARLINK_SYMBOL_COMMENT("Requests that wait for people. For root and trustees; for tenants on their volumes."),
	&vl_method_ListRequests,
	SD_VARLINK_SYMBOL_COMMENT("All about one request. For the same, and for who has asked."),
	&vl_method_ShowRequest,
	SD_VARLINK_SYMBOL_COMMENT("Approve a request. For trustees and tenants of the volume, but not for who asks himself, and once for each person."),
	&vl_method_Approve,
	SD_VARLINK_SYMBOL_COMMENT("Deny a request, whatever others say. For root, trustees, tenants of the volume, and who has asked."),
	&vl_method_Deny,
	SD_VARLINK_SYMBOL_COMMENT("End the grant of a request. For the same."),
	&vl_method_RevokeRequest,
	SD_VARLINK_SYMBOL_COMMENT("Ask for more time for the grant of a request. For the user of its process, trustees, and tenants of the volume."),
	&vl_method_ExtendRequest,
	SD_VARLINK_SYMBOL_COMMENT("Give the standing grants of a configured service to its main or control process, which is the caller."),
	&vl_method_Service,
	SD_VARLINK_SYMBOL_COMMENT("End grants at once. For root and trustees."),
	&vl_method_Revoke,
	SD_VARLINK_SYMBOL_COMMENT("End all grants, refuse all requests, and give nothing until it is started again, also after a restart. For root and trustees."),
	&vl_method_Stop,
	SD_VARLINK_SYMBOL_COMMENT("Give grants again on what was stopped. For trustees."),
	&vl_method_Start,
	SD_VARLINK_SYMBOL_COMMENT("Have accesses to a volume recorded and not denied, for a time; on record before it begins. Again, with another time, to change it. For trustees."),
	&vl_method_Observe,
	SD_VARLINK_SYMBOL_COMMENT("Have them denied again. For root and trustees."),
	&vl_method_Unobserve,
	SD_VARLINK_SYMBOL_COMMENT("Live grants; with more in several replies. For root and trustees."),
	&vl_method_ListGrants,
	SD_VARLINK_SYMBOL_COMMENT("Who has files of volumes open or mapped. For root and trustees."),
	&vl_method_ListKeepers,
	SD_VARLINK_SYMBOL_COMMENT("Events from now on. For root and trustees; to supervise, for trustees."),
	&vl_method_Watch,
	SD_VARLINK_SYMBOL_COMMENT("The caller is not the one who may do that"),
	&vl_error_NotPermitted,
	SD_VARLINK_SYMBOL_COMMENT("No volume of that name is protected"),
	&vl_error_NoSuchVolume,
	SD_VARLINK_SYMBOL_COMMENT("No such grant is live"),
	&vl_error_NoSuchGrant,
	SD_VARLINK_SYMBOL_COMMENT("It cannot be done as asked; nothing was changed"),
	&vl_error_Refused);
