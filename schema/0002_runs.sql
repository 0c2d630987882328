-- The clerk's own books: runs, generations, scores. Tables named clerk_* are written by nightclerk alone and
-- may change from one version to the next; the views over them are the contract.

-- Dense integer keys of text ids. Given out once in the step `prepare`, never reused: a generation that was
-- published years ago still means the same products. user_id '' is the visitor nobody knows.
CREATE TABLE product_keys (product_key INTEGER PRIMARY KEY, product_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE user_keys    (user_key    INTEGER PRIMARY KEY, user_id    TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE seller_keys  (seller_key  INTEGER PRIMARY KEY, seller     TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE model_keys   (model_key   INTEGER PRIMARY KEY, model      TEXT NOT NULL UNIQUE) STRICT;

-- What the files in jobs/ say, mirrored at every run for the view jobs.
CREATE TABLE clerk_jobs (
    job             TEXT NOT NULL PRIMARY KEY,
    kind            TEXT,
    schedule        TEXT,
    time_zone       TEXT,
    enabled         INTEGER NOT NULL,
    after           TEXT,
    next_run_at     INTEGER,
    next_run_local  TEXT,
    disabled_reason TEXT
) STRICT;

-- One row for every attempt of every job, written before the attempt begins.
CREATE TABLE clerk_runs (
    run_id       INTEGER PRIMARY KEY AUTOINCREMENT,
    job          TEXT NOT NULL,
    attempt      INTEGER NOT NULL DEFAULT 1,
    scheduled_at INTEGER,
    started_at   INTEGER,
    finished_at  INTEGER,
    status       TEXT NOT NULL,
    stage        TEXT,
    progress     REAL NOT NULL DEFAULT 0,
    rows         INTEGER,
    as_of        INTEGER,
    error        TEXT,
    why          TEXT,
    UNIQUE (job, scheduled_at, attempt)
) STRICT;

-- Rows a run could not use, by table and reason.
CREATE TABLE clerk_run_drops (
    run_id     INTEGER NOT NULL,
    table_name TEXT NOT NULL,
    reason     TEXT NOT NULL,
    rows       INTEGER NOT NULL,
    PRIMARY KEY (run_id, table_name, reason)
) STRICT, WITHOUT ROWID;

-- A generation is everything one run of one family wrote. It becomes visible as a whole by one row of
-- clerk_published, and disappears from sight the same way.
CREATE TABLE clerk_generations (
    generation     INTEGER PRIMARY KEY AUTOINCREMENT,
    family         TEXT NOT NULL,
    status         TEXT NOT NULL,
    run_id         INTEGER,
    rows           INTEGER NOT NULL DEFAULT 0,
    as_of          INTEGER,
    published_at   INTEGER,
    why            TEXT,
    exclude_bought INTEGER NOT NULL DEFAULT 1,
    swept          INTEGER NOT NULL DEFAULT 0  -- 1 = its rows are being taken away, 2 = gone; only 0 can be rolled back to
) STRICT;

-- The pointer: which generation of a family readers see.
CREATE TABLE clerk_published (
    family     TEXT NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Fitted models, in parts of at most 256 KB, each with its checksum (XXH3, 128 bits).
CREATE TABLE clerk_artefacts (
    generation INTEGER NOT NULL,
    name       TEXT NOT NULL,
    part       INTEGER NOT NULL,
    format     INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    checksum   TEXT NOT NULL,
    PRIMARY KEY (generation, name, part)
) STRICT;

-- Where an interrupted fit goes on, in parts; the newest save of which all parts are there counts. Cleared when
-- the fit ends.
CREATE TABLE clerk_checkpoints (
    family      TEXT NOT NULL,
    name        TEXT NOT NULL,
    save        INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    parts       INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    saved_at    INTEGER NOT NULL,
    PRIMARY KEY (family, name, save, part)
) STRICT;

-- How each model did on data it had not seen.
CREATE TABLE clerk_scores (
    score_id INTEGER PRIMARY KEY,
    run_id   INTEGER NOT NULL,
    result   TEXT NOT NULL,
    model    TEXT NOT NULL,
    slice    TEXT NOT NULL DEFAULT '',
    metric   TEXT NOT NULL,
    value    REAL,
    lo90     REAL,
    hi90     REAL,
    split    TEXT NOT NULL,
    as_of    INTEGER,
    chosen   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX clerk_scores_of_run ON clerk_scores (run_id);

-- How a past night's answers fared against what then happened.
CREATE TABLE clerk_report_card (
    day          INTEGER NOT NULL,
    result       TEXT NOT NULL,
    slice        TEXT NOT NULL DEFAULT '',
    metric       TEXT NOT NULL,
    value        REAL,
    naive        REAL,
    observations INTEGER NOT NULL,
    PRIMARY KEY (day, result, slice, metric)
) STRICT, WITHOUT ROWID;

-- Rows an import could not take.
CREATE TABLE clerk_rejected_rows (
    rejected_id INTEGER PRIMARY KEY,
    table_name  TEXT NOT NULL,
    source      TEXT NOT NULL,
    line        INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    raw         TEXT NOT NULL
) STRICT;
CREATE INDEX clerk_rejected_rows_of_source ON clerk_rejected_rows (table_name, source);

-- The jobs, with how the last run of each ended. next_run_local is in the job's own time zone.
CREATE VIEW jobs AS
SELECT j.job, j.kind, j.schedule, j.time_zone, j.enabled, j.after, j.next_run_at, j.next_run_local,
       (SELECT max(r.run_id) FROM clerk_runs AS r WHERE r.job = j.job) AS last_run_id,
       (SELECT r.status FROM clerk_runs AS r WHERE r.job = j.job ORDER BY r.run_id DESC LIMIT 1) AS last_status,
       j.disabled_reason
FROM clerk_jobs AS j;

-- Every attempt: status queued, running, done, failed, timeout, interrupted or skipped; stage collect, prepare,
-- fit, evaluate or publish; progress 0 to 1; scheduled_at NULL = started by hand; rows = result rows written;
-- error = what went wrong; why = what was decided (published, rejected, nothing changed) and the reason.
CREATE VIEW runs AS
SELECT run_id, job, attempt, scheduled_at, started_at, finished_at, status, stage, progress, rows, as_of, error, why
FROM clerk_runs;

-- Rows a run left out, by table and reason.
CREATE VIEW run_drops AS SELECT run_id, table_name, reason, rows FROM clerk_run_drops;

-- What was built, published, retired (superseded; `nightclerk rollback` brings it back) or rejected, and why.
CREATE VIEW generations AS
SELECT family, generation, status, run_id, rows, as_of, published_at, why FROM clerk_generations;

-- Every candidate model beside the naive answer: slice '' = all; lo90, hi90 = a 90 % interval, NULL = none;
-- split = how the held-out part was cut; chosen = 1 for the model whose answers were written.
CREATE VIEW scores AS
SELECT run_id, result, model, slice, metric, value, lo90, hi90, split, as_of, chosen FROM clerk_scores;

-- Yesterday's answers against today: value beside the naive answer on the same observations.
CREATE VIEW report_card AS
SELECT date(day * 86400, 'unixepoch') AS day, result, slice, metric, value, naive, observations FROM clerk_report_card;

-- Rows an import could not take: source = file name, line = in that file, raw = the row's text, cut at 4 KB.
CREATE VIEW rejected_rows AS SELECT table_name, source, line, reason, raw FROM clerk_rejected_rows;
