// SPDX-License-Identifier: GPL-2.0-only
/*
 * A gate without a kernel, in place of libtrustgate's calls.
 *
 * Owns: the state that the kernel would have, in a file that outlives the
 * agent, named by TRUSTGATE_FAKE.
 *
 * Must not own: names and texts, which are the library's own.
 *
 * The "netlink socket" is a datagram socket with a name, which whoever adopts
 * the descriptor sees, too, and to which the test sends events. As in the
 * kernel, the agent is lost when the last descriptor of its socket is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <trustgate.h>

#define VOLUMES	8
#define GRANTS	4096

struct state {
	char agent[32];
	uint32_t agent_port;
	pid_t agent_pid;
	uint8_t secret[TRUSTGATE_SECRET_LEN];
	uint32_t ports;
	uint32_t last_volume;
	uint64_t last_grant;
	uint64_t seq;
	struct trustgate_volume volumes[VOLUMES];
	struct trustgate_grant grants[GRANTS];
};

struct trustgate_conn {
	struct state *state;
	int fd;
	uint32_t port;
	char name[32];
	char error[256];
	char attribute[64];
	bool has_message;
	bool unsure;
};

__attribute__((format(printf, 4, 5)))
static int fail(struct trustgate_conn *conn, int error, const char *attribute,
		const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(conn->error, sizeof(conn->error), format, arguments);
	va_end(arguments);
	snprintf(conn->attribute, sizeof(conn->attribute), "%s", attribute ? attribute : "");
	conn->has_message = true;
	conn->unsure = false;
	return -error;
}

/*
 * What a request with its name gets for an answer. The test puts a file beside
 * that of the state, and a request that was done finds it once: "lose-NAME" is
 * an answer that never came, "kill-NAME" the death of the agent meanwhile.
 */
static int answer(struct trustgate_conn *conn, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s.kill-%s", getenv("TRUSTGATE_FAKE"), name);
	if (unlink(path) == 0)
		raise(SIGKILL);
	snprintf(path, sizeof(path), "%s.lose-%s", getenv("TRUSTGATE_FAKE"), name);
	if (unlink(path) < 0)
		return 0;
	fail(conn, ETIMEDOUT, NULL, "cannot %s: no answer", name);
	conn->has_message = false;
	conn->unsure = true;
	return -ETIMEDOUT;
}

/* A test without memory has nothing to say. */
static void *take(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		abort();
	return memory;
}

static void address_of(const char *name, struct sockaddr_un *address, socklen_t *length)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path + 1, name, strlen(name));
	*length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Whether some process has the named socket open. */
static bool is_open(const char *name)
{
	struct sockaddr_un address;
	socklen_t length;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool open;

	address_of(name, &address, &length);
	open = name[0] && connect(fd, (struct sockaddr *)&address, length) == 0;
	close(fd);
	return open;
}

static void end_grant(struct state *state, struct trustgate_grant *grant)
{
	for (int i = 0; i < VOLUMES; i++)
		if (state->volumes[i].id == grant->volume_id)
			state->volumes[i].grants--;
	memset(grant, 0, sizeof(*grant));
}

/* What the kernel does when the socket is released. */
static void notice_loss(struct state *state)
{
	if (!state->agent_port || is_open(state->agent))
		return;
	state->agent_port = 0;
	state->agent[0] = '\0';
	for (int i = 0; i < GRANTS; i++)
		for (int j = 0; j < VOLUMES; j++)
			if (state->grants[i].id && state->volumes[j].id == state->grants[i].volume_id &&
			    state->volumes[j].on_agent_loss == TRUSTGATE_ON_AGENT_LOSS_REVOKE)
				end_grant(state, &state->grants[i]);
}

int trustgate_new(struct trustgate_conn **ret_conn)
{
	const char *path = getenv("TRUSTGATE_FAKE");
	struct trustgate_conn *conn;
	int fd;

	fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || ftruncate(fd, sizeof(struct state)) < 0)
		abort();
	conn = take(1, sizeof(*conn));
	conn->state = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	conn->fd = -1;
	*ret_conn = conn;
	return 0;
}

void trustgate_free(struct trustgate_conn *conn)
{
	if (!conn)
		return;
	if (conn->fd >= 0)
		close(conn->fd);
	munmap(conn->state, sizeof(*conn->state));
	free(conn);
}

