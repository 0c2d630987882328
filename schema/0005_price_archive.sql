-- What a few forecasts said, until their day has come.
--
-- Each night keeps its forecasts of the next step, the 7th and the 28th, of at most a thousand series (the same ones
-- every night, chosen by a hash of their names). When the day of one is over, the prices of that day judge it: the view
-- report_card gets ape@1, ape@7 and ape@28, the mean of |price - forecast| / price beside that of the last price known
-- when it was made (naive), and coverage80@1, coverage95@1 and so on, the shares of prices inside the intervals, which
-- ought to be 0.80 and 0.95. A few days later its rows are gone.
CREATE TABLE clerk_price_archive (
    day         INTEGER NOT NULL,  -- the local day it is about, days since 1970-01-01
    step        INTEGER NOT NULL,  -- how many steps ahead that was
    product_key INTEGER NOT NULL,
    seller_key  INTEGER NOT NULL,
    at          INTEGER NOT NULL,  -- the instant it is about
    last_price  REAL NOT NULL,     -- the price in force when it was made: the naive forecast
    price       REAL NOT NULL,
    lo80        REAL NOT NULL,
    hi80        REAL NOT NULL,
    lo95        REAL NOT NULL,
    hi95        REAL NOT NULL,
    PRIMARY KEY (day, step, product_key, seller_key)
) STRICT, WITHOUT ROWID;
