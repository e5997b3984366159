-- Growing degree days per station and day in {°C} days, their running total, and the days it lacks.
-- By the mean of both extremes between the thresholds: cimis degree-days --method average.
-- $start = 1900-01-01: first day, from which the total runs
-- $end = 2100-12-31: last day
-- $base = 10 {°C}: lower threshold in {°C}; colder minima count as this
-- $upper = 30 {°C}: upper threshold in {°C}; hotter maxima count as this
SELECT
    station,
    date,
    round(degree_days, 2) AS degree_days,
    round(sum(degree_days) OVER (PARTITION BY station ORDER BY date), 2) AS degree_days_total,
    row_number() OVER (PARTITION BY station ORDER BY date) AS days,
    date - min(date) OVER (PARTITION BY station) + 1
        - row_number() OVER (PARTITION BY station ORDER BY date) AS days_missing
FROM (
    SELECT
        station,
        date,
        greatest(
            0,
            (
                least(greatest(air_tmp_max, $base::double), $upper::double)
                + least(greatest(air_tmp_min, $base::double), $upper::double)
            ) / 2 - $base::double
        ) AS degree_days
    FROM daily
    WHERE date BETWEEN $start::date AND $end::date
        AND air_tmp_max IS NOT NULL
        AND air_tmp_min IS NOT NULL
)
ORDER BY station, date
