/* SPDX-License-Identifier: MIT */
#include "weather.h"

#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 6, MINIMUM = 4 };
enum { PRECIPITATION, HIGHEST, LOWEST, WIND, MEASURED };

/* The date's day, counted from 1 January of the year 1. */
static bool parse_date(const table_file *file, const char *text, long *number)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int at[3] = {0}; /* year, month, day */
    bool good = strlen(text) == strlen("2012/01/31");
    for (size_t i = 0, part = 0; good && text[i] != '\0'; i++) {
        if (i == 4 || i == 7)
            good = text[i] == '/' && ++part > 0;
        else if (text[i] >= '0' && text[i] <= '9')
            at[part] = at[part] * 10 + text[i] - '0';
        else
            good = false;
    }
    long year = at[0], month = at[1], day_of_month = at[2];
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (!good || year < 1 || month < 1 || month > 12 || day_of_month < 1 ||
        day_of_month > before[month] - before[month - 1] + (month == 2 ? leap : 0))
        return table_fail(file, "the first column is not a date such as 2012/01/31");
    long years = year - 1;
    *number = 365 * years + years / 4 - years / 100 + years / 400 + before[month - 1] +
              (month > 2 ? leap : 0) + day_of_month;
    return true;
}

/* The season is a place on a circle, so that December is next to January. */
static void fill_features(const double measured[MEASURED], long date, double features[FEATURES])
{
    const double turn = 6.283185307179586 * (double)date / 365.2425;
    memcpy(features, measured, MEASURED * sizeof *measured);
    features[MEASURED] = cos(turn);
    features[MEASURED + 1] = sin(turn);
}

static void fill_labels(const double measured[MEASURED], unsigned char labels[LABELS])
{
    const bool rain = measured[PRECIPITATION] > 0.0;
    const bool downpour = measured[PRECIPITATION] >= 10.0;
    const bool wind = measured[WIND] >= 6.0;
    const bool frost = measured[LOWEST] <= 0.0;
    const bool heat = measured[HIGHEST] >= 30.0;
#define WEATHER_VALUE(name, meaning) name,
    const bool values[LABELS] = {WEATHER_LABELS(WEATHER_VALUE)};
    for (size_t l = 0; l < LABELS; l++)
        labels[l] = values[l];
}

/* The weather in words, which is the last column, was not judged alike in all years: it is left out. */
static bool parse_line(const table_file *file, char *fields[COLUMNS], long *date,
                       double measured[MEASURED])
{
    if (!parse_date(file, fields[0], date))
        return false;
    for (size_t m = 0; m < MEASURED; m++)
        if (!table_number(file, m + 2, fields[m + 1], &measured[m]))
            return false;
    return true;
}

static bool read_header(table_file *file)
{
    static const char *const names[COLUMNS] = {"date",     "precipitation", "temp_max",
                                               "temp_min", "wind",          "weather"};
    char *fields[COLUMNS];
    bool found = false;
    if (!table_next(file, COLUMNS, fields, &found))
        return false;
    if (!found)
        return table_fail(file, "the file is empty");
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(fields[i], names[i]) != 0)
            return table_fail(file, "not the header of a file of weather");
    return true;
}

/* Each line is the tomorrow of the one before it. */
static bool read_days(table_file *file, day **days, size_t *count)
{
    size_t capacity = 0;
    long previous = 0;
    for (size_t n = 0;; n++) {
        char *fields[COLUMNS];
        double measured[MEASURED];
        long date = 0;
        bool found = false;
        if (!table_next(file, COLUMNS, fields, &found))
            return false;
        *count = n > 0 ? n - 1 : 0;
        if (!found)
            return *count >= MINIMUM || table_fail(file, "the file ends after fewer than 5 days");
        if (!parse_line(file, fields, &date, measured))
            return false;
        if (n > 0 && date != previous + 1)
            return table_fail(file, "not the day after that of the line before");
        previous = date;
        day *room = table_reserve(file, *days, sizeof *room, n, &capacity);
        if (room == NULL)
            return false;
        *days = room;
        fill_features(measured, date, room[n].features);
        if (n > 0)
            fill_labels(measured, room[n - 1].tomorrow);
    }
}

day *weather_read(const char *program, const char *path, size_t *count)
{
    table_file file;
    day *days = NULL;
    if (!table_open(&file, program, path))
        return NULL;
    if (!read_header(&file) || !read_days(&file, &days, count)) {
        free(days);
        days = NULL;
    }
    table_close(&file);
    return days;
}
