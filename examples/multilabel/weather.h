/* SPDX-License-Identifier: MIT */
/* Days of weather: what is measured on one, and what of the next day is to be told from it. */
#ifndef WEATHER_H
#define WEATHER_H

#include <stddef.h>

/* The labels, of which a day can have any number: X(name, what it means). */
#define WEATHER_LABELS(X)                                                                          \
    X(rain, "any precipitation")                                                                   \
    X(downpour, "10 mm of it or more")                                                             \
    X(wind, "6 m/s or more on average")                                                            \
    X(frost, "a minimum of 0 C or less")                                                           \
    X(heat, "a maximum of 30 C or more")

#define WEATHER_COUNT(name, meaning) +1
enum { LABELS = 0 WEATHER_LABELS(WEATHER_COUNT), FEATURES = 6 };

typedef struct day {
    double features[FEATURES];      /* of the day: four measurements and the season */
    unsigned char tomorrow[LABELS]; /* of the next one: 1 or 0 */
} day;

/*
 * Reads a CSV file: the header of seattle-weather.csv, then a line for each day, without gaps. Gives an
 * array of *count days, at least 4, that the caller frees; the last day of the file is none of them,
 * as its tomorrow is not known. If the file is anything else: one line on stderr, that starts with the
 * program's name, and NULL.
 */
day *weather_read(const char *program, const char *path, size_t *count);

#endif
