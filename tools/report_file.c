/* SPDX-License-Identifier: MIT */
#include "report_file.h"

#include <stdlib.h>

bool report_file_open(struct report_file *file, const char *path, struct failure *why)
{
    *file = (struct report_file){.output = {.descriptor = -1}};
    if (path != NULL && !output_open(&file->output, path, why))
        return false;
    file->stream = open_memstream(&file->text, &file->size);
    if (file->stream != NULL)
        return true;
    report_file_abandon(file);
    return fail(why, "out of memory");
}

static bool close_stream(struct report_file *file)
{
    const bool is_whole = !ferror(file->stream);
    const bool is_closed = fclose(file->stream) == 0;
    return is_whole && is_closed;
}

bool report_file_commit(struct report_file *file, struct failure *why)
{
    struct output *output = &file->output;
    bool good = close_stream(file) || fail(why, "out of memory");
    if (output->path != NULL) {
        good = good && output_write(output, file->text, file->size, why);
        if (good)
            good = output_commit(output, why);
        else
            output_abandon(output);
    }
    free(file->text);
    return good;
}

void report_file_abandon(struct report_file *file)
{
    if (file->stream != NULL)
        (void)close_stream(file);
    free(file->text);
    if (file->output.path != NULL)
        output_abandon(&file->output);
}
