-- When a daemon first saw the shop write live: nights are computed as of the wall clock from then on, unless a job says
-- as_of = "data". NULL = not yet: the file is fed by imports, and a night is as of its newest row.
ALTER TABLE clerk_leader ADD COLUMN live_since INTEGER;

DROP VIEW leader;
-- The daemon that leads or led last, one row: process number, host, version, the address it listens on (NULL = none), when it
-- began, its last sign of life (written every 10 s), and when it ended in good order (NULL = it runs, or died: then
-- beat_at stands still). troubles = what is wrong now beside what `runs` says, a line each; NULL = nothing. live_since = when
-- a daemon first saw events or tickets come in as they happened; NULL = never. No row = no daemon ever served this file.
CREATE VIEW leader AS
SELECT process, host, version, listen, started_at, beat_at, ended_at, troubles, live_since FROM clerk_leader;
