// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate top - a screen with what waits, what is granted and what happens.
 *
 * Owns: the options, a single frame for a pipe, the loop with keys and signals.
 *
 * Must not own: anything else of top, see top.h.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "table.h"
#include "top.h"

#define DEFAULT_INTERVAL_NS	UINT64_C(1000000000)
#define LEAST_INTERVAL_NS	UINT64_C(100000000)
#define PIPE_WIDTH		80

static struct {
	const char *volume;
	uint64_t interval_ns;
	bool once;
} given = { .interval_ns = DEFAULT_INTERVAL_NS };

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_VOLUME:
		given.volume = value;
		return 0;
	case OPTION_INTERVAL:
		if (parse_duration("--interval", value, &given.interval_ns))
			return EXIT_USAGE;
		return given.interval_ns < LEAST_INTERVAL_NS ?
		       usage_error("--interval must be 100ms or longer") : 0;
	case OPTION_ONCE:
		given.once = true;
		return 0;
	}
	return usage_error("unexpected option");
}

/* ---- one frame ---- */

static int width_of_output(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	long width = columns ? strtol(columns, NULL, 10) : 0;

	if (width >= 20 && width <= 1000)
		return (int)width;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return PIPE_WIDTH;
}

static int print_frame(struct top *top)
{
	static const enum colour colours[] = {
		[TOP_STYLE_GOOD] = COLOUR_GOOD,
		[TOP_STYLE_WARNING] = COLOUR_WARNING,
		[TOP_STYLE_BAD] = COLOUR_BAD,
		[TOP_STYLE_KEYS] = COLOUR_NONE,
	};
	struct top_frame frame = { 0 };
	int r = top_frame_make(top, &frame, width_of_output(), 0);

	for (size_t i = 0; !r && i < frame.count; i++) {
		enum colour colour = colours[frame.lines[i].style];
		size_t length = strlen(frame.lines[i].text);

		/* In a file, blanks at the end are only in the way. */
		while (length && frame.lines[i].text[length - 1] == ' ')
			length--;
		printf("%s%.*s%s\n", colour_begin(colour), (int)length, frame.lines[i].text,
		       colour_end(colour));
	}
	top_frame_release(&frame);
	if (r) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	return 0;
}

static int print_object(struct top *top)
{
	sd_json_variant *object = NULL;
	int r;

	if (top_model_json(top, &object) < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	r = print_json(top->cli, object);
	sd_json_variant_unref(object);
	return r;
}

/* What happens in a second takes two looks. */
static int run_once(struct top *top)
{
	const struct timespec interval = {
		.tv_sec = (time_t)(top->interval_ns / 1000000000),
		.tv_nsec = (long)(top->interval_ns % 1000000000),
	};
	int r;

	r = top_poll_once(top);
	if (r)
		return r;
	(void)nanosleep(&interval, NULL);
	r = top_poll_once(top);
	if (r)
		return r;
	return top->cli->json ? print_object(top) : print_frame(top);
}

/* ---- keys ---- */

static void page(struct top *top, bool down)
{
	top_model_move(top, down ? 10 : -10);
}

static void on_key(struct top *top, uint32_t key)
{
	top->drawn = false;
	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		return top_model_move(top, -1);
	case TOP_KEY_DOWN:
	case 'j':
		return top_model_move(top, 1);
	case TOP_KEY_PAGE_UP:
	case TOP_KEY_PAGE_DOWN:
		return page(top, key == TOP_KEY_PAGE_DOWN);
	case TOP_KEY_HOME:
		return top_model_move(top, -LONG_MAX / 2);
	case TOP_KEY_END:
		return top_model_move(top, LONG_MAX / 2);
	case TOP_KEY_TAB:
		return top_model_other_section(top);
	case TOP_KEY_ENTER:
	case 'a':
		return top_act_approve(top);
	case 'd':
		return top_act_deny(top);
	case 'r':
		return top_act_revoke(top);
	case 'v':
		return top_act_filter(top);
	case 's':
		top->sort = (top->sort + 1) % _TOP_SORT_MAX;
		return top_model_arrange(top);
	case ' ':
		return top_poll_now(top);
	case '?':
	case 'h':
		top->help = true;
		return;
	case 'q':
		(void)sd_event_exit(top->event, EXIT_DONE);
		return;
	}
}

