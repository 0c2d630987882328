// Runs statements in Node with the extension loaded, by node:sqlite (Node 22.13 and up) or by better-sqlite3: see ask.py.
import { readFileSync } from "node:fs";

const [library, database, by] = process.argv.slice(2);
const statements = JSON.parse(readFileSync(0, "utf8"));
let connection;
if (by === "better-sqlite3") {
  const { default: Database } = await import(process.env.NIGHTCLERK_BETTER_SQLITE3 ?? "better-sqlite3");
  connection = new Database(database);
} else {
  const { DatabaseSync } = await import("node:sqlite");
  connection = new DatabaseSync(database, { allowExtension: true });
}
connection.loadExtension(library);
const answers = statements.map((statement) => {
  try {
    return connection.prepare(statement).all().map((row) => Object.values(row));
  } catch (error) {
    return { error: error.message };
  }
});
const sqlite = Object.values(connection.prepare("SELECT sqlite_version()").get())[0];
connection.close();
process.stdout.write(JSON.stringify({ sqlite, answers }));
