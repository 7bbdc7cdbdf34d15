// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - start, reload and end of the agent.
 *
 * Owns: the options, the order in which the parts start and stop, signals.
 *
 * Must not own: what the parts do.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "agent.h"
#include "journal.h"
#include "policy.h"
#include "requests.h"
#include "varlink.h"

#define CONFIG_PATH		"/etc/trustgate/trusteed.yaml"
#define SOCKET_PATH		"/run/trusteed/io.trustgate.Agent"
#define STATE_DIRECTORY		"/var/lib/trusteed"
#define RUNTIME_DIRECTORY	"/run/trusteed"
#define JOURNAL_PATH		"/run/systemd/journal/socket"

static void print_help(void)
{
	printf("Usage: trusteed [OPTION]...\n"
	       "The trustee's agent: gives access to volumes that Trustgate protects.\n"
	       "\n"
	       "  --config FILE             configuration (" CONFIG_PATH ")\n"
	       "  --check                   check the configuration and exit\n"
	       "  --socket PATH             where to offer io.trustgate.Agent\n"
	       "                            (" SOCKET_PATH ")\n"
	       "  --state-directory DIR     where the secret is kept (" STATE_DIRECTORY ")\n"
	       "  --runtime-directory DIR   where notes on live grants are kept\n"
	       "                            (" RUNTIME_DIRECTORY ")\n"
	       "  --help                    show this text\n"
	       "  --version                 show the version\n"
	       "\n"
	       "See trusteed(8) and trusteed.yaml(5).\n");
}

/* Returns -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
	enum { CONFIG = 256, CHECK, SOCKET, STATE, RUNTIME, HELP, VERSION };
	static const struct option known[] = {
		{ "config", required_argument, NULL, CONFIG },
		{ "check", no_argument, NULL, CHECK },
		{ "socket", required_argument, NULL, SOCKET },
		{ "state-directory", required_argument, NULL, STATE },
		{ "runtime-directory", required_argument, NULL, RUNTIME },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		switch (option) {
		case CONFIG:
			options->config_path = optarg;
			break;
		case CHECK:
			options->check = true;
			break;
		case SOCKET:
			options->socket_path = optarg;
			break;
		case STATE:
			options->state_directory = optarg;
			break;
		case RUNTIME:
			options->runtime_directory = optarg;
			break;
		case HELP:
			print_help();
			return EXIT_SUCCESS;
		case VERSION:
			printf("trusteed %s\n", TRUSTGATE_VERSION);
			return EXIT_SUCCESS;
		default:
			fprintf(stderr, "Try \"trusteed --help\".\n");
			return EXIT_FAILURE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "trusteed: unexpected argument \"%s\"\n", argv[optind]);
		return EXIT_FAILURE;
	}
	return -1;
}

static int check_only(const struct options *options)
{
	char error[CONFIG_ERROR_SIZE];
	struct policy *policy = NULL;
	struct config *config;

	if (config_load(options->config_path, &config, error) < 0) {
		fprintf(stderr, "%s\n", error);
		return EXIT_FAILURE;
	}
	if (config->policy && policy_load(config->policy, &policy, error) < 0) {
		fprintf(stderr, "%s\n", error);
		config_free(config);
		return EXIT_FAILURE;
	}
	policy_free(policy);
	printf("%s: %zu trustees, %zu volumes, %zu services\n", options->config_path,
	       config->trustees_count, config->volumes_count, config->services_count);
	config_free(config);
	return EXIT_SUCCESS;
}

/* ---- signals ---- */

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info,
			void *userdata)
{
	struct agent *agent = userdata;

	(void)source;
	journal_note(LOG_INFO, "ending on signal %s", strsignal((int)info->ssi_signo));
	store_stopping();
	return sd_event_exit(agent->event, EXIT_SUCCESS);
}