static int on_terminal(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct top *top = userdata;
	uint32_t key;

	(void)source;
	(void)fd;
	/* The terminal has gone, or its user. */
	if (revents & (EPOLLHUP | EPOLLERR))
		return sd_event_exit(top->event, EXIT_DONE);
	while ((key = top_screen_key())) {
		if (key == TOP_KEY_REDRAW) {
			top_screen_redraw();
			top->drawn = false;
		} else if (top->help) {
			top->help = false;
			top->drawn = false;
		} else if (top->question) {
			top_act_key(top, key);
		} else {
			on_key(top, key);
		}
	}
	return 0;
}

/* ---- signals ---- */

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct top *top = userdata;

	(void)source;
	return sd_event_exit(top->event, 128 + (int)info->ssi_signo);
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct top *top = userdata;

	(void)source;
	(void)info;
	top_screen_resize();
	top->drawn = false;
	return 0;
}

static int on_suspend(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct top *top = userdata;

	(void)source;
	(void)info;
	top_screen_suspend();
	top->drawn = false;
	return 0;
}

static int add_signals(struct top *top)
{
	static const struct {
		int number;
		sd_event_signal_handler_t handler;
	} signals[] = {
		{ SIGINT, on_end }, { SIGTERM, on_end }, { SIGHUP, on_end }, { SIGQUIT, on_end },
		{ SIGWINCH, on_resize }, { SIGTSTP, on_suspend },
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sizeof(signals) / sizeof(signals[0]); i++)
		r = sd_event_add_signal(top->event, NULL,
					signals[i].number | SD_EVENT_SIGNAL_PROCMASK,
					signals[i].handler, top);
	return r;
}

/* ---- the loop ---- */

/* Drawn once after all that has come in together. */
static int on_each(sd_event_source *source, void *userdata)
{
	struct top *top = userdata;

	(void)source;
	if (top->drawn)
		return 0;
	top->drawn = true;
	return top_screen_show(top);
}

static int prepare(struct top *top)
{
	int r;

	r = sd_event_new(&top->event);
	if (r >= 0)
		r = add_signals(top);
	if (r >= 0)
		r = sd_event_add_io(top->event, NULL, STDIN_FILENO, EPOLLIN, on_terminal, top);
	if (r >= 0)
		r = sd_event_add_post(top->event, NULL, on_each, top);
	if (r >= 0)
		r = top_poll_start(top);
	return r;
}

static int run_screen(struct top *top)
{
	int r, code = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("top needs a terminal; for a pipe or a file use \"trustgate top --once\".");
		return EXIT_USAGE;
	}
	/* Before curses: its own handlers would be for nothing. */
	r = prepare(top);
	if (r < 0)
		complain("cannot begin: %s.", strerror(-r));
	else
		code = top_screen_open();
	if (r >= 0 && !code) {
		r = sd_event_loop(top->event);
		top_screen_close();
		if (r < 0)
			complain("cannot go on: %s.", strerror(-r));
		else
			code = r;
	}
	top_act_cancel(top);
	top_poll_stop(top);
	top->event = sd_event_unref(top->event);
	return r < 0 ? EXIT_REFUSED : code;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	struct top top = { .cli = cli, .interval_ns = given.interval_ns };
	int r;

	(void)argc;
	(void)argv;
	if (cli->json && !given.once)
		return usage_error("top: --json goes with --once");
	if (given.volume && strlen(given.volume) >= sizeof(top.filter))
		return usage_error("--volume: no volume has such a long name");
	snprintf(top.filter, sizeof(top.filter), "%s", given.volume ?: "");
	if (top_model_start(&top) < 0) {
		complain("out of memory");
		r = EXIT_REFUSED;
	} else {
		r = given.once ? run_once(&top) : run_screen(&top);
	}
	top_model_stop(&top);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "only this volume" },
	{ OPTION_INTERVAL, 0, "interval", "DURATION", "look again after so long (1s)" },
	{ OPTION_ONCE, '1', "once", NULL, "print what is there once, for a pipe or a file" },
	{ 0 }
};

const struct verb verb_top = {
	.name = "top",
	.arguments = "",
	.summary = "show what waits, what is granted and what happens, and decide",
	.details =
		"On a terminal: the keys are at the bottom, ? explains them. Approving, denying and\n"
		"revoking ask before anything is done. With --once the rates are those of one interval.",
	.options = options,
	.shared = SHARED_JSON,
	.min = 0,
	.max = 0,
	.take = take,
	.run = run,
};