int trustgate_connect(struct trustgate_conn *conn)
{
	struct sockaddr_un address;
	socklen_t length;

	if (getenv("TRUSTGATE_FAKE_NO_MODULE"))
		return fail(conn, EPROTONOSUPPORT, NULL, "no such family");
	conn->port = ++conn->state->ports;
	snprintf(conn->name, sizeof(conn->name), "tgfake-%d-%u", (int)getpid(), conn->port);
	address_of(conn->name, &address, &length);
	conn->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (conn->fd < 0 || bind(conn->fd, (struct sockaddr *)&address, length) < 0)
		return fail(conn, errno, NULL, "cannot bind");
	return 0;
}

int trustgate_adopt(struct trustgate_conn *conn, int fd)
{
	struct sockaddr_un address;
	socklen_t length = sizeof(address);
	unsigned int pid;

	memset(&address, 0, sizeof(address));
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return fail(conn, errno, NULL, "not a socket");
	if (sscanf(address.sun_path + 1, "tgfake-%u-%u", &pid, &conn->port) != 2)
		return fail(conn, EPROTOTYPE, NULL, "not a generic netlink socket");
	snprintf(conn->name, sizeof(conn->name), "%.31s", address.sun_path + 1);
	conn->fd = fd;
	return 0;
}

int trustgate_fd(const struct trustgate_conn *conn)
{
	return conn->fd;
}

uint32_t trustgate_port_id(const struct trustgate_conn *conn)
{
	return conn->port;
}

const char *trustgate_error_text(const struct trustgate_conn *conn)
{
	return conn->error;
}

const char *trustgate_error_message(const struct trustgate_conn *conn)
{
	return conn->has_message ? conn->error : NULL;
}

const char *trustgate_error_attribute(const struct trustgate_conn *conn)
{
	return conn->attribute[0] ? conn->attribute : NULL;
}

bool trustgate_error_unsure(const struct trustgate_conn *conn)
{
	return conn->unsure;
}

int trustgate_gate_get(struct trustgate_conn *conn, struct trustgate_gate *ret_gate)
{
	struct state *state = conn->state;

	notice_loss(state);
	memset(ret_gate, 0, sizeof(*ret_gate));
	ret_gate->abi_version = TRUSTGATE_ABI_VERSION;
	ret_gate->agent_pid = state->agent_pid;
	ret_gate->volumes_max = VOLUMES;
	ret_gate->grants_max = GRANTS;
	ret_gate->event_seq = state->seq;
	for (int i = 0; i < VOLUMES; i++)
		ret_gate->volumes += !!state->volumes[i].id;
	for (int i = 0; i < GRANTS; i++)
		ret_gate->grants += !!state->grants[i].id;
	ret_gate->state = ret_gate->volumes ? TRUSTGATE_GATE_STATE_ARMED :
					      TRUSTGATE_GATE_STATE_IDLE;
	ret_gate->hooks = take(1, sizeof(*ret_gate->hooks));
	strcpy(ret_gate->hooks[0], "file_open");
	ret_gate->hooks_count = 1;
	return 0;
}

void trustgate_gate_clear(struct trustgate_gate *gate)
{
	free(gate->hooks);
	gate->hooks = NULL;
}

int trustgate_agent_is_self(struct trustgate_conn *conn)
{
	notice_loss(conn->state);
	return conn->state->agent_port && conn->state->agent_port == conn->port;
}

int trustgate_agent_bind(struct trustgate_conn *conn,
			 const uint8_t secret[TRUSTGATE_SECRET_LEN], uint64_t *ret_event_seq)
{
	struct state *state = conn->state;
	bool volumes = false;

	notice_loss(state);
	if (state->agent_port == conn->port)
		return fail(conn, EALREADY, NULL, "already the agent");
	if (state->agent_port)
		return fail(conn, EBUSY, NULL, "socket %u is the agent", state->agent_port);
	for (int i = 0; i < VOLUMES; i++)
		volumes = volumes || state->volumes[i].id;
	if (volumes && memcmp(state->secret, secret, TRUSTGATE_SECRET_LEN))
		return fail(conn, EACCES, "secret", "not the secret of the former agent");
	memcpy(state->secret, secret, TRUSTGATE_SECRET_LEN);
	state->agent_port = conn->port;
	state->agent_pid = getpid();
	memcpy(state->agent, conn->name, sizeof(state->agent));
	*ret_event_seq = state->seq;
	return answer(conn, "agent-bind");
}