/* A bad file changes nothing: the agent goes on with what it has. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info,
		     void *userdata)
{
	struct agent *agent = userdata;
	char error[CONFIG_ERROR_SIZE];
	struct config *config, *old = agent->config;

	(void)source;
	(void)info;
	store_reloading();
	if (config_load(agent->options.config_path, &config, error) < 0) {
		journal_note(LOG_ERR, "the old configuration stays in force: %s", error);
		store_ready(agent);
		return 0;
	}
	agent->config = config;
	volumes_reconfigure(agent);
	services_reconfigure(agent);
	units_reconfigure(agent);
	asked_reconfigure(agent);
	supervision_resync(agent);
	config_free(old);
	journal_note(LOG_INFO, "configuration read again");
	store_ready(agent);
	return 0;
}

static int add_signals(struct agent *agent)
{
	int r;

	r = sd_event_add_signal(agent->event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK,
				on_terminate, agent);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL,
					SIGINT | SD_EVENT_SIGNAL_PROCMASK,
					on_terminate, agent);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL,
					SIGHUP | SD_EVENT_SIGNAL_PROCMASK,
					on_reload, agent);
	return r < 0 ? r : 0;
}

/* ---- start and end ---- */

static int start(struct agent *agent)
{
	int netlink_fd, varlink_fd, r;

	store_take(&netlink_fd, &varlink_fd);
	r = sd_event_default(&agent->event);
	if (r < 0)
		return r;
	r = journal_attach(agent->event);
	if (r == 0)
		r = add_signals(agent);
	if (r == 0)
		r = secret_load(agent->options.state_directory, agent->secret);
	if (r == 0)
		r = stopped_start(agent);
	if (r == 0)
		r = accounting_start(agent);
	if (r == 0)
		r = metrics_start(agent);
	if (r == 0)
		r = requests_start(agent);
	/* What consumes events comes before the gate that produces them. */
	if (r == 0)
		r = report_start(agent);
	if (r == 0)
		r = watch_start(agent);
	if (r == 0)
		r = listing_start(agent);
	if (r == 0)
		r = services_start(agent);
	if (r == 0)
		r = gate_start(agent, netlink_fd);
	if (r == 0)
		r = ledger_open(agent);
	if (r == 0)
		r = pending_start(agent);
	if (r == 0)
		r = supervision_start(agent);
	/* The volumes first: until they are protected nothing else matters. */
	if (r == 0)
		r = lower_start(agent);
	if (r == 0)
		r = volumes_start(agent);
	if (r == 0)
		r = units_start(agent);
	if (r == 0)
		r = asked_start(agent);
	if (r == 0)
		r = varlink_start(agent, varlink_fd);
	if (r == 0)
		r = sd_event_set_watchdog(agent->event, true);
	return r < 0 ? r : 0;
}

static void stop(struct agent *agent)
{
	varlink_stop(agent);
	listing_stop(agent);
	watch_stop(agent);
	asked_stop(agent);
	supervision_stop(agent);
	requests_stop(agent);
	units_stop(agent);
	services_stop(agent);
	volumes_stop(agent);
	lower_stop(agent);
	report_stop(agent);
	accounting_stop(agent);
	pending_stop(agent);
	ledger_close(agent);
	gate_stop(agent);
	stopped_stop(agent);
	metrics_stop(agent);
	config_free(agent->config);
	journal_detach();
	sd_event_unref(agent->event);
}

static int run(struct agent *agent)
{
	char error[CONFIG_ERROR_SIZE];
	int r;

	if (config_load(agent->options.config_path, &agent->config, error) < 0) {
		journal_note(LOG_CRIT, "%s", error);
		return EXIT_FAILURE;
	}
	r = start(agent);
	if (r < 0) {
		journal_note(LOG_CRIT, "cannot start: %s", strerror(-r));
		(void)sd_notifyf(0, "ERRNO=%d\nSTATUS=cannot start: %s", -r, strerror(-r));
		stop(agent);
		return EXIT_FAILURE;
	}
	store_ready(agent);
	r = sd_event_loop(agent->event);
	if (r < 0)
		journal_note(LOG_CRIT, "the event loop failed: %s", strerror(-r));
	stop(agent);
	return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv)
{
	struct agent agent = {
		.options = {
			.config_path = CONFIG_PATH,
			.socket_path = SOCKET_PATH,
			.state_directory = STATE_DIRECTORY,
			.runtime_directory = RUNTIME_DIRECTORY,
			.journal_path = JOURNAL_PATH,
		},
		.mounts_fd = -1,
	};
	int r;

	r = read_options(argc, argv, &agent.options);
	if (r >= 0)
		return r;
	if (agent.options.check)
		return check_only(&agent.options);

	signal(SIGPIPE, SIG_IGN);
	/* Set by the service manager if standard error is the journal anyway. */
	if (getenv("JOURNAL_STREAM"))
		(void)journal_open(agent.options.journal_path);
	r = run(&agent);
	journal_close();
	return r;
}
