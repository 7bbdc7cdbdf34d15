// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - denials in the kernel's audit trail; see audit.h.
 */

#include <linux/audit.h>
#include <linux/ctype.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>

#include "audit.h"
#include "event.h"
#include "names.h"

static unsigned int audit_burst = 100;
module_param(audit_burst, uint, 0644);
MODULE_PARM_DESC(audit_burst, "Most audit records in one interval, 0 for none (default 100)");

static unsigned int audit_interval_s = 5;
module_param(audit_interval_s, uint, 0644);
MODULE_PARM_DESC(audit_interval_s, "Length of that interval in seconds (default 5)");

/* Only the publisher's work writes these. */
static unsigned long interval_began;
static unsigned int written;
static u64 suppressed_since_record;
static u64 suppressed_total;

u64 trustgate_audit_suppressed(void)
{
	return READ_ONCE(suppressed_total);
}

static bool over_limit(void)
{
	unsigned long length = (unsigned long)READ_ONCE(audit_interval_s) * HZ;

	if (!interval_began || time_after(jiffies, interval_began + length)) {
		interval_began = jiffies | 1;
		written = 0;
	}
	return written >= READ_ONCE(audit_burst);
}

static void suppress(void)
{
	suppressed_since_record++;
	WRITE_ONCE(suppressed_total, suppressed_total + 1);
}

/* As audit_log_untrustedstring(), which modules cannot call. */
static void log_untrusted(struct audit_buffer *ab, const char *key,
			  const char *text)
{
	const char *c;

	for (c = text; *c; c++) {
		if (*c == '"' || *c < 0x21 || *c > 0x7e)
			break;
	}
	if (!*c) {
		audit_log_format(ab, " %s=\"%s\"", key, text);
		return;
	}
	audit_log_format(ab, " %s=", key);
	for (c = text; *c; c++)
		audit_log_format(ab, "%02X", (unsigned char)*c);
}

void trustgate_audit_denial(const struct trustgate_event *event)
{
	const bool observed = event->type == TRUSTGATE_EVENT_TYPE_OBSERVED;
	struct audit_buffer *ab;

	if (!audit_enabled)
		return;
	if (over_limit()) {
		suppress();
		return;
	}
	ab = audit_log_start(NULL, GFP_NOWAIT, AUDIT_KERNEL_OTHER);
	if (!ab) {
		suppress();
		return;
	}
	written++;
	audit_log_format(ab, "trustgate=%s seq=%llu cause=%s hook=%s access=%s",
			 observed ? "observed" : "denied",
			 event->seq, trustgate_cause_name(event->cause),
			 event->hook, trustgate_access_names(event->access).text);
	audit_log_format(ab, " pid=%d tid=%d uid=%u auid=%u",
			 event->pid, event->tid, event->uid, event->loginuid);
	if (event->target_pid)
		audit_log_format(ab, " target=%d", event->target_pid);
	log_untrusted(ab, "comm", event->comm);
	log_untrusted(ab, "volume", event->volume_name);
	if (event->path[0])
		log_untrusted(ab, "path", event->path);
	audit_log_format(ab, " ino=%llu suppressed=%llu res=%d", event->ino,
			 suppressed_since_record, observed);
	suppressed_since_record = 0;
	audit_log_end(ab);
}