/* ---- volumes ---- */

static struct trustgate_volume *find_volume(struct state *state, uint32_t id, const char *name)
{
	for (int i = 0; i < VOLUMES; i++)
		if (state->volumes[i].id &&
		    (id ? state->volumes[i].id == id :
			  name && !strcmp(state->volumes[i].name, name)))
			return &state->volumes[i];
	return NULL;
}

static void set(struct trustgate_volume *volume, const struct trustgate_volume_settings *settings)
{
	if (settings->fields & TRUSTGATE_VOLUME_FIELD_MAX_DURATION)
		volume->max_duration_ns = settings->max_duration_ns;
	if (settings->fields & TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS)
		volume->on_agent_loss = settings->on_agent_loss;
	if (settings->fields & TRUSTGATE_VOLUME_FIELD_RECORD)
		volume->record = settings->record;
}

int trustgate_volume_add(struct trustgate_conn *conn, const char *name, const char *path,
			 int fd, const struct trustgate_volume_settings *settings,
			 uint32_t *ret_id)
{
	struct state *state = conn->state;
	struct stat st;

	if (path || fstat(fd, &st) < 0 || !(fcntl(fd, F_GETFL) & O_PATH))
		return fail(conn, EBADF, "fd", "the agent is to give an O_PATH descriptor");
	if (find_volume(state, 0, name))
		return fail(conn, EEXIST, "name", "another volume has this name");
	for (int i = 0; i < VOLUMES; i++) {
		struct trustgate_volume *volume = &state->volumes[i];

		if (volume->id)
			continue;
		memset(volume, 0, sizeof(*volume));
		volume->id = ++state->last_volume;
		snprintf(volume->name, sizeof(volume->name), "%s", name);
		strcpy(volume->fstype, "fake");
		snprintf(volume->device, sizeof(volume->device), "0:%llu",
			 (unsigned long long)st.st_ino);
		volume->max_duration_ns = UINT64_C(3600000000000);
		volume->added_boottime_ns = now_ns();
		set(volume, settings);
		*ret_id = volume->id;
		return answer(conn, "volume-add");
	}
	return fail(conn, ENOSPC, NULL, "too many volumes");
}

int trustgate_volume_set(struct trustgate_conn *conn, uint32_t id,
			 const struct trustgate_volume_settings *settings)
{
	struct trustgate_volume *volume = find_volume(conn->state, id, NULL);

	if (!volume)
		return fail(conn, ENOENT, "id", "no such volume");
	set(volume, settings);
	return answer(conn, "volume-set");
}

int trustgate_volume_del(struct trustgate_conn *conn, uint32_t id)
{
	struct trustgate_volume *volume = find_volume(conn->state, id, NULL);

	if (!volume)
		return fail(conn, ENOENT, "id", "no such volume");
	memset(volume, 0, sizeof(*volume));
	return answer(conn, "volume-del");
}

int trustgate_volume_get(struct trustgate_conn *conn, uint32_t id, const char *name,
			 struct trustgate_volume *ret_volume)
{
	struct trustgate_volume *volume = find_volume(conn->state, id, name);

	if (!volume)
		return fail(conn, ENOENT, "name", "no such volume");
	*ret_volume = *volume;
	return 0;
}

int trustgate_volume_list(struct trustgate_conn *conn, struct trustgate_volume **ret_volumes,
			  size_t *ret_count, struct trustgate_dump *ret_dump)
{
	(void)ret_dump;
	*ret_volumes = take(VOLUMES, sizeof(**ret_volumes));
	*ret_count = 0;
	for (int i = 0; i < VOLUMES; i++)
		if (conn->state->volumes[i].id)
			(*ret_volumes)[(*ret_count)++] = conn->state->volumes[i];
	return 0;
}

/* ---- grants ---- */

static int add_one(struct trustgate_conn *conn, const struct trustgate_grant_request *request,
		   struct trustgate_grant_added *added)
{
	struct state *state = conn->state;
	struct trustgate_volume *volume = find_volume(state, request->volume_id, NULL);
	struct trustgate_grant *grant = NULL;
	struct stat st;

