-- Days with rain per station and water year, the total in mm, and the wettest day.
-- $threshold = 0.25: precipitation in mm from which a day counts
SELECT
    station,
    year(date + INTERVAL 3 MONTH) AS water_year,
    count(*) FILTER (precip >= $threshold::double) AS rain_days,
    round(sum(precip), 2) AS precip_mm,
    max(precip) AS wettest_mm,
    arg_max(date, precip) AS wettest_day,
    count(precip) AS days
FROM daily
GROUP BY station, water_year
ORDER BY station, water_year
