-- What a few nights said about tickets that nobody had decided or answered yet, until somebody did.
--
-- Each night keeps its routes and drafts of at most a thousand such tickets (the same ones every night, chosen by a hash
-- of their ids); a later night's word about a ticket replaces the earlier one's. Once a person has said where a ticket
-- belongs, or an agent has answered it, the view report_card gets, on the day that was seen:
--
-- ticket_routes: accuracy (share of the guesses that people agreed with, beside that of the most frequent class),
-- overridden (share of the routed tickets that people put elsewhere) and abstained (share of the decided tickets that had
-- been left to triage), for all tickets and for each team (the slice).
-- ticket_drafts: rouge_l (overlap of the draft with the reply that was sent, beside that of the reply to the nearest old
-- ticket), for all and by the draft's decision.
--
-- Then the row is gone; one that nobody decides is gone after 30 days.
CREATE TABLE clerk_route_archive (
    ticket_id TEXT NOT NULL PRIMARY KEY,
    made_at   INTEGER NOT NULL,  -- the night's instant
    label     TEXT NOT NULL,     -- what was guessed: category or team
    guess     TEXT NOT NULL,     -- the best guess, whether it was acted on or not
    naive     TEXT NOT NULL,     -- the most frequent class of that night
    decision  TEXT NOT NULL,     -- route or triage
    team      TEXT               -- where it was sent; NULL = triage, or nobody knew
) STRICT;

CREATE TABLE clerk_draft_archive (
    ticket_id    TEXT NOT NULL PRIMARY KEY,
    made_at      INTEGER NOT NULL,
    replies_seen INTEGER NOT NULL,  -- messages of the ticket when the draft was made
    decision     TEXT NOT NULL,     -- send or suggest
    draft        TEXT NOT NULL,
    nearest      TEXT NOT NULL      -- the reply to the nearest old ticket, cleaned like the draft
) STRICT;