	if (!volume)
		return fail(conn, ENOENT, "grant[0].volume-id", "no such volume");
	if (request->fd < 0 || request->path || fstat(request->fd, &st) < 0)
		return fail(conn, EBADF, "grant[0].fd", "the agent is to give a descriptor");
	if (!request->start_ticks)
		return fail(conn, EINVAL, "grant[0].start-ticks", "the agent is to give a start");
	if (request->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC &&
	    request->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC)
		return fail(conn, EINVAL, "grant[0].flags", "not both");
	if (request->expires_boottime_ns - now_ns() > volume->max_duration_ns)
		return fail(conn, ERANGE, "grant[0].expires-boottime-ns",
			    "longer than this volume's max-duration-ns");
	for (int i = 0; i < GRANTS && !grant; i++)
		if (!state->grants[i].id)
			grant = &state->grants[i];
	if (!grant)
		return fail(conn, ENOSPC, NULL, "too many grants");
	*grant = (struct trustgate_grant){
		.id = ++state->last_grant,
		.volume_id = request->volume_id,
		.pid = request->pid,
		.start_ticks = request->start_ticks,
		.flags = request->flags,
		.object_kind = request->object_kind,
		.ino = st.st_ino,
		.access = request->access,
		.not_before_boottime_ns = request->not_before_boottime_ns,
		.expires_boottime_ns = request->expires_boottime_ns,
		.max_uses = request->max_uses,
		.reason = request->reason,
		.tag = request->tag,
		.created_boottime_ns = now_ns(),
	};
	snprintf(grant->ticket, sizeof(grant->ticket), "%s", request->ticket ?: "");
	volume->grants++;
	*added = (struct trustgate_grant_added){
		.id = grant->id, .pid = grant->pid, .start_ticks = grant->start_ticks,
		.object_kind = grant->object_kind, .ino = grant->ino,
	};
	return 0;
}

int trustgate_grant_add(struct trustgate_conn *conn,
			const struct trustgate_grant_request *requests, size_t count,
			struct trustgate_grant_added *ret_added)
{
	int r = 0;

	if (trustgate_agent_is_self(conn) != 1)
		return fail(conn, EPERM, NULL, "not the agent");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_one(conn, &requests[i], &ret_added[i]);
	return r < 0 ? r : answer(conn, "grant-add");
}

int trustgate_grant_get(struct trustgate_conn *conn, uint64_t id, struct trustgate_grant *ret)
{
	for (int i = 0; i < GRANTS; i++)
		if (conn->state->grants[i].id == id) {
			*ret = conn->state->grants[i];
			return 0;
		}
	return fail(conn, ENOENT, "id", "no such grant");
}

int trustgate_grant_each(struct trustgate_conn *conn, const struct trustgate_grant_filter *filter,
			 const struct trustgate_grant_visitor *visitor, void *userdata,
			 struct trustgate_dump *ret_dump)
{
	int r = visitor->begin ? visitor->begin(userdata) : 0;

	(void)ret_dump;
	if (r == 0)
		r = answer(conn, "grant-get");
	for (int i = 0; r == 0 && i < GRANTS; i++) {
		const struct trustgate_grant *grant = &conn->state->grants[i];

		if (!grant->id || (filter && filter->volume_id &&
				   grant->volume_id != filter->volume_id) ||
		    (filter && filter->pid && grant->pid != filter->pid))
			continue;
		r = visitor->grant(grant, userdata);
	}
	return r;
}

struct collected {
	struct trustgate_grant *grants;
	size_t count;
};

static int collect(const struct trustgate_grant *grant, void *userdata)
{
	struct collected *collected = userdata;

	collected->grants[collected->count++] = *grant;
	return 0;
}

int trustgate_grant_list(struct trustgate_conn *conn, const struct trustgate_grant_filter *filter,
			 struct trustgate_grant **ret_grants, size_t *ret_count,
			 struct trustgate_dump *ret_dump)
{
	static const struct trustgate_grant_visitor visitor = { .grant = collect };
	struct collected collected = { .grants = take(GRANTS, sizeof(struct trustgate_grant)) };

