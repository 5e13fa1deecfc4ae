/* Runs a file of SQL, after its first line, with Debian's static SQLite library: sql FILE. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int print_row(void *unused, int columns, char **values, char **names)
{
	(void)unused;
	for (int i = 0; i < columns; i++)
		printf("%s%s=%s", i ? "|" : "", names[i], values[i] ? values[i] : "NULL");
	printf("\n");
	return 0;
}

/* A statement a line; an error is printed, and the next one runs. */
static int run(FILE *file, sqlite3 *db)
{
	char *line = NULL, *message;
	size_t size = 0;

	while (getline(&line, &size, file) > 0) {
		if (line[0] == '#')
			continue;
		message = NULL;
		if (sqlite3_exec(db, line, print_row, NULL, &message) != SQLITE_OK)
			printf("error: %s\n", message);
		sqlite3_free(message);
	}
	free(line);
	return sqlite3_close(db) != SQLITE_OK;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	sqlite3 *db;

	if (!file || sqlite3_open("test.db", &db) != SQLITE_OK)
		return 2;
	return run(file, db);
}
