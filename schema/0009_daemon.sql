-- The daemon's books: who leads, and up to when the turns of each job are decided.

-- Up to which instant of its schedule a job's turns have been decided (run, or left out with a reason). Pattern and zone
-- are those the instants belong to: when either changes, the job begins anew from now. Not in clerk_runs, because old runs go.
CREATE TABLE clerk_turns (
    job           TEXT NOT NULL PRIMARY KEY,
    schedule      TEXT NOT NULL,
    decided_until INTEGER NOT NULL,
    since         INTEGER NOT NULL           -- when the job was first seen with this schedule
) STRICT, WITHOUT ROWID;

CREATE TABLE clerk_leader (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    process    INTEGER NOT NULL,
    host       TEXT NOT NULL,
    version    TEXT NOT NULL,
    listen     TEXT,
    started_at INTEGER NOT NULL,
    beat_at    INTEGER NOT NULL,
    ended_at   INTEGER,
    troubles   TEXT
) STRICT;

-- The daemon that leads or led last, one row: process number, host, version, the address it listens on (NULL = none), when it
-- began, its last sign of life (written every 10 s), and when it ended in good order (NULL = it runs, or died: then
-- beat_at stands still). troubles = what is wrong now beside what `runs` says, a line each; NULL = nothing. No row = no daemon ever
-- served this file.
CREATE VIEW leader AS
SELECT process, host, version, listen, started_at, beat_at, ended_at, troubles FROM clerk_leader;

-- How a requested run differs from a plain one: a JSON object {"as_of", "publish", "dry_run", "seed"} as `nightclerk run` under
-- a daemon writes it; NULL = a plain run of the job.
ALTER TABLE run_requests ADD COLUMN orders TEXT;
-- The same of the run itself: a request may be deleted while its run waits. 'erase' = no job's run.
ALTER TABLE clerk_runs ADD COLUMN orders TEXT;