	trustgate_grant_each(conn, filter, &visitor, &collected, ret_dump);
	*ret_grants = collected.grants;
	*ret_count = collected.count;
	return 0;
}

struct trustgate_grant_cursor {
	struct trustgate_conn *conn;
	struct trustgate_grant_filter filter;
	int at;
};

int trustgate_grant_cursor_open(struct trustgate_conn *conn,
				const struct trustgate_grant_filter *filter,
				struct trustgate_grant_cursor **ret_cursor)
{
	*ret_cursor = take(1, sizeof(**ret_cursor));
	(*ret_cursor)->conn = conn;
	(*ret_cursor)->filter = *filter;
	return 0;
}

int trustgate_grant_cursor_next(struct trustgate_grant_cursor *cursor,
				struct trustgate_grant *grants, size_t max, size_t *ret_count)
{
	const struct trustgate_grant_filter *filter = &cursor->filter;

	*ret_count = 0;
	for (; cursor->at < GRANTS && *ret_count < max; cursor->at++) {
		const struct trustgate_grant *grant = &cursor->conn->state->grants[cursor->at];

		if (grant->id && (!filter->volume_id || grant->volume_id == filter->volume_id) &&
		    (!filter->pid || grant->pid == filter->pid))
			grants[(*ret_count)++] = *grant;
	}
	return *ret_count > 0;
}

void trustgate_grant_cursor_close(struct trustgate_grant_cursor *cursor)
{
	free(cursor);
}

static int revoke_where(struct trustgate_conn *conn, uint32_t volume_id, pid_t pid,
			uint64_t *ret_ended)
{
	uint64_t ended = 0;

	for (int i = 0; i < GRANTS; i++) {
		struct trustgate_grant *grant = &conn->state->grants[i];

		if (!grant->id || (volume_id && grant->volume_id != volume_id) ||
		    (pid && grant->pid != pid))
			continue;
		end_grant(conn->state, grant);
		ended++;
	}
	if (ret_ended)
		*ret_ended = ended;
	return answer(conn, "grant-del");
}

int trustgate_revoke_ids(struct trustgate_conn *conn, const uint64_t *ids, size_t count,
			 uint64_t *ret_ended)
{
	struct trustgate_grant grant;

	for (size_t i = 0; i < count; i++)
		if (trustgate_grant_get(conn, ids[i], &grant) < 0)
			return fail(conn, ENOENT, "id", "no such grant");
	for (size_t i = 0; i < count; i++)
		for (int j = 0; j < GRANTS; j++)
			if (conn->state->grants[j].id == ids[i])
				end_grant(conn->state, &conn->state->grants[j]);
	*ret_ended = count;
	return answer(conn, "grant-del");
}

int trustgate_revoke_volume(struct trustgate_conn *conn, uint32_t volume_id, uint64_t *ret_ended)
{
	return revoke_where(conn, volume_id, 0, ret_ended);
}

int trustgate_revoke_pid(struct trustgate_conn *conn, pid_t pid, uint64_t *ret_ended)
{
	return revoke_where(conn, 0, pid, ret_ended);
}

int trustgate_revoke_all(struct trustgate_conn *conn, uint64_t *ret_ended)
{
	return revoke_where(conn, 0, 0, ret_ended);
}

/* ---- events: datagrams "TYPE VOLUME PID PATH" ---- */

int trustgate_event_next(struct trustgate_conn *conn, struct trustgate_event *event)
{
	char text[512], type[32];
	ssize_t length = recv(conn->fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (length < 0)
		return errno == EAGAIN ? 0 : fail(conn, errno, NULL, "cannot receive");
	text[length] = '\0';
	memset(event, 0, sizeof(*event));
	if (sscanf(text, "%31s %63s %d %191[^\n]", type, event->volume_name, &event->pid,
		   event->path) != 4 ||
	    trustgate_value(TRUSTGATE_NAMES_EVENT_TYPE, type, &event->type) < 0)
		abort();
	event->seq = ++conn->state->seq;
	event->access = TRUSTGATE_ACCESS_READ;
	event->cause = TRUSTGATE_CAUSE_NO_GRANT;
	strcpy(event->comm, "cat");
	event->present = ~UINT64_C(0);
	return 1;
}

size_t trustgate_events_pending(const struct trustgate_conn *conn)
{
	(void)conn;
	return 0;
}
