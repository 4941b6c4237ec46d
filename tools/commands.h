/* SPDX-License-Identifier: MIT */
/*
 * The commands. Each gets the arguments from its own name on. On success, help included, it returns
 * true; main() then checks that standard output took what was printed.
 */
#ifndef CLACT_TOOLS_COMMANDS_H
#define CLACT_TOOLS_COMMANDS_H

#include "failure.h"

bool forward_command(int argc, char **argv, struct failure *why);
bool backward_command(int argc, char **argv, struct failure *why);
bool predict_command(int argc, char **argv, struct failure *why);
bool gate_command(int argc, char **argv, struct failure *why);
bool loss_command(int argc, char **argv, struct failure *why);
bool verify_command(int argc, char **argv, struct failure *why);
bool bench_command(int argc, char **argv, struct failure *why);
bool devices_command(int argc, char **argv, struct failure *why);

/* For the characters '?' and ':' of getopt_long: an option that is unknown or lacks its value. */
bool fail_option(struct failure *why, int character, char **argv);

#endif
