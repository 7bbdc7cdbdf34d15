// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault_ask - a request that is made while an allocation fails; see
 * fault_ask.h.
 */

#include "fault_ask.h"

int fault_ask(void *context)
{
	struct fault_ask *request = context;
	struct raw_answer *answer = request->stage->answer;
	int err;

	answer->error = 0;
	request->socket->gives_up = true;
	if (request->dump) {
		err = raw_dump(request->socket, request->stage->message, NULL,
			       NULL, NULL, answer);
	} else {
		err = raw_ask(request->socket, request->stage->message, answer);
		err = err ? err : answer->error;
	}
	request->socket->gives_up = false;
	return err;
}

bool fault_refused(const struct fault_ask *request, int result)
{
	return result && request->stage->answer->error;
}
