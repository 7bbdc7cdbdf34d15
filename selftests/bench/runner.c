// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark - the process whose operations are measured; see runner.h.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

/**
 * struct order - what to measure
 * @directory: where
 * @operation: what; a pointer means the same on both sides of a fork. NULL: end
 * @scope: what counts
 * @by_child: have a child measure
 */
struct order {
	char directory[128];
	const struct operation *operation;
	enum ruler_scope scope;
	bool by_child;
};

static void measure(const struct order *order, int readings)
{
	struct ruler_reading reading;

	if (chdir(order->directory))
		err(1, "enter %s", order->directory);
	reading = ruler_measure(order->operation, order->scope);
	if (chdir("/"))
		err(1, "enter /");
	if (write(readings, &reading, sizeof(reading)) != sizeof(reading))
		err(1, "hand over a reading");
}

static void measure_by_child(const struct order *order, int readings)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		err(1, "fork");
	if (!child) {
		measure(order, readings);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status)
		errx(1, "the runner's child failed");
}

static _Noreturn void run(int orders, int readings, void (*enter)(void))
{
	struct order order;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		err(1, "prctl");
	if (enter)
		enter();
	while (read(orders, &order, sizeof(order)) == sizeof(order) &&
	       order.operation) {
		if (order.by_child)
			measure_by_child(&order, readings);
		else
			measure(&order, readings);
	}
	_exit(0);
}

void runner_start(struct runner *runner, void (*enter)(void))
{
	int orders[2], readings[2];

	fflush(stdout);
	if (pipe(orders) || pipe(readings))
		err(1, "pipe");
	runner->pid = fork();
	if (runner->pid < 0)
		err(1, "fork");
	if (!runner->pid) {
		close(orders[1]);
		close(readings[0]);
		run(orders[0], readings[1], enter);
	}
	close(orders[0]);
	close(readings[1]);
	runner->orders = orders[1];
	runner->readings = readings[0];
}

void runner_stop(struct runner *runner)
{
	const struct order end = {};
	int status;

	/* Others may have inherited the pipe, so closing it ends nothing. */
	if (write(runner->orders, &end, sizeof(end)) != sizeof(end))
		err(1, "end the runner");
	close(runner->orders);
	close(runner->readings);
	if (waitpid(runner->pid, &status, 0) != runner->pid || status)
		errx(1, "the runner failed");
}

struct ruler_reading runner_measure(struct runner *runner,
				    const char *directory,
				    const struct operation *operation,
				    enum ruler_scope scope, bool by_child)
{
	struct order order = {
		.operation = operation,
		.scope = scope,
		.by_child = by_child,
	};
	struct ruler_reading reading;

	snprintf(order.directory, sizeof(order.directory), "%s", directory);
	if (write(runner->orders, &order, sizeof(order)) != sizeof(order))
		err(1, "give an order");
	/* It has said what went wrong. */
	if (read(runner->readings, &reading, sizeof(reading)) !=
	    sizeof(reading))
		exit(1);
	return reading;
}
