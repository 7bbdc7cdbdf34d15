// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate top - the terminal.
 *
 * Owns: taking it and giving it back, styles, keys.
 *
 * Must not own: what is shown (top_frame.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Without macros named "erase" and "move". */
#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <termcap.h>

#include "cli.h"
#include "table.h"
#include "top.h"

#define PAIR_GOOD	1
#define PAIR_WARNING	2
#define PAIR_BAD	3

static bool coloured;

/* ---- giving it back ---- */

/*
 * What a handler of a deadly signal needs, which must not call curses. Others
 * arrive in the loop, see verb_top.c.
 */
static struct {
	struct termios modes;
	char sequence[64];
	size_t length;
	bool taken;
} before;

static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS };

static void on_deadly(int number)
{
	if (before.taken) {
		(void)!write(STDOUT_FILENO, before.sequence, before.length);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before.modes);
	}
	/* The handler is gone by now, so this is the end. */
	(void)raise(number);
}

/* The terminal's own sequence for something, NULL if it has none. */
static const char *capability(const char *name)
{
	const char *sequence = tigetstr(name);

	return sequence == (const char *)-1 ? NULL : sequence;
}

static void remember_sequence(const char *name)
{
	const char *sequence = capability(name) ?: "";
	size_t length = strlen(sequence);

	if (before.length + length > sizeof(before.sequence))
		return;
	memcpy(before.sequence + before.length, sequence, length);
	before.length += length;
}

static void catch_deadly(void)
{
	struct sigaction action = { .sa_handler = on_deadly, .sa_flags = SA_RESETHAND | SA_NODEFER };

	before.length = 0;
	remember_sequence("sgr0");
	remember_sequence("cnorm");
	remember_sequence("rmcup");
	before.taken = true;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		(void)sigaction(deadly[i], &action, NULL);
}

void top_screen_close(void)
{
	if (!before.taken)
		return;
	before.taken = false;
	(void)endwin();
}

/* ---- taking it ---- */

static void start_colours(void)
{
	coloured = colours_wanted() && has_colors() && start_color() != ERR;
	if (!coloured)
		return;
	(void)use_default_colors();
	(void)init_pair(PAIR_GOOD, COLOR_GREEN, -1);
	(void)init_pair(PAIR_WARNING, COLOR_YELLOW, -1);
	(void)init_pair(PAIR_BAD, COLOR_RED, -1);
}

int top_screen_open(void)
{
	const char *term = getenv("TERM");

	(void)tcgetattr(STDIN_FILENO, &before.modes);
	/* initscr() would end the program if the terminal is not known. */
	if (!term || tgetent(NULL, term) <= 0 || !capability("cup")) {
		complain("the terminal \"%s\" is not known, or cannot move its cursor; set TERM, or use \"trustgate top --once\".",
			 term ?: "");
		return EXIT_REFUSED;
	}
	if (!initscr()) {
		complain("cannot use the terminal.");
		return EXIT_REFUSED;
	}
	catch_deadly();
	(void)atexit(top_screen_close);
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(25);
	(void)curs_set(0);
	start_colours();
	return 0;
}

void top_screen_resize(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		(void)resizeterm(size.ws_row, size.ws_col);
	(void)clearok(curscr, TRUE);
}

void top_screen_redraw(void)
{
	(void)clearok(curscr, TRUE);
}

void top_screen_suspend(void)
{
	(void)endwin();
	(void)kill(getpid(), SIGSTOP);
	(void)refresh();
	top_screen_resize();
}

/* ---- showing ---- */

static attr_t style_of(enum top_style style, short *pair)
{
	static const struct {
		attr_t attributes;
		short pair;
	} styles[] = {
		[TOP_STYLE_NORMAL] = { A_NORMAL, 0 },
		[TOP_STYLE_HEADER] = { A_BOLD, 0 },
		[TOP_STYLE_TITLE] = { A_REVERSE, 0 },
		[TOP_STYLE_SELECTED] = { A_BOLD, 0 },
		[TOP_STYLE_GOOD] = { A_NORMAL, PAIR_GOOD },
		[TOP_STYLE_WARNING] = { A_BOLD, PAIR_WARNING },
		[TOP_STYLE_BAD] = { A_BOLD, PAIR_BAD },
		[TOP_STYLE_KEYS] = { A_DIM, 0 },
	};

	*pair = coloured ? styles[style].pair : 0;
	return styles[style].attributes;
}

int top_screen_show(struct top *top)
{
	struct top_frame frame = { 0 };
	int rows, columns, r;

	getmaxyx(stdscr, rows, columns);
	/* In the last place of all, a character would scroll the screen. */
	r = top_frame_make(top, &frame, columns > 1 ? columns - 1 : 1, rows);
	(void)erase();
	for (size_t i = 0; !r && i < frame.count; i++) {
		short pair;
		attr_t attributes = style_of(frame.lines[i].style, &pair);

		(void)attr_set(attributes, pair, NULL);
		(void)mvaddstr((int)i, 0, frame.lines[i].text);
	}
	(void)attr_set(A_NORMAL, 0, NULL);
	(void)refresh();
	top_frame_release(&frame);
	return r;
}

/* ---- keys ---- */

static uint32_t special_key(wint_t code)
{
	static const struct {
		wint_t code;
		enum top_key key;
	} keys[] = {
		{ KEY_UP, TOP_KEY_UP }, { KEY_DOWN, TOP_KEY_DOWN },
		{ KEY_PPAGE, TOP_KEY_PAGE_UP }, { KEY_NPAGE, TOP_KEY_PAGE_DOWN },
		{ KEY_HOME, TOP_KEY_HOME }, { KEY_END, TOP_KEY_END },
		{ KEY_ENTER, TOP_KEY_ENTER }, { KEY_BACKSPACE, TOP_KEY_BACKSPACE },
		{ KEY_DC, TOP_KEY_BACKSPACE },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return TOP_KEY_OTHER;
}

uint32_t top_screen_key(void)
{
	wint_t code = 0;

	switch (get_wch(&code)) {
	case KEY_CODE_YES:
		return special_key(code);
	case OK:
		break;
	default:
		return 0;
	}
	switch (code) {
	case '\r':
	case '\n':
		return TOP_KEY_ENTER;
	case '\t':
		return TOP_KEY_TAB;
	case 0x1b:
		return TOP_KEY_ESCAPE;
	case 0x7f:
	case '\b':
		return TOP_KEY_BACKSPACE;
	case 'U' - '@':
		return TOP_KEY_CLEAR;
	case 'L' - '@':
		return TOP_KEY_REDRAW;
	}
	return code < ' ' ? TOP_KEY_OTHER : code;
}
