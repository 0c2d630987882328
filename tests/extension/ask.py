"""Runs statements in Python's own sqlite3, or in apsw, with the extension loaded.

    ask.py LIBRARY DATABASE [apsw]      a JSON array of statements on standard input, one of their rows (or errors) on standard output
"""
import json
import sys

library, database = sys.argv[1:3]
statements = json.load(sys.stdin)
if sys.argv[3:] == ["apsw"]:
    import apsw

    connection, failure, version = apsw.Connection(database), apsw.Error, apsw.sqlite_lib_version()
else:
    import sqlite3

    connection, failure, version = sqlite3.connect(database), sqlite3.Error, sqlite3.sqlite_version
connection.enable_load_extension(True)
connection.load_extension(library)
connection.enable_load_extension(False)
answers = []
for statement in statements:
    try:
        answers.append([list(row) for row in connection.execute(statement)])
    except failure as error:
        answers.append({"error": str(error)})
connection.close()
json.dump({"sqlite": version, "answers": answers}, sys.stdout)
