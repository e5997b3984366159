-- Runs of absent days per station, between its first and last stored day, the longest first.
-- $days = 1: shortest run to list
SELECT station, previous + 1 AS first_absent, date - 1 AS last_absent, date - previous - 1 AS days
FROM (
    SELECT station, date, lag(date) OVER (PARTITION BY station ORDER BY date) AS previous
    FROM daily
)
WHERE date - previous > $days::int
ORDER BY days DESC, station, first_absent
