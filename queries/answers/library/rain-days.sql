-- Days with rain per station and water year, the total ({mm}), and the wettest day.
-- $threshold = 0.25 {mm}: precipitation ({mm}) from which a day counts
SELECT
    station,
    year(date + INTERVAL 3 MONTH) AS water_year,
    count(*) FILTER (precip >= $threshold::double) AS rain_days,
    round(sum(precip), 2) AS precip_{mm},
    max(precip) AS wettest_{mm},
    arg_max(date, precip) AS wettest_day,
    count(precip) AS days
FROM daily
GROUP BY station, water_year
ORDER BY station, water_year
